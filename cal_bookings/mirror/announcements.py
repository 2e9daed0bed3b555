"""Tells the site what was written, after commit."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from cal_bookings import db, signals
from cal_bookings.mirror.appointments import Reschedule
from cal_bookings.models import Account, Booking, BookingChange

if TYPE_CHECKING:
    from cal_bookings.mirror.page import Write


def send_on_commit(
    account: Account,
    source: BookingChange.Source,
    writes: list["Write"],
    reschedules: list[Reschedule],
) -> None:
    """Signals for all of a page; builds nothing for a signal that nobody listens to."""
    db.after_commit(partial(_send, source, writes))
    if reschedules and signals.booking_rescheduled.has_listeners(Booking):
        db.after_commit(partial(_send_reschedules, account, source, reschedules))


def _send(source: BookingChange.Source, writes: Iterable["Write"]) -> None:
    for write in writes:
        if write.is_new:
            signals.booking_created.send_robust(
                Booking, booking=write.row, source=source
            )
        elif write.changes:
            signals.booking_changed.send_robust(
                Booking, booking=write.row, changes=write.changes, source=source
            )


def _send_reschedules(
    account: Account, source: BookingChange.Source, reschedules: list[Reschedule]
) -> None:
    uids = {uid for pair in reschedules for uid in (pair.old_uid, pair.new_uid)}
    rows = {
        row.uid: row for row in Booking.objects.filter(account=account, uid__in=uids)
    }
    for pair in reschedules:
        if pair.old_uid in rows and pair.new_uid in rows:
            old, new = rows[pair.old_uid], rows[pair.new_uid]
            signals.booking_rescheduled.send_robust(
                Booking, old=old, new=new, source=source
            )
