"""Linked bookings that have different appointments although they are one, and how they are joined again.

Pages do not split an appointment: they join under a lock. A site that restored a part of its tables, or that ran a
version without the lock, may have split ones.
"""

from functools import partial

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import NullIf

from cal_bookings.mirror import (
    appointments,
    retries,
)
from cal_bookings.models import Account, Booking

#: Bookings that one query finds and one transaction joins.
AT_ONCE = 500

#: Which column of a booking may name the same uid as which column of its neighbour: one of them names the other, or
#: both name a third one, which the mirror need not have.
_LINKS = (
    ("rescheduled_from_uid", "uid"),
    ("rescheduled_to_uid", "uid"),
    ("rescheduled_from_uid", "rescheduled_from_uid"),
    ("rescheduled_from_uid", "rescheduled_to_uid"),
    ("rescheduled_to_uid", "rescheduled_from_uid"),
    ("rescheduled_to_uid", "rescheduled_to_uid"),
)


def join_split_appointments(account: Account) -> int:
    """Join the split appointments of `account`; return how many bookings were found to be in one.

    One query if there are none. Opens a transaction for each 500 bookings found; call it outside of one.
    """
    joined = after = 0
    while splits := list(_split(account, after)[:AT_ONCE]):
        after = splits[-1]
        joined += len(splits)
        retries.in_transaction(partial(_join, account, splits))
    return joined


def _join(account: Account, pks: list[int]) -> None:
    appointments.lock(account)
    appointments.join(account, list(Booking.objects.filter(pk__in=pks)))


def _split(account: Account, after: int) -> QuerySet[Booking, int]:
    """The primary keys, from `after` on, of linked bookings one of whose neighbours has another appointment."""
    linked = Q(rescheduled_from_uid__gt="") | Q(rescheduled_to_uid__gt="")
    neighbours = Q()
    for own, other in _LINKS:
        neighbours |= Q(Exists(_neighbour(own, other)))
    rows = Booking.objects.filter(linked, neighbours, account=account, pk__gt=after)
    return rows.order_by("pk").values_list("pk", flat=True)


def _neighbour(own: str, other: str) -> QuerySet[Booking]:
    """Bookings whose column `other` has the uid that the outer query's booking has in `own`."""
    named = NullIf(OuterRef(own), Value(""))
    # The sum keeps a PostgreSQL that has not analyzed a growing table from reading all bookings of the account.
    return (
        Booking.objects.alias(of_account=F("account_id") + 0)
        .filter(Q(**{other: named}), of_account=OuterRef("account_id"))
        .exclude(appointment=OuterRef("appointment"))
    )
