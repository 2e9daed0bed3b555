"""The event types from their own list, with title, length and all other data that bookings do not carry."""

from datetime import datetime
from operator import attrgetter
from typing import Any

from cal_bookings.mirror import children, columns, parts
from cal_bookings.mirror.outcome import Failure, Outcome
from cal_bookings.mirror.payloads import TooDeep, canonical, storable
from cal_bookings.models import Account, EventType

COLUMNS = ("slug", "title", "length_minutes", "payload")


def upsert_event_types(
    account: Account, payloads: list[dict[str, Any]], *, asked_at: datetime
) -> Outcome:
    """Mirror the list from a request that was sent at `asked_at` (aware), and return the outcome.

    Opens a transaction. Event types that the list does not show stay, because bookings refer to them. A list does not
    replace what a later request has shown. Event types that the database refuses are in `Outcome.failures`, with their
    place in the list and without a uid; the others are mirrored.
    """
    placed: dict[int, dict[str, Any]] = {}
    too_deep: list[Failure] = []
    for place, payload in enumerate(payloads):
        if not isinstance(payload.get("id"), int):
            continue
        try:
            placed[place] = storable(payload, canonical(payload))
        except TooDeep as error:
            too_deep.append(Failure(place, "", str(error)))

    def write(write_all: parts.WriteAll[int]) -> Outcome:
        outcome = Outcome(seen=len(payloads), failures=list(too_deep))
        refused = write_all(
            lambda places: _write(
                account, [placed[place] for place in places], asked_at, outcome
            )
        )
        outcome.failures += [
            Failure(place, "", parts.message(error)) for place, error in refused
        ]
        return outcome

    return parts.in_transaction(list(placed), write)


def _write(
    account: Account,
    payloads: list[dict[str, Any]],
    asked_at: datetime,
    outcome: Outcome,
) -> None:
    listed = {payload["id"]: _values(payload) for payload in payloads}
    rows = EventType.objects.select_for_update().filter(
        account=account, remote_id__in=listed
    )
    known = {row.remote_id: row for row in rows.order_by("pk")}
    new = [
        EventType(account=account, remote_id=remote_id, mirrored_at=asked_at, **values)
        for remote_id, values in listed.items()
        if remote_id not in known
    ]
    changed = [
        row for row in known.values() if _take(row, listed[row.remote_id], asked_at)
    ]
    EventType.objects.bulk_create(sorted(new, key=attrgetter("remote_id")))
    children.write_updates(changed, (*COLUMNS, "mirrored_at"))
    outcome.created += len(new)
    outcome.updated += len(changed)


def _take(row: EventType, values: dict[str, Any], asked_at: datetime) -> bool:
    """Return whether to write the row. A row without a payload was made for a booking, and any list knows more."""
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
