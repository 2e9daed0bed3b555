"""The releases of reservations are rows: a slot that cannot be released now is released by a later sweep, or runs out.

A release may be asked for in any transaction (`SlotReservation.objects…ask_for_release`), and the request to Cal.com is
made outside of it. A second release has no effect [rec 036].
"""

from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from cal_bookings import backoff, budget
from cal_bookings.client import CalError
from cal_bookings.models import Account, BookingAction, SlotReservation
from cal_bookings.slots.availability import PATIENCE

State = SlotReservation.State

#: A worker that has taken a release up has this long before another worker may.
_TURN = timedelta(seconds=60)
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0  # seconds


def release(
    reservation: SlotReservation, *, max_wait: float | None = PATIENCE
) -> SlotReservation:
    """Release a slot: now, or as soon as Cal.com can be asked. One request, outside any transaction.

    If Cal.com cannot be asked now, the next sweep asks it, so none of the client's errors is raised; `state` shows
    whether the slot is released. Has no effect on a reservation that is not held.
    """
    SlotReservation.objects.filter(pk=reservation.pk).ask_for_release()
    carry_out(reservation.pk, max_wait=max_wait)
    reservation.refresh_from_db()
    return reservation


def sweep(account: Account | None = None, *, limit: int = 1000) -> int:
    """Release what is to be released, and record what has run out; return how many were released.

    One request for each reservation, outside any transaction. Any number of workers may sweep at once.
    """
    rows = SlotReservation.objects.all()
    if account:
        rows = rows.filter(account=account)
    rows.expire()
    due = rows.due().order_by("until").values_list("pk", flat=True)[:limit]
    return sum(carry_out(pk) for pk in due)


def release_held_by(action: BookingAction) -> None:
    """Release at once what an action that has ended held for its booking. No statement but for a `create`."""
    if action.kind == BookingAction.Kind.CREATE:
        for pk in action.reservations.due().values_list("pk", flat=True):
            carry_out(pk)


def carry_out(pk: int, *, max_wait: float | None = PATIENCE) -> bool:
    """Release one reservation, if it is due and no other worker has taken it up; return whether it is released now."""
    reservation = SlotReservation.objects.due().filter(pk=pk).first()
    if reservation is None or not _take_turn(reservation):
        return False
    try:
        with budget.connect(
            reservation.account, priority=budget.Priority.ACTION, max_wait=max_wait
        ) as connection:
            connection.slots().release(reservation.uid)
    except (CalError, budget.NotNow, ImproperlyConfigured) as error:
        _put_off(reservation, error)
        return False
    _write(reservation, state=State.RELEASED, ended_at=timezone.now(), last_error="")
    return True


def _take_turn(reservation: SlotReservation) -> bool:
    """Count an attempt and keep other workers off for a while, unless another was first. One UPDATE decides."""
    as_read = SlotReservation.objects.filter(
        pk=reservation.pk,
        state=State.RELEASING,
        next_attempt_at=reservation.next_attempt_at,
    )
    reservation.attempts += 1
    reservation.next_attempt_at = timezone.now() + _TURN
    return bool(
        as_read.update(
            attempts=reservation.attempts, next_attempt_at=reservation.next_attempt_at
        )
    )


def _put_off(reservation: SlotReservation, error: Exception) -> None:
    pause = backoff.seconds(
        reservation.attempts - 1, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE
    )
    if isinstance(error, budget.NotNow):
        pause = max(pause, error.seconds)
    _write(
        reservation,
        next_attempt_at=timezone.now() + timedelta(seconds=pause),
        # The server's own words may name people.
        last_error=error.unquoted if isinstance(error, CalError) else str(error),
    )


def _write(reservation: SlotReservation, **columns: object) -> None:
    """Write the outcome, unless the reservation has run out or another worker took over meanwhile."""
    SlotReservation.objects.filter(
        pk=reservation.pk,
        state=State.RELEASING,
        next_attempt_at=reservation.next_attempt_at,
    ).update(**columns)
