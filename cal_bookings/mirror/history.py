"""The signals about written bookings, sent after commit."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.dispatch import Signal

from cal_bookings import conf, db, signals
from cal_bookings.mirror.appointments import Reschedule
from cal_bookings.mirror.changes import Write
from cal_bookings.models import Account, Booking, BookingChange


def send_on_commit(
    account: Account,
    source: BookingChange.Source,
    writes: list[Write],
    reschedules: list[Reschedule],
    trigger: str = "",
) -> None:
    """Send the signals of a page after its transaction; build nothing for a signal that has no receiver."""
    origin = {"source": source, "trigger": trigger}
    if signals.booking_changed.has_listeners(Booking):
        db.after_commit(partial(_send_changes, origin, writes))
    new = [write.row for write in writes if write.is_new]
    if new and signals.booking_created.has_listeners(Booking):
        db.after_commit(partial(_send_new, account, origin, new))
    if reschedules and signals.booking_rescheduled.has_listeners(Booking):
        db.after_commit(partial(_send_reschedules, account, origin, reschedules))


def _send_changes(origin: dict[str, Any], writes: Iterable[Write]) -> None:
    for write in writes:
        if write.changes and not write.is_new:
            signals.booking_changed.send_robust(
                Booking, booking=write.row, changes=write.changes, **origin
            )


def _send_new(account: Account, origin: dict[str, Any], rows: list[Booking]) -> None:
    _read_beginning(account)
    for row in rows:
        _announce(signals.booking_created, account, row, booking=row, **origin)


def _send_reschedules(
    account: Account, origin: dict[str, Any], reschedules: list[Reschedule]
) -> None:
    _read_beginning(account)
    uids = {uid for pair in reschedules for uid in (pair.old_uid, pair.new_uid)}
    rows = {
        row.uid: row for row in Booking.objects.filter(account=account, uid__in=uids)
    }
    for pair in reschedules:
        if pair.old_uid in rows and pair.new_uid in rows:
            old, new = rows[pair.old_uid], rows[pair.new_uid]
            signal = signals.booking_rescheduled
            _announce(signal, account, new, old=old, new=new, **origin)


def _read_beginning(account: Account) -> None:
    """Read the beginning again: another process may have begun or completed the mirror since `account` was read."""
    if account.fully_mirrored_at is None:
        account.refresh_from_db(fields=["mirror_began_at", "fully_mirrored_at"])


def _announce(
    signal: Signal, account: Account, new: Booking, /, **arguments: Any
) -> None:
    """Send `signal` about `new`, unless it was on Cal.com before the mirror began and the site wants only news."""
    first_mirror = account.has_as_history(new.remote_created_at)
    if first_mirror and not conf.get("ANNOUNCE_FIRST_MIRROR"):
        return
    signal.send_robust(Booking, first_mirror=first_mirror, **arguments)
