"""Who could host a booking instead: those who host others of its event type, and how much they have that day."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import ngettext

from cal_bookings.admin import dates
from cal_bookings.models import Booking, Host, Status

SEEN_WITHIN = dt.timedelta(days=90)  # of today, back and ahead
DAYS = 31  # on more days than these nobody counts


@dataclass(frozen=True, slots=True)
class Candidate:
    host: Host
    bookings: int

    def __str__(self) -> str:
        told = ngettext("%d booking then", "%d bookings then", self.bookings)
        email = f" <{self.host.email}>" if self.host.email else ""
        return f"{self.host}{email}, {told % self.bookings}"


def find(bookings: Sequence[Booking]) -> list[Candidate]:
    """By name; none for bookings of several accounts, whose hosts are not the same people. Two queries."""
    accounts = {booking.account_id for booking in bookings}
    types = {booking.event_type_id for booking in bookings} - {None}
    if len(accounts) != 1 or not types:
        return []
    now = timezone.now()
    recent = Booking.objects.filter(
        event_type__in=types,
        start__gte=now - SEEN_WITHIN,
        start__lt=now + SEEN_WITHIN,
    )
    through = Booking.hosts.through.objects
    seen = through.filter(booking__in=recent.values("pk")).values("host")
    hosts = Host.objects.filter(account__in=accounts, pk__in=seen).order_by(
        "name", "pk"
    )
    found = list(hosts)
    counts = _counts(found, bookings)
    return [Candidate(host, counts.get(host.pk, 0)) for host in found]


def _counts(hosts: list[Host], bookings: Sequence[Booking]) -> dict[int, int]:
    """How many bookings each has on the days of these."""
    days = {timezone.localtime(booking.start).date() for booking in bookings}
    then = Q(pk__in=[])
    for day in sorted(days)[:DAYS]:
        then |= dates.within("booking__start", [day])
    over = [Status.CANCELLED, Status.REJECTED]
    rows = (
        Booking.hosts.through.objects.filter(then, host__in=hosts)
        .exclude(booking__status__in=over)
        .values("host")
        .annotate(n=Count("pk"))
    )
    return {row["host"]: row["n"] for row in rows}
