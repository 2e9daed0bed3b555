"""The dialect of a list, which the shape of an answer alone shows.

A version that the server does not know is not refused: the answer is 200 in the shape of
2024-04-15 [rec 124]. So every page is recognised by the keys that it has.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from cal_bookings.client.redaction import redact


class Dialect(StrEnum):
    """The two ways in which Cal.com pages its lists."""

    #: The dialect of hosted Cal.com.
    CURSOR = "cursor"
    #: The dialect of self-hosted and older servers, and of the lists of teams and users on all servers.
    OFFSET = "offset"


class Server(StrEnum):
    """The two kinds of Cal.com. Hosted ones have later versions of the actions, and actions of their own.

    The kind does not follow from the dialect of a list: hosted Cal.com lists the bookings of teams by offset, and its
    cursor list was seen to hang (CAL_API_NEWS.md).
    """

    HOSTED = "hosted"
    SELF_HOSTED = "self-hosted"


#: The `cal-api-version` of each list dialect.
LIST_VERSION = {Dialect.CURSOR: "2026-05-01", Dialect.OFFSET: "2024-08-13"}

_KEYS_SHOWN = 10


class UnexpectedAnswer(ValueError):
    """The error for a 2xx answer of an unexpected shape, with the expected and the actual one; it knows no request."""


def recognise(body: Any) -> Dialect | None:
    """Return the dialect; None for the shape of a server that did not honour the version."""
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
    """Return the shape of a value: types and keys, no values."""
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
    # The key is cut only with the whole message, after the credential is hidden in it.
    return redact(key)
