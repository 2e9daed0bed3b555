"""Event types from their own list: title, length and all else that bookings do not carry."""

from datetime import datetime
from typing import Any

from cal_bookings.mirror import columns, races
from cal_bookings.mirror.children import write_updates
from cal_bookings.mirror.payloads import canonical, storable
from cal_bookings.models import Account, EventType

COLUMNS = ("slug", "title", "length_minutes", "payload")


def upsert_event_types(
    account: Account, payloads: list[dict[str, Any]], *, asked_at: datetime
) -> int:
    """Mirrors the list that answered a request sent at `asked_at`; answers how many rows were written.

    Opens a transaction. Event types that the list does not show stay: bookings refer to them. A list does not replace
    what one told that was asked for later.
    """
    told = {
        payload["id"]: _values(storable(payload, canonical(payload)))
        for payload in payloads
        if isinstance(payload.get("id"), int)
    }
    return races.in_transaction(lambda: _write(account, told, asked_at))


def _write(
    account: Account, told: dict[int, dict[str, Any]], asked_at: datetime
) -> int:
    rows = EventType.objects.select_for_update().filter(
        account=account, remote_id__in=told
    )
    known = {row.remote_id: row for row in rows.order_by("pk")}
    new = [
        EventType(account=account, remote_id=remote_id, mirrored_at=asked_at, **values)
        for remote_id, values in told.items()
        if remote_id not in known
    ]
    changed = [
        row for row in known.values() if _take(row, told[row.remote_id], asked_at)
    ]
    EventType.objects.bulk_create(new)
    write_updates(changed, (*COLUMNS, "mirrored_at"))
    return len(new) + len(changed)


def _take(row: EventType, values: dict[str, Any], asked_at: datetime) -> bool:
    """Whether the row is to be written. Without a payload it was made for a booking, and any list knows more."""
    if asked_at < row.mirrored_at and row.payload:
        return False
    differing = columns.diff(row, values)
    columns.assign(row, values | {"mirrored_at": asked_at})
    return bool(differing)


def _values(payload: dict[str, Any]) -> dict[str, Any]:
    minutes = payload.get("lengthInMinutes")
    return {
        "slug": _text(payload.get("slug"))[:255],
        "title": _text(payload.get("title"))[:500],
        "length_minutes": minutes
        if isinstance(minutes, int) and minutes >= 0
        else None,
        "payload": payload,
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
