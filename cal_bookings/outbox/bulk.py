"""Many actions at once: what can be done to each booking, and all that can in a few statements.

The statements do not grow with the number of bookings, apart from the rows of the one insert.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from cal_bookings import db, signals
from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds import Kind, Refused
from cal_bookings.outbox.parameters import check_parameters
from cal_bookings.outbox.queue import (
    lane_of,
    new_action,
    refuse_contradiction,
    refuse_deleted,
    refuse_inactive,
    understood,
)

#: What is open on a booking or its series, by account and lane.
Open = dict[tuple[int, str], list[tuple[Kind | None, Booking | None, BookingAction]]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one wish: the action, not saved for `examine`; or why there is none."""

    booking: Booking
    action: BookingAction | None = None
    refusal: Refused | None = None


def examine(
    wishes: Sequence[tuple[Kind, Booking]], *, requested_by: Any = None
) -> list[Verdict]:
    """What `enqueue_many` would do with these kinds and saved bookings, in their order. Writes nothing."""
    bookings = _current(wishes)
    return _verdicts(wishes, bookings, requested_by)


def enqueue_many(
    wishes: Sequence[tuple[Kind, Booking]], *, requested_by: Any = None
) -> list[Verdict]:
    """Puts those that can be done into the outbox, in the caller's transaction; the others are told why not.

    The bookings are what the person saw, read with their `payload_hash`: one that the mirror has otherwise by now is
    refused. Makes no request. Locks the bookings and their series as `enqueue` does.
    """
    with db.atomic():
        _lock(wishes)
        verdicts = _verdicts(wishes, _current(wishes), requested_by)
        actions = [verdict.action for verdict in verdicts if verdict.action]
        BookingAction.objects.bulk_create(actions)
        for action in actions:
            signals.send_after_commit(
                signals.action_enqueued, BookingAction, action=action
            )
    return verdicts


def _lock(wishes: Sequence[tuple[Kind, Booking]]) -> None:
    """In the order of primary keys, so that two who do this at once wait and do not deadlock."""
    alone = Q(pk__in=[booking.pk for _kind, booking in wishes])
    series = {booking.recurring_booking_uid for _kind, booking in wishes} - {""}
    accounts = {booking.account_id for _kind, booking in wishes}
    of_series = Q(account__in=accounts, recurring_booking_uid__in=series)
    rows = Booking.objects.select_for_update().order_by("pk")
    list(rows.filter(alone | of_series).values_list("pk"))


def _current(wishes: Sequence[tuple[Kind, Booking]]) -> dict[int, Booking]:
    rows = Booking.objects.select_related("account", "event_type")
    wanted = rows.filter(pk__in=[booking.pk for _kind, booking in wishes])
    return {booking.pk: booking for booking in wanted.defer("account__credentials")}


def _verdicts(
    wishes: Sequence[tuple[Kind, Booking]],
    bookings: dict[int, Booking],
    requested_by: Any,
) -> list[Verdict]:
    now = timezone.now()
    unfinished = _open_actions(list(bookings.values()))
    verdicts = []
    for kind, booking in wishes:
        current = bookings.get(booking.pk or 0, booking)
        try:
            if current.pk not in bookings:
                refuse_deleted()
            _refuse_changed(booking, current)
            action = _judge(kind, current, unfinished, now, requested_by)
        except Refused as refusal:
            verdicts.append(Verdict(current, refusal=refusal))
        else:
            verdicts.append(Verdict(current, action=action))
    return verdicts


def _refuse_changed(seen: Booking, current: Booking) -> None:
    if seen.payload_hash != current.payload_hash:
        raise Refused(
            "This booking changed since you looked at it: look again, and decide anew.",
            "changed",
        )


def _judge(
    kind: Kind, booking: Booking, unfinished: Open, now: datetime, requested_by: Any
) -> BookingAction:
    refuse_inactive(booking.account)
    check_parameters(kind)
    kind.check(booking, now)
    key = booking.account_id, lane_of(booking)
    for earlier, its_booking, action in unfinished[key]:
        refuse_contradiction(kind, booking, earlier, its_booking, action)
    action = new_action(kind, booking, now, requested_by=requested_by)
    # Two wishes of one batch must not contradict each other either.
    unfinished[key].append((kind, booking, action))
    return action


def _open_actions(bookings: list[Booking]) -> Open:
    found: Open = defaultdict(list)
    rows = BookingAction.objects.open().filter(
        account__in={booking.account_id for booking in bookings},
        lane__in={lane_of(booking) for booking in bookings},
    )
    for row in rows.select_related("booking"):
        found[row.account_id, row.lane].append((understood(row), row.booking, row))
    return found
