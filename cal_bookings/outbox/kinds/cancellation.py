"""The end of a booking, of the rest of a series, or of one seat."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.base import (
    Conflict,
    Found,
    Kind,
    Refused,
    seat_holder,
    takes_place,
)
from cal_bookings.outbox.kinds.rescheduling import lost_seat
from cal_bookings.outbox.remote_view import Look


@dataclass(frozen=True, kw_only=True)
class Cancel(Kind):
    """A second one is refused [rec 217, 247]. A rescheduled booking is cancelled too, and yet the meeting lives on."""

    reason: str
    subsequent: bool = False
    seat_uid: str = ""

    name = BookingAction.Kind.CANCEL
    unchanged = "the booking was not cancelled"

    def check(self, booking: Booking, now: datetime) -> None:
        takes_place(booking)
        if not self.reason.strip():
            raise Refused(
                "Cal.com wants a reason when a host cancels: give one.", "reason"
            )
        if booking.end <= now:
            raise Refused(
                "This booking is over: what has taken place cannot be cancelled.",
                "past",
            )
        if self.subsequent and self.seat_uid:
            raise Refused(
                "A seat, or the rest of the series: cancel one after the other.", "seat"
            )
        # On a single booking Cal.com cancels it, and then answers 400.
        if self.subsequent and not booking.recurring_booking_uid:
            raise Refused(
                "This booking belongs to no series: cancel it alone.", "no_series"
            )
        if self.seat_uid:
            seat_holder(booking, self.seat_uid)

    def changes(self) -> frozenset[str]:
        if self.seat_uid:
            return frozenset({f"seat:{self.seat_uid}"})
        return frozenset({"status", "active"})

    def relies_on(self) -> frozenset[str]:
        seat = {f"seat:{self.seat_uid}"} if self.seat_uid else set()
        return frozenset({"active", "start"} | seat)

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return booking.end

    def of_series(self, booking: Booking) -> bool:
        return self.subsequent

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        return True

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.cancel(
            look.uid,
            reason=self.reason,
            subsequent=self.subsequent,
            seat_uid=self.seat_uid,
        )

    def shown(self, answers: list[RemoteBooking], seen: dict[str, Any]) -> Found | None:
        own = next((one for one in answers if one.uid == seen["uid"]), None)
        if own is None:
            return None
        if self.seat_uid:
            return self._seat_gone(own)
        if self.subsequent:
            return self._rest_cancelled(own, answers)
        return Found(own.uid) if own.status == "cancelled" else None

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        own = look.booking
        if self.seat_uid:
            return self._seat_gone(own)
        if own.status != "cancelled" or own.rescheduled_to_uid:
            return None
        if not own.recurring_booking_uid:
            return Found(own.uid)
        series = look.series()
        if any(one.rescheduled_from_uid == own.uid for one in series):
            return None
        return self._rest_cancelled(own, series) if self.subsequent else Found(own.uid)

    def _rest_cancelled(
        self, own: RemoteBooking, series: list[RemoteBooking]
    ) -> Found | None:
        rest = [one for one in series if one.start >= own.start]
        over = all(one.status in ("cancelled", "rejected") for one in rest)
        return Found(own.uid) if over else None

    def _seat_gone(self, own: RemoteBooking) -> Found | None:
        gone = all(one.seat_uid != self.seat_uid for one in own.attendees)
        return Found(own.uid) if gone else None

    def conflict(self, look: Look, seen: dict[str, Any]) -> Conflict | None:
        return lost_seat(look, self.seat_uid) or super().conflict(look, seen)
