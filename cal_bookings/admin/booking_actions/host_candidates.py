"""The candidates to host a booking: hosts of its event type and of its team, with their bookings on that day.

The mirror alone supplies them: hosts of mirrored bookings, and hosts that mirrored event types name.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import ngettext

from cal_bookings.admin import dates
from cal_bookings.admin.booking_actions import event_type_hosts
from cal_bookings.admin.booking_actions.event_type_hosts import (
    Named,
    Roster,
)
from cal_bookings.models import Account, Booking, EventType, Host

SEEN_WITHIN = dt.timedelta(days=90)  # of today, back and ahead
DAYS = 31  # the most days on which bookings are counted


@dataclass(frozen=True, slots=True)
class Candidate:
    #: The host; an unsaved row without an e-mail address if no mirrored booking shows this host.
    host: Host
    bookings: int
    #: False for a host of the event type's team only.
    is_of_event_type: bool

    @property
    def key(self) -> str:
        """The candidate's key in a form."""
        return str(self.host.pk) if self.host.pk else f"cal-{self.host.remote_id}"

    def label(self, *, with_address: bool) -> str:
        """Return the candidate's text in a list of choices."""
        host = self.host
        name = host.name or (host.email if with_address else "") or f"#{host.remote_id}"
        address = f" <{host.email}>" if host.email and with_address else ""
        count = ngettext("%d booking then", "%d bookings then", self.bookings)
        return f"{name}{address}, {count % self.bookings}"


def find(bookings: Sequence[Booking]) -> list[Candidate]:
    """Return the candidates, those of the event types first, then by name. Makes six queries.

    Bookings of several accounts have no candidates, because their hosts are different people.
    """
    accounts = {booking.account_id for booking in bookings}
    types = {
        booking.event_type_id
        for booking in bookings
        if booking.event_type_id is not None
    }
    if len(accounts) != 1 or not types:
        return []
    account = Account.objects.without_credentials().get(pk__in=accounts)
    own = list(EventType.objects.filter(pk__in=types))
    own_rosters = [event_type_hosts.read(event_type.payload) for event_type in own]
    team = _of_the_same_team(account, own, own_rosters)
    team_rosters = [event_type_hosts.read(event_type.payload) for event_type in team]
    fixed = {remote_id for roster in own_rosters for remote_id in roster.fixed}
    at_home = _hosts(account, own, own_rosters, fixed)
    known = {host.remote_id for host in at_home}
    others = _hosts(account, team, team_rosters, fixed | known) if team else []
    counts = _counts([host for host in [*at_home, *others] if host.pk], bookings)
    return [
        *_candidates(at_home, counts, is_of_event_type=True),
        *_candidates(others, counts, is_of_event_type=False),
    ]


def _of_the_same_team(
    account: Account, own: Sequence[EventType], own_rosters: Sequence[Roster]
) -> list[EventType]:
    """Return the other event types of the teams: all if the account mirrors one team, else as their payloads say."""
    others = EventType.objects.filter(account=account).exclude(
        pk__in=[event_type.pk for event_type in own]
    )
    if account.scope.get("team") is not None:
        return list(others)
    teams = {roster.team for roster in own_rosters} - {None}
    if not teams:
        return []
    same = Q()
    for team in teams:
        same |= Q(payload__teamId=team)
    return list(others.filter(same))


def _hosts(
    account: Account,
    types: Sequence[EventType],
    named_by: Sequence[Roster],
    without: Collection[int],
) -> list[Host]:
    """Return, by name, the hosts of bookings of these event types, and the hosts that the event types name."""
    now = timezone.now()
    recent = Booking.objects.filter(
        event_type__in=types,
        start__gte=now - SEEN_WITHIN,
        start__lt=now + SEEN_WITHIN,
    )
    through = Booking.hosts.through.objects
    seen = through.filter(booking__in=recent.values("pk")).values("host")
    named = {key: user for roster in named_by for key, user in roster.hosts.items()}
    wanted = Q(pk__in=seen) | Q(remote_id__in=named)
    rows = Host.objects.filter(wanted, account=account).exclude(remote_id__in=without)
    found = list(rows)
    missing = named.keys() - {host.remote_id for host in found} - set(without)
    found += [_unseen(account, named[remote_id]) for remote_id in missing]
    return sorted(found, key=lambda host: (host.name, host.remote_id))


def _unseen(account: Account, user: Named) -> Host:
    return Host(
        account=account,
        remote_id=user.remote_id,
        name=user.name or user.username,
        username=user.username,
    )


def _candidates(
    hosts: Sequence[Host], counts: dict[int, int], *, is_of_event_type: bool
) -> Iterator[Candidate]:
    for host in hosts:
        yield Candidate(host, counts.get(host.pk, 0), is_of_event_type)


def _counts(hosts: list[Host], bookings: Sequence[Booking]) -> dict[int, int]:
    """Return the number of bookings of each host on the days of `bookings`."""
    days = {timezone.localtime(booking.start).date() for booking in bookings}
    then = Q(pk__in=[])
    for day in sorted(days)[:DAYS]:
        then |= dates.within("booking__start", [day])
    rows = (
        Booking.hosts.through.objects.filter(then, host__in=hosts)
        .exclude(booking__status__in=Booking.NOT_TAKING_PLACE)
        .values("host")
        .annotate(n=Count("pk"))
    )
    return {row["host"]: row["n"] for row in rows}
