"""The alarm for silent webhooks: changes that a walk found, and that no delivery announced."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from cal_bookings.models import (
    Account,
    Booking,
    BookingChange,
    Status,
    WebhookDelivery,
    WebhookReceiver,
)

#: How far back to look.
PERIOD = timedelta(days=1)
#: A delivery may come this much later than the walk: hosted Cal.com repeats it for some minutes.
_GRACE = timedelta(minutes=5)
#: A delivery may have come this much earlier than the walk.
_EARLIER = timedelta(days=1)
#: Changes that are looked at; more of them say nothing else.
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Unannounced:
    """Changes of one account that one trigger should have announced."""

    account_id: int
    trigger: str
    count: int
    latest_at: datetime


@dataclass(frozen=True, slots=True)
class _Change:
    account_id: int
    uid: str
    series: str
    trigger: str
    found_at: datetime


def unannounced(
    accounts: Iterable[Account], *, since: datetime | None = None
) -> list[Unannounced]:
    """Return what walks of the last day found and no delivery announced, by account and trigger. At most six queries.

    Counts new bookings and changes of status. Looks at accounts whose webhooks are known to exist, from then on, or from
    `since` if that is later. What a walk found less than five minutes ago may still be announced, and is left out.
    """
    expected = _expected(accounts, since)
    changes = [
        one for one in _changes(expected) if one.found_at > expected[one.account_id]
    ]
    announced = _announced(changes)
    silent: dict[tuple[int, str], list[datetime]] = defaultdict(list)
    for one in changes:
        if not {(one.account_id, one.uid), (one.account_id, one.series)} & announced:
            silent[one.account_id, one.trigger].append(one.found_at)
    return [
        Unannounced(account_id, trigger, len(moments), max(moments))
        for (account_id, trigger), moments in sorted(silent.items())
    ]


def _expected(
    accounts: Iterable[Account], since: datetime | None
) -> dict[int, datetime]:
    """Return the time from which deliveries are expected to announce each account's changes."""
    ids = [account.pk for account in accounts]
    receivers = WebhookReceiver.objects.filter(
        account__in=ids, expected_since__isnull=False
    )
    begin = max(filter(None, (since, timezone.now() - PERIOD)))
    return {
        account_id: max(begin, expected)
        for account_id, expected in receivers.values_list("account", "expected_since")
        if expected
    }


def _changes(expected: dict[int, datetime]) -> Iterator[_Change]:
    if not expected:
        return
    moments = {"gte": min(expected.values()), "lte": timezone.now() - _GRACE}
    changed = BookingChange.objects.filter(
        booking__account__in=expected,
        source=BookingChange.Source.WALK,
        changed_at__gte=moments["gte"],
        changed_at__lte=moments["lte"],
    ).select_related("booking")
    for row in changed.order_by("-changed_at")[:_MOST]:
        trigger = _trigger_of_change(row)
        if trigger:
            yield _change(row.booking, trigger, row.changed_at)
    new = Booking.objects.filter(
        account__in=expected,
        first_seen_at__gte=moments["gte"],
        first_seen_at__lte=moments["lte"],
        remote_created_at__gte=moments["gte"],
    )
    for booking in new.order_by("-first_seen_at")[:_MOST]:
        yield _change(booking, _trigger_of_new(booking), booking.first_seen_at)


def _change(booking: Booking, trigger: str, found_at: datetime) -> _Change:
    series = booking.recurring_booking_uid or booking.uid
    return _Change(booking.account_id, booking.uid, series, trigger, found_at)


def _trigger_of_change(change: BookingChange) -> str:
    """Return the trigger that announces a change of status; empty for other changes: Cal.com announces only some."""
    status = (change.changes.get("status") or [None, None])[-1]
    if status == Status.CANCELLED:
        moved = change.booking.rescheduled_to_uid
        return "BOOKING_RESCHEDULED" if moved else "BOOKING_CANCELLED"
    by_status = {
        Status.REJECTED: "BOOKING_REJECTED",
        Status.ACCEPTED: "BOOKING_CREATED",
    }
    return by_status.get(status, "")


def _trigger_of_new(booking: Booking) -> str:
    if booking.status == Status.PENDING:
        return "BOOKING_REQUESTED"
    return "BOOKING_RESCHEDULED" if booking.rescheduled_from_uid else "BOOKING_CREATED"


def _announced(changes: list[_Change]) -> set[tuple[int, str]]:
    """Return the bookings and series of these changes that a delivery named: one delivery announces a whole series."""
    if not changes:
        return set()
    uids = {one.uid for one in changes}
    begin = min(one.found_at for one in changes) - _EARLIER
    deliveries = WebhookDelivery.objects.filter(
        account__in={one.account_id for one in changes}, received_at__gte=begin
    )
    series = {one.series for one in changes} - uids
    named = set(
        deliveries.filter(Q(uid__in=uids) | Q(old_uid__in=uids)).values_list(
            "account", "uid", "old_uid"
        )
    )
    found = {(account, uid) for account, *both in named for uid in both if uid}
    return found | _announced_series(deliveries, series)


def _announced_series(
    deliveries: QuerySet[WebhookDelivery], series: set[str]
) -> set[tuple[int, str]]:
    if not series:
        return set()
    bookings = Booking.objects.filter(recurring_booking_uid__in=series)
    of_uid = {
        (account, uid): each
        for account, uid, each in bookings.values_list(
            "account", "uid", "recurring_booking_uid"
        )
    }
    named = deliveries.filter(uid__in={uid for _account, uid in of_uid})
    return {
        (account, of_uid[account, uid])
        for account, uid in named.values_list("account", "uid")
        if (account, uid) in of_uid
    }
