"""The deletion of old records. Bookings are kept for ever, however old they are.

A mirror exists to keep old bookings, and the next full walk would restore every booking that Cal.com still lists.
Only bookings that are gone from Cal.com are deleted, and only on request.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from cal_bookings import conf, db
from cal_bookings.models import (
    Booking,
    BookingAction,
    BookingChange,
    RateWindow,
    SlotReservation,
    SyncRun,
    WebhookDelivery,
)

#: The most rows that a statement deletes, so that no lock is held for long.
BATCH = 1000

#: The age after which an unused budget is deleted: its credential has changed.
_UNUSED = timedelta(days=1)


def prune(
    *,
    keep_days: Mapping[str, float | None] | None = None,
    missing_bookings_days: float | None = None,
    dry_run: bool = False,
) -> dict[str, int]:
    """Delete the records older than ``CAL_BOOKINGS["KEEP_DAYS"]``, and return the number of rows of each kind.

    `keep_days` overrides single ages; None keeps that kind for ever. `missing_bookings_days` also deletes the bookings
    that have been gone from Cal.com for that many days, with the rows that depend on them. With `dry_run` nothing is
    deleted. Each batch is a transaction of its own; the call may be interrupted and repeated. Rows that depend on
    others are not counted.
    """
    ages = conf.keep_days() | dict(keep_days or {})
    old = _old(ages, missing_bookings_days)
    return {kind: rows.count() if dry_run else _delete(rows) for kind, rows in old}


def _old(
    ages: Mapping[str, float | None], missing_bookings_days: float | None
) -> Iterator[tuple[str, QuerySet[Any]]]:
    now = timezone.now()
    kinds: dict[str, tuple[QuerySet[Any], str]] = {
        "runs": (SyncRun.objects.all(), "started_at"),
        "history": (BookingChange.objects.all(), "changed_at"),
        # An open action has not ended, however old it is.
        "actions": (BookingAction.objects.all(), "ended_at"),
        "reservations": (SlotReservation.objects.all(), "ended_at"),
        # A delivery that is not processed yet stays, however old it is.
        "deliveries": (WebhookDelivery.objects.all(), "processed_at"),
    }
    # Reservations belong to the actions that book them.
    ages = dict(ages) | {"reservations": ages["actions"]}
    for kind, (rows, column) in kinds.items():
        days = ages[kind]
        if days is not None:
            yield kind, rows.filter(**{f"{column}__lt": now - timedelta(days=days)})
    if missing_bookings_days is not None:
        gone = now - timedelta(days=missing_bookings_days)
        in_work = BookingAction.objects.open().filter(booking=OuterRef("pk"))
        missing = Booking.objects.filter(~Exists(in_work), missing_since__lt=gone)
        yield "missing_bookings", missing
    unused = Q(ends_at=None) | Q(ends_at__lt=now - _UNUSED)
    yield "budgets", RateWindow.objects.filter(unused)


def _delete(rows: QuerySet[Any]) -> int:
    deleted, left = 0, rows.order_by("pk").values_list("pk", flat=True)
    batch = list(left[:BATCH])
    while batch:
        deleted += _delete_batch(rows, batch)
        # Each batch begins after the last key, so that kept rows are not read again.
        batch = list(left.filter(pk__gt=batch[-1])[:BATCH])
    return deleted


def _delete_batch(rows: QuerySet[Any], batch: list[Any]) -> int:
    """Delete the rows of `batch` that are still among `rows` once they are locked; return their number.

    Another worker may have restored a booking meanwhile, or enqueued an action for it, and holds the booking's lock
    while it does. A second statement therefore reads the rows again: the statement that waits for the lock does not
    see the action. The locks are taken in the order of the primary keys, as the walks take theirs.
    """
    model: type[Model] = rows.model
    with db.atomic():
        locked = model._default_manager.filter(pk__in=batch).select_for_update()
        list(locked.order_by("pk").values_list("pk"))
        _, counts = rows.filter(pk__in=batch).delete()
    return counts.get(model._meta.label, 0)
