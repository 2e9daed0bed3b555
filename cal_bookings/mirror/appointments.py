"""One stable id for a meeting through all its reschedules, each of which is another booking on Cal.com.

Bookings arrive in any order, and a link may be named by one side only (occurrences of a series never name the booking
that replaced them [rec 262]). So links are followed both ways, also through a booking that has not arrived yet.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from cal_bookings.models import Account, AppointmentLock, Booking


@dataclass(frozen=True, slots=True)
class Reschedule:
    """A pair of bookings of which the second replaced the first; it is reported when the later of them arrives."""

    old_uid: str
    new_uid: str


def lock(account: Account) -> None:
    """Keep other transactions from joining appointments of `account` until the current one ends.

    Take the lock before any booking is locked: a transaction that waits for it then holds nothing that its owner may
    need. Needs a transaction; executes one statement, and three more the first time. Has no effect on SQLite, which has
    one writer at a time.
    """
    rows = AppointmentLock.objects.select_for_update().filter(account=account)
    if not list(rows):
        AppointmentLock.objects.bulk_create(
            [AppointmentLock(account=account)], ignore_conflicts=True
        )
        list(rows.all())


def join(account: Account, rows: list[Booking]) -> list[Reschedule]:
    """Give linked bookings the same appointment: that of the booking that the mirror has known longest.

    `rows` (saved or not) get it assigned; other rows whose appointment proves to be the same are updated here.
    Needs a transaction that holds the `lock`. Returns the reschedules that `rows` complete.
    """
    if not rows:
        return []
    known = _neighbours(account, rows)
    known.update({row.uid: row for row in rows})
    for chain in _chains(known.values()):
        _agree(account, chain)
    return _reschedules(rows, known)


def _neighbours(account: Account, rows: list[Booking]) -> dict[str, Booking]:
    """Return the bookings that are linked with `rows`, directly or by a uid that both name, by uid."""
    uids = {uid for row in rows for uid in _named(row)}
    match = Q(rescheduled_from_uid__in=uids) | Q(rescheduled_to_uid__in=uids)
    if others := uids.difference(row.uid for row in rows):
        match |= Q(uid__in=others)
    linked = Booking.objects.filter(match).only(
        "account_id", "uid", "appointment", "rescheduled_from_uid", "rescheduled_to_uid"
    )
    return {row.uid: row for row in linked if row.account_id == account.pk}


def _named(row: Booking) -> Iterable[str]:
    return filter(None, (row.uid, row.rescheduled_from_uid, row.rescheduled_to_uid))


def _chains(rows: Iterable[Booking]) -> list[list[Booking]]:
    """Return the groups of bookings that name each other, or a common third booking."""
    parent: dict[str, str] = {}

    def root(uid: str) -> str:
        while (above := parent.setdefault(uid, uid)) != uid:
            parent[uid] = uid = parent[above]
        return uid

    rows = list(rows)
    for row in rows:
        for uid in _named(row):
            parent[root(uid)] = root(row.uid)
    groups = defaultdict(list)
    for row in rows:
        groups[root(row.uid)].append(row)
    return [group for group in groups.values() if len(group) > 1]


def _agree(account: Account, chain: list[Booking]) -> None:
    saved = [row for row in chain if row.pk]
    winner = (
        min(saved, key=lambda row: row.pk).appointment
        if saved
        else chain[0].appointment
    )
    others: set[UUID] = {row.appointment for row in saved} - {winner}
    if others:
        Booking.objects.filter(account=account, appointment__in=others).update(
            appointment=winner
        )
    for row in chain:
        row.appointment = winner


def _reschedules(rows: list[Booking], known: dict[str, Booking]) -> list[Reschedule]:
    pairs = set()
    arrived = {row.uid for row in rows if row._state.adding}
    for row in known.values():
        if row.rescheduled_from_uid in known:
            pairs.add((row.rescheduled_from_uid, row.uid))
        if row.rescheduled_to_uid in known:
            pairs.add((row.uid, row.rescheduled_to_uid))
    return [Reschedule(*pair) for pair in sorted(pairs) if not arrived.isdisjoint(pair)]
