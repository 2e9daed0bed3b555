"""The refusals that apply to every kind of action: by its account, its booking, its deadline, and the open actions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, Self

from django.utils import timezone
from django.utils.functional import lazystr

from cal_bookings.models import Account, Booking, BookingAction, RefusalCode
from cal_bookings.outbox import kinds
from cal_bookings.outbox.kinds import Kind, Refused
from cal_bookings.outbox.refusal_messages import RefusalText

#: The kinds of action that Cal.com allows everybody who knows the uid of a booking (CAL_API.md section 2).
_FOR_EVERYBODY = (
    BookingAction.Kind.CREATE,
    BookingAction.Kind.RESCHEDULE,
    BookingAction.Kind.CANCEL,
)


@dataclass(frozen=True, slots=True)
class OpenAction:
    """An open action, or an action that is to be queued by the same request and is not saved yet."""

    action: BookingAction
    #: The kind; None if a newer release wrote the action, which may then change anything.
    kind: Kind | None
    booking: Booking | None

    @classmethod
    def read(cls, action: BookingAction) -> Self:
        return cls(action, understood(action), action.booking)

    def excludes(self, kind: Kind, booking: Booking) -> bool:
        """Return whether the action changes a fact that an action of this kind relies on, or changes as well."""
        if self.kind is None:
            return True
        shares_booking = (
            self.action.booking_id == booking.pk
            or kind.of_series(booking)
            or (self.booking is not None and self.kind.of_series(self.booking))
        )
        facts = kind.changes() | kind.relies_on()
        return shares_booking and bool(self.kind.changes() & facts)


def refuse_contradiction(kind: Kind, booking: Booking, earlier: OpenAction) -> None:
    """Raise Refused if `earlier` and an action of this kind on this booking exclude each other."""
    if not earlier.excludes(kind, booking):
        return
    action = earlier.action
    if action.pk is None:
        raise Refused(RefusalText.OPEN_IN_REQUEST, RefusalCode.OPEN)
    parameters = {"action": lazystr(action), "status": status_of(action)}
    text = RefusalText.OPEN if earlier.kind else RefusalText.OPEN_NEWER
    raise Refused(text, RefusalCode.OPEN, parameters)


def refuse_inactive(account: Account) -> NoReturn:
    """Raise Refused for an account whose actions would wait until somebody activates it."""
    raise Refused(RefusalText.INACTIVE, RefusalCode.INACTIVE, {"account": str(account)})


def refuse_anonymous(kind: Kind, booking: Booking) -> None:
    """Raise Refused for a kind that needs a credential, if the booking's account has none on purpose.

    The account is read only for such an action, and only if the booking was read without it.
    """
    if kind.name not in _FOR_EVERYBODY and booking.account.is_anonymous:
        parameters = {"account": str(booking.account)}
        raise Refused(RefusalText.ANONYMOUS, RefusalCode.ANONYMOUS, parameters)


def refuse_deleted() -> NoReturn:
    """Raise Refused for a booking whose row somebody deleted."""
    raise Refused(RefusalText.DELETED, RefusalCode.DELETED)


def refuse_changed(seen: Booking, current: Booking) -> None:
    """Raise Refused if the mirror has another version of the booking than the person saw."""
    if seen.payload_hash != current.payload_hash:
        raise Refused(RefusalText.CHANGED, RefusalCode.CHANGED)


def refuse_deadline(deadline: datetime, now: datetime) -> None:
    """Raise Refused for a deadline that is naive or in the past."""
    if timezone.is_naive(deadline):
        raise Refused(RefusalText.NAIVE_DEADLINE, RefusalCode.NAIVE)
    if deadline <= now:
        raise Refused(RefusalText.DEADLINE_PAST, RefusalCode.PAST)


def status_of(action: BookingAction) -> Any:
    """Return the action's status as a lazy string, for a message that is read later."""
    return BookingAction.Status(action.status).label


def understood(action: BookingAction) -> Kind | None:
    """Return the kind of an action with its parameters; None if a newer release wrote it."""
    try:
        return kinds.of(action)
    except kinds.NotUnderstood:
        return None
