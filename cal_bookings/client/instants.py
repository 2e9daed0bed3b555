"""Times on the wire: read as instants, never compared as text; written in UTC to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def read_instant(value: Any) -> datetime | None:
    """An ISO 8601 time as an aware time in UTC; None if it is none.

    A time without a zone is in UTC, as Cal.com itself reads it.
    """
    # fromisoformat() also takes a bare date, which is no instant.
    if not isinstance(value, str) or value[10:11] not in ("T", " "):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is UTC:
            return moment
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def write_instant(moment: datetime) -> str:
    """An aware time as Cal.com writes it itself."""
    utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return utc.removesuffix("+00:00") + "Z"
