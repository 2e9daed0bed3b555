"""What is kept for how long: records grow old, bookings do not.

Old bookings are what a mirror is for, and a full walk would bring those that Cal.com still lists back the next night.
Only bookings that are gone from Cal.com can be asked to go.
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

#: The rows that one statement deletes: no lock is held for long.
BATCH = 1000

#: A budget that nobody used for this long: the credential has changed.
_UNUSED = timedelta(days=1)


def prune(
    *,
    keep_days: Mapping[str, float | None] | None = None,
    missing_bookings_days: float | None = None,
    dry_run: bool = False,
) -> dict[str, int]:
    """Delete what is older than ``CAL_BOOKINGS["KEEP_DAYS"]``, and return how many rows of each kind.

    `keep_days` overrides single ages; None keeps that kind for ever. With `missing_bookings_days` bookings go that have
    been gone from Cal.com for this long, with all that hangs on them. With `dry_run` nothing is deleted. Deletes in
    batches, each its own transaction; may be interrupted and repeated. Rows that depend on others are not counted.
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
        # One that is open has not ended, however old it is.
        "actions": (BookingAction.objects.all(), "ended_at"),
        "reservations": (SlotReservation.objects.all(), "ended_at"),
        # One that is not processed yet stays, however old it is.
        "deliveries": (WebhookDelivery.objects.all(), "processed_at"),
    }
    # They belong to the actions that book them.
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
        # After the last key, so that what was kept is not met again.
        batch = list(left.filter(pk__gt=batch[-1])[:BATCH])
    return deleted


def _delete_batch(rows: QuerySet[Any], batch: list[Any]) -> int:
    """Delete those of these primary keys that still are among `rows` when they are locked; return how many.

    Another worker may have brought a booking back meanwhile, or put an action for it into the outbox. It holds the
    lock of the booking while it does, so we ask again with a statement of its own: the one that waits for the lock
    does not see the action. The locks are taken by primary key, in its order, as the walks take theirs.
    """
    model: type[Model] = rows.model
    with db.atomic():
        locked = model._default_manager.filter(pk__in=batch).select_for_update()
        list(locked.order_by("pk").values_list("pk"))
        _, counts = rows.filter(pk__in=batch).delete()
    return counts.get(model._meta.label, 0)
