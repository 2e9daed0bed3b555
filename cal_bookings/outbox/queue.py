"""Into the outbox, and out of it again before it is sent."""

from datetime import datetime
from typing import Any, NoReturn

from django.db.models import Exists, OuterRef
from django.utils import timezone

from cal_bookings import db, signals
from cal_bookings.client import parse_booking
from cal_bookings.models import Account, Booking, BookingAction
from cal_bookings.outbox import kinds
from cal_bookings.outbox.kinds import Kind, Refused
from cal_bookings.outbox.parameters import check_parameters
from cal_bookings.outbox.snapshots import facts


def enqueue(
    kind: Kind,
    booking: Booking,
    *,
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """Puts an action into the outbox, in the caller's transaction: it is there if and only if that commits.

    `booking` is what the person saw; an unsaved one is to be created. After `deadline` (aware; by default when the
    action becomes pointless) it is no longer sent. Raises Refused with the cure, and makes no request.
    """
    now = timezone.now()
    with db.atomic():
        current = _locked(kind, booking)
        if not _is_active(current):
            refuse_inactive(current.account)
        check_parameters(kind)
        kind.check(current, now)
        if booking.pk:
            _refuse_contradictions(kind, current)
        action = new_action(kind, current, now, requested_by=requested_by, seen=booking)
        action.deadline = _deadline(deadline, now) or action.deadline
        action.save()
        signals.send_after_commit(signals.action_enqueued, BookingAction, action=action)
    return action


def refuse_inactive(account: Account) -> None:
    """Raises Refused for an account whose actions would wait until somebody activates it."""
    if not account.is_active:
        raise Refused(
            f'The account "{account}" is not active, so nothing is sent to Cal.com: activate it first.',
            "inactive",
        )


def refuse_deleted() -> NoReturn:
    """Raise Refused for a booking whose row somebody deleted."""
    raise Refused(
        "This booking is no longer in the mirror: somebody deleted it. Look it up again.",
        "deleted",
    )


def lane_of(booking: Booking) -> str:
    """What goes one after another: the actions on a booking, or on all of its series."""
    return booking.recurring_booking_uid or booking.uid


def new_action(
    kind: Kind,
    booking: Booking,
    now: datetime,
    *,
    requested_by: Any,
    seen: Booking | None = None,
) -> BookingAction:
    """The row, not saved; it keeps what the booking looked like to the person, who may have `seen` an earlier version."""
    saved = booking.pk is not None
    looked_at = seen or booking
    return BookingAction(
        account_id=booking.account_id,
        booking=booking if saved else None,
        kind=kind.name,
        parameters=kind.parameters,
        requested_by=requested_by,
        seen=facts(parse_booking(looked_at.payload)) if saved else {},
        lane=lane_of(booking),
        enqueued_at=now,
        next_attempt_at=now,
        deadline=kind.deadline(booking, now),
    )


def refuse_contradiction(
    kind: Kind,
    booking: Booking,
    earlier: Kind | None,
    its_booking: Booking | None,
    action: BookingAction,
) -> None:
    """Raises Refused if the earlier open `action` changes what this one relies on, or changes as well.

    The two were not thought together. `earlier` is None for an action that a newer release wrote, and that may change
    anything. An `action` without a primary key is another one of the same request.
    """
    if earlier is None:
        raise Refused(
            f"{action} is still open on this booking, and a newer release wrote it: wait until it has ended, or update "
            "this one.",
            "open",
        )
    of_both = action.booking_id == booking.pk or kind.of_series(booking)
    if its_booking and earlier.of_series(its_booking):
        of_both = True
    if not of_both or not earlier.changes() & (kind.changes() | kind.relies_on()):
        return
    if action.pk is None:
        raise Refused(
            "The same request holds another action on this booking, or on its series, and the two exclude each other: "
            "choose one of them.",
            "open",
        )
    raise Refused(
        f"{action} is still open on this booking ({action.get_status_display()}): wait until it has ended, "
        "or withdraw it.",
        "open",
    )


def withdraw(action: BookingAction) -> BookingAction:
    """Takes back what has not been sent; raises Refused if it is too late. Needs no transaction."""
    withdrawn = BookingAction.objects.filter(
        pk=action.pk, status=BookingAction.Status.QUEUED
    ).update(status=BookingAction.Status.WITHDRAWN, ended_at=timezone.now())
    action.refresh_from_db()
    if not withdrawn:
        raise Refused(
            f"It is too late to withdraw this: it is {action.get_status_display()}.",
            "too_late",
        )
    return action


def requeue(
    action: BookingAction,
    *,
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """A new action like one that failed or was withdrawn, on the booking as the mirror has it now.

    Goes to the booking that took its place if it was rescheduled. Raises Refused.
    """
    if action.status not in (
        BookingAction.Status.FAILED,
        BookingAction.Status.WITHDRAWN,
    ):
        raise Refused(
            f"Only what failed or was withdrawn can be put back; this is {action.get_status_display()}.",
            "not_failed",
        )
    kind = understood(action)
    if kind is None:
        raise Refused(
            f"A newer release wrote {action}, and this one does not understand it: update this one.",
            "newer_release",
        )
    if action.booking:
        booking = _latest(action.booking)
        return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)
    with db.atomic():
        _refuse_two_drafts(action)
        draft = kind.draft(action.account)
        return enqueue(kind, draft, requested_by=requested_by, deadline=deadline)


def _refuse_two_drafts(action: BookingAction) -> None:
    """Raise Refused if the booking that is to be made is already queued again; two who try at once wait for each other."""
    lane = BookingAction.objects.filter(account=action.account_id, lane=action.lane)
    list(lane.select_for_update().order_by("pk").values_list("pk"))
    other = lane.open().order_by("pk").first()
    if other:
        raise Refused(
            f"{other} is the same booking, queued again already ({other.get_status_display()}): wait until it has ended.",
            "open",
        )


def understood(action: BookingAction) -> Kind | None:
    """What an action is; None if a newer release wrote it."""
    try:
        return kinds.of(action)
    except kinds.NotUnderstood:
        return None


def _locked(kind: Kind, booking: Booking) -> Booking:
    """The booking as it is now; nobody else enqueues on it, or on its series, until the transaction ends.

    One that is to be created is as it is given. Raises Refused if somebody deleted it.
    """
    if not booking.pk:
        if kind.name != BookingAction.Kind.CREATE:
            refuse_deleted()
        return booking
    active = Account.objects.active().filter(pk=OuterRef("account"))
    bookings = Booking.objects.select_for_update().annotate(is_active=Exists(active))
    rows = bookings.order_by("pk")
    if booking.recurring_booking_uid:
        rows = rows.filter(
            account=booking.account_id,
            recurring_booking_uid=booking.recurring_booking_uid,
        )
    else:
        rows = rows.filter(pk=booking.pk)
    for row in rows:
        if row.pk == booking.pk:
            return row
    current = bookings.filter(pk=booking.pk).first()
    return current or refuse_deleted()


def _is_active(booking: Booking) -> bool:
    """Of a locked booking it was read with it: another statement would be one more for each action."""
    known: bool | None = getattr(booking, "is_active", None)
    return booking.account.is_active if known is None else known


def _refuse_contradictions(kind: Kind, booking: Booking) -> None:
    others = BookingAction.objects.open().filter(
        account=booking.account_id, lane=lane_of(booking)
    )
    for other in others.select_related("booking"):
        refuse_contradiction(kind, booking, understood(other), other.booking, other)


def _deadline(deadline: datetime | None, now: datetime) -> datetime | None:
    if deadline is None:
        return None
    if timezone.is_naive(deadline):
        raise Refused("The deadline has no time zone: make it aware.", "naive")
    if deadline <= now:
        raise Refused("The deadline is over: choose one in the future.", "past")
    return deadline


def _latest(booking: Booking) -> Booking:
    """The booking itself, or the last of those that took its place, as far as they are mirrored."""
    known = {booking.uid}
    while booking.rescheduled_to_uid and booking.rescheduled_to_uid not in known:
        following = Booking.objects.filter(
            account=booking.account_id, uid=booking.rescheduled_to_uid
        ).first()
        if following is None:
            break
        booking = following
        known.add(booking.uid)
    return booking
