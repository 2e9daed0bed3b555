"""Event types from their own list: title, length and all else that bookings do not carry."""

from datetime import datetime
from typing import Any

from django.db import transaction

from cal_bookings.mirror.children import write_updates
from cal_bookings.mirror.payloads import canonical, storable
from cal_bookings.models import Account, EventType

COLUMNS = ("slug", "title", "length_minutes", "payload")


def upsert_event_types(
    account: Account, payloads: list[dict[str, Any]], *, asked_at: datetime
) -> int:
    """Mirrors the list that answered a request sent at `asked_at`; answers how many rows were written.

    Opens a transaction. Event types that the list does not show stay: bookings refer to them.
    """
    told = {
        payload["id"]: _values(storable(payload, canonical(payload)))
        for payload in payloads
        if isinstance(payload.get("id"), int)
    }
    with transaction.atomic():
        rows = EventType.objects.select_for_update().filter(
            account=account, remote_id__in=told
        )
        known = {row.remote_id: row for row in rows.order_by("pk")}
        new = [
            EventType(
                account=account, remote_id=remote_id, mirrored_at=asked_at, **values
            )
            for remote_id, values in told.items()
            if remote_id not in known
        ]
        changed = [row for row in known.values() if _take(row, told[row.remote_id])]
        for row in changed:
            row.mirrored_at = asked_at
        EventType.objects.bulk_create(new)
        write_updates(changed, (*COLUMNS, "mirrored_at"))
    return len(new) + len(changed)


def _take(row: EventType, values: dict[str, Any]) -> bool:
    differing = {k: v for k, v in values.items() if getattr(row, k) != v}
    for name, value in differing.items():
        setattr(row, name, value)
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
