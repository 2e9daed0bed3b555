"""The withdrawal of actions before they are sent, and the repetition of actions that have ended."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import lazystr

from cal_bookings import db
from cal_bookings.models import Booking, BookingAction, RefusalCode
from cal_bookings.outbox import held_slots
from cal_bookings.outbox.kinds import Refused
from cal_bookings.outbox.queue import enqueue
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.refusals import status_of, understood

ENDED_UNDONE = (BookingAction.Status.FAILED, BookingAction.Status.WITHDRAWN)


def withdraw(action: BookingAction) -> BookingAction:
    """Take back an action that has not been sent; raises Refused if it is too late. Opens a transaction."""
    queued = BookingAction.objects.filter(
        pk=action.pk, status=BookingAction.Status.QUEUED
    )
    with db.atomic():
        withdrawn = queued.update(
            status=BookingAction.Status.WITHDRAWN, ended_at=timezone.now()
        )
        if withdrawn:
            held_slots.release(action)
    action.refresh_from_db()
    if not withdrawn:
        parameters = {"status": status_of(action)}
        raise Refused(
            RefusalText.TOO_LATE_TO_WITHDRAW, RefusalCode.TOO_LATE, parameters
        )
    return action


def requeue(
    action: BookingAction,
    *,
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """Enqueue a copy of an action that failed or was withdrawn, on the booking as the mirror has it now.

    If the booking was rescheduled, the new action goes to the booking that took its place. Raises Refused.
    """
    if action.status not in ENDED_UNDONE:
        parameters = {"status": status_of(action)}
        raise Refused(RefusalText.NOT_FAILED, RefusalCode.NOT_FAILED, parameters)
    kind = understood(action)
    if kind is None:
        code = RefusalCode.NEWER_RELEASE
        raise Refused(RefusalText.NEWER_RELEASE, code, {"action": lazystr(action)})
    if action.booking:
        booking = _latest(action.booking)
        return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)
    with db.atomic():
        _refuse_two_drafts(action)
        draft = kind.draft(action.account)
        return enqueue(kind, draft, requested_by=requested_by, deadline=deadline)


def _refuse_two_drafts(action: BookingAction) -> None:
    """Raise Refused if the creation of the booking is already queued again.

    Two concurrent calls wait for each other.
    """
    lane = BookingAction.objects.filter(account=action.account_id, lane=action.lane)
    list(lane.select_for_update().order_by("pk").values_list("pk"))
    other = lane.open().order_by("pk").first()
    if other:
        parameters = {"action": lazystr(other), "status": status_of(other)}
        raise Refused(RefusalText.OPEN_TWICE, RefusalCode.OPEN, parameters)


def _latest(booking: Booking) -> Booking:
    """Return the booking itself, or the last of the bookings that took its place, as far as they are mirrored."""
    known = {booking.uid}
    while booking.rescheduled_to_uid and booking.rescheduled_to_uid not in known:
        successor = Booking.objects.filter(
            account=booking.account_id, uid=booking.rescheduled_to_uid
        ).first()
        if successor is None:
            break
        booking = successor
        known.add(booking.uid)
    return booking
