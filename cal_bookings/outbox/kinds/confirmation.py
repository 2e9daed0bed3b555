"""The host's answer to a booking that waits for one: yes or no."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction, Status
from cal_bookings.outbox.kinds.base import Found, Kind, Refused, takes_place
from cal_bookings.outbox.remote_view import Look

NOTHING_LEFT = (
    "This booking was the new time of another one, which stays cancelled: nothing is left of the meeting. "
    "If it should take place, book it anew."
)


@dataclass(frozen=True, kw_only=True)
class _Answer(Kind):
    """Of an occurrence it answers for all that are pending in the series."""

    becomes: ClassVar[Status]

    def check(self, booking: Booking, now: datetime) -> None:
        takes_place(booking)
        if booking.status != Status.PENDING:
            raise Refused(
                f"This booking is {booking.status}: only a pending one waits for an answer.",
                "not_pending",
            )
        if booking.end <= now:
            raise Refused("This booking is over: no answer is needed.", "past")

    def changes(self) -> frozenset[str]:
        return frozenset({"status", "active"})

    def relies_on(self) -> frozenset[str]:
        return frozenset({"status", "active", "start"})

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return booking.end

    def of_series(self, booking: Booking) -> bool:
        return bool(booking.recurring_booking_uid)

    def shown(self, answers: list[RemoteBooking], seen: dict[str, Any]) -> Found | None:
        own = answers[0]
        # The answer shows one occurrence; the others changed with it and have to be read.
        if own.status != self.becomes or own.recurring_booking_uid:
            return None
        return self._found(own)

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        own = look.booking
        if own.status != self.becomes:
            return None
        if own.recurring_booking_uid:
            look.series()
        return self._found(own)

    def _found(self, own: RemoteBooking) -> Found:
        return Found(own.uid)


@dataclass(frozen=True, kw_only=True)
class Confirm(_Answer):
    """Cal.com refuses it on an accepted booking only [rec 158]: a cancelled one is revived by it [rec 161]."""

    name = BookingAction.Kind.CONFIRM
    becomes = Status.ACCEPTED
    unchanged = "the booking was not confirmed"

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        return True

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.confirm(look.uid)


@dataclass(frozen=True, kw_only=True)
class Decline(_Answer):
    """A second one is not refused: the attendee gets another mail."""

    reason: str = ""

    name = BookingAction.Kind.DECLINE
    becomes = Status.REJECTED
    unchanged = "the booking was not declined"

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.decline(look.uid, reason=self.reason)

    def _found(self, own: RemoteBooking) -> Found:
        return Found(own.uid, NOTHING_LEFT if own.rescheduled_from_uid else "")
