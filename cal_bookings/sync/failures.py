"""The failures that do not end a walk: that of one booking, or of one list that bookings do not depend on."""

import logging
import traceback
from pathlib import Path

from cal_bookings import client
from cal_bookings.models import SyncRun
from cal_bookings.sentences import Message
from cal_bookings.sync.walk_texts import SyncText

logger = logging.getLogger(__name__)

#: The number of failures that a run keeps whole; the count goes on.
KEPT = 100

#: The errors by which Cal.com itself refuses: it works, and would refuse again.
REFUSALS = (
    client.CalForbidden,
    client.CalNotFound,
    client.CalRefused,
    client.CalUnsupported,
)


def count(run: SyncRun, place: str, uid: str, error: str) -> None:
    """Note a booking that could not be mirrored; saving and logging are left to the walk's caller."""
    run.failed += 1
    if len(run.failures) < KEPT:
        run.failures.append({"place": place, "uid": uid, "error": error})


def is_alone(error: client.CalError) -> bool:
    """Return whether Cal.com fails with this request alone, so that the other requests can be made all the same.

    A 500 is the only response to some bookings. A walk that ended at such a booking would end there each time. Without
    a response, or with the response of a proxy (502 to 504), the server itself fails.
    """
    if isinstance(error, client.CalUnavailable):
        return error.status == 500
    kinds = (
        client.CalForbidden,
        client.CalNotFound,
        client.CalRefused,
        client.CalUnexpected,
    )
    return isinstance(error, kinds)


def unexpected(error: BaseException) -> Message:
    """Name an unforeseen exception and the place where it was raised. Its own words may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _PACKAGE in Path(frame.filename).parents]
    [frame] = (ours or frames)[-1:]
    return SyncText.UNEXPECTED(
        error=type(error).__name__, file=Path(frame.filename).name, line=frame.lineno
    )


def log_stack(error: BaseException) -> None:
    """Log where `error` was raised, without its message and its causes, which may hold personal data."""
    stack = "".join(traceback.format_tb(error.__traceback__))
    logger.error("Unexpected %s\n%s", type(error).__name__, stack)


def mark_recorded(error: BaseException) -> None:
    """Mark `error` as recorded in the state of its loop."""
    error.add_note(_RECORDED)


def is_recorded(error: BaseException) -> bool:
    return _RECORDED in getattr(error, "__notes__", ())


_RECORDED = "Recorded in the state of the loop."

#: The directory of this package.
_PACKAGE = Path(__file__).parents[1]
