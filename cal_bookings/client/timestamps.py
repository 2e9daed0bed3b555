"""The times of the API: read as instants, never compared as text; written in UTC to the millisecond."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any


def read_instant(value: Any) -> datetime | None:
    """Return an ISO 8601 time as an aware time in UTC; None for a text that is no such time.

    A time without a zone is in UTC, as Cal.com itself reads it. A time in the first or the last year of the calendar is
    no such time: it cannot be shown in every time zone, and has no day before or after it.
    """
    # fromisoformat() also takes a bare date, which is no instant.
    if not isinstance(value, str) or value[10:11] not in ("T", " "):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        elif moment.tzinfo is not UTC:
            moment = moment.astimezone(UTC)
        return moment if is_within_reach(moment) else None
    except (ValueError, OverflowError):
        return None


def is_within_reach(moment: datetime) -> bool:
    """Return whether the time has a year before and a year after it."""
    return MINYEAR < moment.year < MAXYEAR


def write_instant(moment: datetime) -> str:
    """Return an aware time in the form in which Cal.com writes times."""
    utc = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return utc.removesuffix("+00:00") + "Z"
