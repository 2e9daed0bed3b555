"""The slots that are held until an action has booked them, and released when its outcome is final."""

from collections.abc import Collection
from datetime import datetime
from typing import NoReturn

from django.utils import timezone

from cal_bookings.models import (
    Account,
    BookingAction,
    RefusalCode,
    SlotReservation,
)
from cal_bookings.models.slots import SlotReservationQuerySet
from cal_bookings.outbox.kinds import Create, Refused
from cal_bookings.outbox.refusal_messages import RefusalText


def refusal_of(
    reservation: SlotReservation, account: Account, kind: Create
) -> Refused | None:
    """Return why a reservation cannot be used for the new booking; None if it can, as far as its instance knows."""
    event_type = kind.fields.get("eventTypeId")
    fits = (
        reservation.account_id == account.pk
        and event_type in (None, reservation.event_type_remote_id)
        and (timezone.is_naive(kind.start) or reservation.start == kind.start)
    )
    return None if fits and reservation.is_held else _refused()


def last_moment(
    reservation: SlotReservation, deadline: datetime | None
) -> datetime | None:
    """Return the last moment to send an action: its own deadline, or the end of the held slot if that is earlier.

    A naive deadline stays as it is, and is refused as such.
    """
    if deadline is None:
        return reservation.until
    return deadline if timezone.is_naive(deadline) else min(deadline, reservation.until)


def free(reservation_ids: Collection[int], *, lock: bool) -> set[int]:
    """Return those of the reservations that hold their slot, and that no action has taken over. At most one query.

    With `lock` no other action takes them over until the transaction ends.
    """
    if not reservation_ids:
        return set()
    rows = _free(reservation_ids).filter(until__gt=timezone.now()).order_by("pk")
    if lock:
        rows = rows.select_for_update()
    return set(rows.values_list("pk", flat=True))


def refuse() -> NoReturn:
    """Raise Refused for a reservation that has ended, or that another action has taken over."""
    raise _refused()


def take_over(reservation_id: int, action: BookingAction) -> None:
    """Let a saved action hold a reservation until its outcome is final; raise Refused if another action was first.

    Execute one UPDATE, in the transaction that saves the action.
    """
    if not _free([reservation_id]).update(action=action):
        raise _refused()


def release(action: BookingAction) -> None:
    """Ask for the release of the slot that an action holds, in the transaction that ends the action.

    Only a `create` costs a statement.
    """
    if action.kind == BookingAction.Kind.CREATE:
        SlotReservation.objects.filter(action=action.pk).ask_for_release()


def _free(reservation_ids: Collection[int]) -> SlotReservationQuerySet:
    return SlotReservation.objects.filter(
        pk__in=reservation_ids, state=SlotReservation.State.HELD, action=None
    )


def _refused() -> Refused:
    return Refused(RefusalText.RESERVATION, RefusalCode.RESERVATION)
