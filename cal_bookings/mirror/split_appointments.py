"""The repair of linked bookings that have different appointments although they belong to the same appointment.

Pages do not split an appointment: they join under a lock. A site that restored a part of its tables, or that ran a
version without the lock, may have split appointments.
"""

from functools import partial

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import NullIf

from cal_bookings.mirror import (
    appointments,
    retries,
)
from cal_bookings.models import Account, Booking

#: The number of bookings that one query finds and one transaction joins.
AT_ONCE = 500

#: The pairs of columns by which two bookings are neighbours: one of them names the other, or both name a third booking,
#: which the mirror need not have.
_LINKS = (
    ("rescheduled_from_uid", "uid"),
    ("rescheduled_to_uid", "uid"),
    ("rescheduled_from_uid", "rescheduled_from_uid"),
    ("rescheduled_from_uid", "rescheduled_to_uid"),
    ("rescheduled_to_uid", "rescheduled_from_uid"),
    ("rescheduled_to_uid", "rescheduled_to_uid"),
)


def join_split_appointments(account: Account) -> int:
    """Join the split appointments of `account`; return the number of bookings found to be in a split appointment.

    The function makes one query if there are none. It opens a transaction for each 500 bookings found; call it outside
    of a transaction.
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
    """Return the primary keys, from `after` on, of linked bookings with a neighbour in another appointment."""
    linked = Q(rescheduled_from_uid__gt="") | Q(rescheduled_to_uid__gt="")
    neighbours = Q()
    for own, other in _LINKS:
        neighbours |= Q(Exists(_neighbour(own, other)))
    rows = Booking.objects.filter(linked, neighbours, account=account, pk__gt=after)
    return rows.order_by("pk").values_list("pk", flat=True)


def _neighbour(own: str, other: str) -> QuerySet[Booking]:
    """Return the bookings whose column `other` has the uid that the outer query's booking has in `own`."""
    named = NullIf(OuterRef(own), Value(""))
    # The sum keeps a PostgreSQL that has not analyzed a growing table from reading all bookings of the account.
    return (
        Booking.objects.alias(of_account=F("account_id") + 0)
        .filter(Q(**{other: named}), of_account=OuterRef("account_id"))
        .exclude(appointment=OuterRef("appointment"))
    )
