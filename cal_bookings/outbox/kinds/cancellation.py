"""The cancellation of a booking, of the rest of a series, or of one seat."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction, RefusalCode, Status
from cal_bookings.outbox import snapshots
from cal_bookings.outbox.kinds.base import (
    Conflict,
    Effect,
    Kind,
    Refused,
    refuse_unknown_seat,
)
from cal_bookings.outbox.kinds.rescheduling import lost_seat
from cal_bookings.outbox.messages import UnchangedText
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.remote_view import RemoteView


@dataclass(frozen=True, kw_only=True)
class Cancel(Kind):
    """Cancel a booking, the rest of a series, or one seat. Cal.com refuses a second cancellation [rec 217, 247].

    Cal.com also cancels a booking that was rescheduled, although its meeting goes on under another booking.
    """

    reason: str
    subsequent: bool = False
    seat_uid: str = ""

    name = BookingAction.Kind.CANCEL
    unchanged = UnchangedText.CANCEL

    def check_more(self, booking: Booking, now: datetime) -> None:
        if not self.reason.strip():
            raise Refused(RefusalText.REASON, RefusalCode.REASON)
        if self.subsequent and self.seat_uid:
            raise Refused(RefusalText.SEAT, RefusalCode.SEAT)
        # Cal.com cancels a single booking in spite of this field, and then answers 400.
        if self.subsequent and not booking.recurring_booking_uid:
            raise Refused(RefusalText.NO_SERIES, RefusalCode.NO_SERIES)
        refuse_unknown_seat(booking, self.seat_uid)

    def changes(self) -> frozenset[str]:
        if self.seat_uid:
            return frozenset({f"seat:{self.seat_uid}"})
        return frozenset({"status", "active"})

    def relies_on(self) -> frozenset[str]:
        seat = {f"seat:{self.seat_uid}"} if self.seat_uid else set()
        return frozenset({"active", "start"} | seat)

    def of_series(self, booking: Booking) -> bool:
        return self.subsequent

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        return True

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.cancel(
            view.uid,
            reason=self.reason,
            subsequent=self.subsequent,
            seat_uid=self.seat_uid,
        )

    def effect_in_answer(
        self, bookings: list[RemoteBooking], seen: dict[str, Any]
    ) -> Effect | None:
        own = next(
            (booking for booking in bookings if booking.uid == seen["uid"]), None
        )
        if own is None:
            return None
        if self.seat_uid:
            return self._seat_gone(own)
        if self.subsequent:
            return self._rest_cancelled(own, bookings)
        return Effect(own.uid) if own.status == Status.CANCELLED else None

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        own = view.booking
        if self.seat_uid:
            return self._seat_gone(own)
        if own.status != Status.CANCELLED or own.rescheduled_to_uid:
            return None
        if not own.recurring_booking_uid:
            return Effect(own.uid)
        series = view.series()
        if any(occurrence.rescheduled_from_uid == own.uid for occurrence in series):
            return None
        return self._rest_cancelled(own, series) if self.subsequent else Effect(own.uid)

    def _rest_cancelled(
        self, own: RemoteBooking, series: list[RemoteBooking]
    ) -> Effect | None:
        rest = [occurrence for occurrence in series if occurrence.start >= own.start]
        return None if any(map(snapshots.takes_place, rest)) else Effect(own.uid)

    def _seat_gone(self, own: RemoteBooking) -> Effect | None:
        gone = all(attendee.seat_uid != self.seat_uid for attendee in own.attendees)
        return Effect(own.uid) if gone else None

    def conflict(self, view: RemoteView, seen: dict[str, Any]) -> Conflict | None:
        return lost_seat(view, self.seat_uid) or super().conflict(view, seen)
