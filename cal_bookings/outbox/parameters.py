"""The parameters of an action that may be kept: JSON that every database stores, and that Cal.com would read."""

import json
from typing import Any

from cal_bookings.models import RefusalCode
from cal_bookings.outbox.kinds import Kind, Refused
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.sentences import Message

#: The depth to which objects and lists may be nested. MariaDB stores 32 levels, our own included.
DEEPEST = 20
#: The greatest number of characters of JSON; Cal.com reads bodies of 100 kB.
LONGEST = 100_000


def check_parameters(kind: Kind) -> None:
    """Raise Refused for parameters that cannot be kept, before a database refuses them in its own way."""
    parameters = kind.parameters
    if _depth(parameters) > DEEPEST:
        raise _refused(RefusalText.TOO_DEEP(deepest=DEEPEST))
    try:
        text = json.dumps(parameters, allow_nan=False, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        raise _refused(RefusalText.HALF_PAIR()) from None
    except TypeError:
        raise _refused(RefusalText.NOT_JSON()) from None
    except ValueError:
        raise _refused(RefusalText.NOT_FINITE()) from None
    if "\\u0000" in text:
        raise _refused(RefusalText.NUL())
    if len(text) > LONGEST:
        raise _refused(RefusalText.TOO_LONG(longest=LONGEST))


def _refused(problem: Message) -> Refused:
    return Refused(RefusalText.PARAMETERS, RefusalCode.PARAMETERS, {"problem": problem})


def _depth(value: Any) -> int:
    """Return the depth of nesting, without recursion, and only as far as it matters."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list | tuple):
                below += item
        level, depth = below, depth + 1
    return depth
