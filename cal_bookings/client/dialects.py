"""Which list dialect an answer is in, told by its shape alone.

A version that the server does not know is not refused: it answers 200 in the shape of
2024-04-15 [rec 124]. So the shape of every page is looked at, and recognised by what it has.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from cal_bookings.client.redaction import redact


class Dialect(StrEnum):
    """The two ways in which Cal.com pages its lists."""

    #: Hosted Cal.com.
    CURSOR = "cursor"
    #: Self-hosted and older ones, and the lists of teams and users everywhere.
    OFFSET = "offset"


class Server(StrEnum):
    """The two kinds of Cal.com. Hosted ones have later versions of the actions, and actions of their own.

    The kind does not follow from the dialect of a list: hosted Cal.com lists the bookings of teams by offset, and its
    cursor list was seen to hang (CAL_API_NEWS.md).
    """

    HOSTED = "hosted"
    SELF_HOSTED = "self-hosted"


#: `cal-api-version` of each list dialect.
LIST_VERSION = {Dialect.CURSOR: "2026-05-01", Dialect.OFFSET: "2024-08-13"}

_KEYS_SHOWN = 10


class UnexpectedAnswer(ValueError):
    """What was expected of a 2xx answer, and what came; it knows of no request."""


def recognise(body: Any) -> Dialect | None:
    """The dialect; None for the shape of a server that did not honour the version."""
    parts = body if isinstance(body, dict) else {}
    rows, pagination = parts.get("data"), parts.get("pagination")
    if isinstance(rows, dict) and isinstance(rows.get("bookings"), list):
        return None
    if isinstance(rows, list) and isinstance(pagination, dict):
        if _is_cursor(pagination):
            return Dialect.CURSOR
        if isinstance(pagination.get("hasNextPage"), bool):
            return Dialect.OFFSET
    raise UnexpectedAnswer(
        "expected a list of bookings with pagination (hasMore and nextCursor, or "
        f"hasNextPage), got {describe(body)}"
    )


def _is_cursor(pagination: dict[str, Any]) -> bool:
    more, cursor = pagination.get("hasMore"), pagination.get("nextCursor")
    if more is True:
        return isinstance(cursor, str) and cursor != ""
    return more is False and "nextCursor" in pagination


def describe(value: Any, *, depth: int = 1) -> str:
    """The shape of it: types and keys, no values."""
    if not isinstance(value, dict):
        return {list: "a list", str: "text", type(None): "null"}.get(
            type(value), "a number or boolean"
        )
    keys = sorted(value, key=str)[:_KEYS_SHOWN]
    if depth == 0:
        return f"{{{', '.join(map(_key, keys))}}}"
    inner = (f"{_key(key)}: {describe(value[key], depth=depth - 1)}" for key in keys)
    return f"{{{', '.join(inner)}}}"


def _key(key: str) -> str:
    # Cut only with the whole message, after the credential is hidden in it.
    return redact(key)
