"""The confirmation and the rejection of a pending booking."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction, RefusalCode, Status
from cal_bookings.outbox.kinds.base import Effect, Kind, Refused
from cal_bookings.outbox.messages import ActionText, UnchangedText, status_text
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.remote_view import RemoteView


@dataclass(frozen=True, kw_only=True)
class _Answer(Kind):
    """The base of both kinds, which apply to every pending occurrence of the series of an occurrence."""

    becomes: ClassVar[Status]

    def check_more(self, booking: Booking, now: datetime) -> None:
        if booking.status != Status.PENDING:
            parameters = {"status": status_text(booking.status)}
            raise Refused(RefusalText.NOT_PENDING, RefusalCode.NOT_PENDING, parameters)

    def changes(self) -> frozenset[str]:
        return frozenset({"status", "active"})

    def relies_on(self) -> frozenset[str]:
        return frozenset({"status", "active", "start"})

    def of_series(self, booking: Booking) -> bool:
        return bool(booking.recurring_booking_uid)

    def effect_in_answer(
        self, bookings: list[RemoteBooking], seen: dict[str, Any]
    ) -> Effect | None:
        own = bookings[0]
        # The answer shows one occurrence; the others changed with it and have to be read.
        if own.status != self.becomes or own.recurring_booking_uid:
            return None
        return self._effect(own)

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        own = view.booking
        if own.status != self.becomes:
            return None
        if own.recurring_booking_uid:
            view.series()
        return self._effect(own)

    def _effect(self, own: RemoteBooking) -> Effect:
        return Effect(own.uid)


@dataclass(frozen=True, kw_only=True)
class Confirm(_Answer):
    """Confirm a booking: Cal.com refuses an accepted booking [rec 158], but revives a cancelled booking [rec 161]."""

    name = BookingAction.Kind.CONFIRM
    becomes = Status.ACCEPTED
    unchanged = UnchangedText.CONFIRM

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        return True

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.confirm(view.uid)


@dataclass(frozen=True, kw_only=True)
class Decline(_Answer):
    """Decline a booking: Cal.com does not refuse a second request, and mails the attendee again."""

    reason: str = ""

    name = BookingAction.Kind.DECLINE
    becomes = Status.REJECTED
    unchanged = UnchangedText.DECLINE

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.decline(view.uid, reason=self.reason)

    def _effect(self, own: RemoteBooking) -> Effect:
        was_moved = bool(own.rescheduled_from_uid)
        return Effect(own.uid, ActionText.NOTHING_LEFT() if was_moved else "")
