"""The move of a booking to another time, chosen by us, or by the attendee at our request."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking, Server
from cal_bookings.models import Booking, BookingAction, ErrorCode, RefusalCode, Status
from cal_bookings.outbox.kinds.base import (
    Conflict,
    Effect,
    Kind,
    Refused,
    is_hosted,
    refuse_start,
    refuse_unknown_seat,
    what_became,
)
from cal_bookings.outbox.messages import ActionText, UnchangedText
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.remote_view import RemoteView
from cal_bookings.outbox.snapshots import takes_place

#: The options that only hosted Cal.com knows.
OPTIONS = frozenset(
    {
        "rescheduleWithSameHost",
        "allowConflicts",
        "allowBookingOutOfBounds",
        "skipBookingLimits",
    }
)


@dataclass(frozen=True, kw_only=True)
class Reschedule(Kind):
    """Move a booking, an occurrence of a series, a seated booking with all its attendees, or one seat of it.

    Cal.com makes a new booking of it, except of a whole seated booking, which keeps its uid [rec 134, 241]. Two
    requests at once both succeed [rec 483-485]; the second of two consecutive requests is refused [rec 137].
    """

    start: str
    reason: str = ""
    rescheduled_by: str = ""
    seat_uid: str = ""
    #: The e-mail of the attendee who holds the seat, by which a moved seat is recognised.
    seat_email: str = ""
    email_verification_code: str = ""
    options: dict[str, bool] = field(default_factory=dict)

    name = BookingAction.Kind.RESCHEDULE
    is_for_past = True
    unchanged = UnchangedText.TIME

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.start)

    def check_more(self, booking: Booking, now: datetime) -> None:
        refuse_start(self.moment, now)
        if self.moment == booking.start and not self.seat_uid:
            raise Refused(RefusalText.SAME_START, RefusalCode.SAME_START)
        refuse_unknown_seat(booking, self.seat_uid)
        unknown = ", ".join(sorted(set(self.options) - OPTIONS))
        if unknown:
            parameters = {"unknown": unknown, "known": ", ".join(sorted(OPTIONS))}
            raise Refused(RefusalText.OPTIONS, RefusalCode.OPTIONS, parameters)
        if self.options and not is_hosted(booking.account):
            raise Refused(RefusalText.HOSTED_OPTIONS, RefusalCode.HOSTED)

    def changes(self) -> frozenset[str]:
        if self.seat_uid:
            return frozenset({f"seat:{self.seat_uid}"})
        return frozenset({"status", "active", "start"})

    def relies_on(self) -> frozenset[str]:
        seat = {f"seat:{self.seat_uid}"} if self.seat_uid else set()
        return frozenset({"active", "start"} | seat)

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return self.moment

    def leaves_trace(self, remote: RemoteBooking) -> bool:
        # The move of a seat does not change the time of update, and the seat keeps its uid [rec 270, 524-526].
        return not self.seat_uid and super().leaves_trace(remote)

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        # The uid of a seated booking stays the same, and a second move does no harm.
        return not self.seat_uid and not any(
            attendee["seat_uid"] for attendee in seen["attendees"]
        )

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.reschedule(
            view.uid,
            start=self.moment,
            reason=self.reason,
            rescheduled_by=self.rescheduled_by,
            seat_uid=self.seat_uid,
            email_verification_code=self.email_verification_code,
            options=self.options,
        )

    def effect_in_answer(
        self, bookings: list[RemoteBooking], seen: dict[str, Any]
    ) -> Effect | None:
        new = bookings[0]
        moved = (
            bool(new.rescheduled_from_uid) or self.seat_uid or new.uid == seen["uid"]
        )
        return self._effect(new) if moved and new.start == self.moment else None

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        if self.seat_uid:
            return self._moved_seat(view)
        old = view.booking
        if old.start == self.moment and takes_place(old):
            return self._effect(old)  # a whole seated booking stays the same booking
        new = self._successor(view, old, sent=sent)
        if new is None:
            return self._merged(view, old, seen) if sent else None
        if not takes_place(new) and not sent:
            return None  # somebody else moved it there, and then cancelled it
        return self._what_became(view, new)

    def _what_became(self, view: RemoteView, new: RemoteBooking) -> Effect:
        if new.status == Status.PENDING:
            return self._effect(new)
        return what_became(view, new)

    def _merged(
        self, view: RemoteView, old: RemoteBooking, seen: dict[str, Any]
    ) -> Effect | None:
        """Return the effect if the seats are now in another booking of the event type.

        Cal.com merges a whole seated booking that moves to a time at which its event type has another booking.
        """
        seats = [attendee for attendee in seen["attendees"] if attendee["seat_uid"]]
        if not seats or old.status != Status.CANCELLED:
            return None
        for booking in view.starting_at(self.moment):
            if (
                booking.event_type_remote_id == old.event_type_remote_id
                and booking.uid != old.uid
            ):
                there = {seat.seat_uid for seat in booking.attendees}
                there |= {seat.email.lower() for seat in booking.attendees}
                there -= {""}
                if all(
                    {seat["seat_uid"], seat["email"].lower()} & there for seat in seats
                ):
                    return Effect(booking.uid, ActionText.MERGED())
        return None

    def _successor(
        self, view: RemoteView, old: RemoteBooking, *, sent: bool
    ) -> RemoteBooking | None:
        if old.rescheduled_to_uid:
            new = view.other(old.rescheduled_to_uid)
            if new and new.start == self.moment:
                return new
        if old.status != Status.CANCELLED:
            return None
        # Occurrences do not name their replacements [rec 262], and of two replacements at once the old booking names
        # only one.
        if old.recurring_booking_uid:
            others = view.series()
        else:
            others = view.starting_at(self.moment) if sent else []
        return next(
            (
                booking
                for booking in others
                if booking.rescheduled_from_uid == old.uid
                and booking.start == self.moment
            ),
            None,
        )

    def _moved_seat(self, view: RemoteView) -> Effect | None:
        """Return the effect if the seat is in another booking, under the same uid or the same e-mail [rec 269, 524]."""
        old = view.booking
        if any(attendee.seat_uid == self.seat_uid for attendee in old.attendees):
            return None
        for booking in view.starting_at(self.moment):
            if booking.event_type_remote_id == old.event_type_remote_id and any(
                seat.seat_uid == self.seat_uid or seat.email == self.seat_email
                for seat in booking.attendees
            ):
                return self._effect(booking)
        return None

    def _effect(self, new: RemoteBooking) -> Effect:
        is_pending = new.status == Status.PENDING
        return Effect(new.uid, ActionText.PENDING() if is_pending else "")

    def conflict(self, view: RemoteView, seen: dict[str, Any]) -> Conflict | None:
        return lost_seat(view, self.seat_uid) or super().conflict(view, seen)


def lost_seat(view: RemoteView, seat_uid: str) -> Conflict | None:
    """Return a conflict if a seat is named and the booking no longer has it."""
    if not seat_uid or any(
        attendee.seat_uid == seat_uid for attendee in view.booking.attendees
    ):
        return None
    return Conflict(ActionText.SEAT_GONE(), ErrorCode.SEAT_GONE)


@dataclass(frozen=True, kw_only=True)
class RequestReschedule(Kind):
    """Cancel the booking and have hosted Cal.com mail the attendee a link to pick another time."""

    reason: str = ""

    name = BookingAction.Kind.REQUEST_RESCHEDULE
    unchanged = UnchangedText.CANCEL

    def check_more(self, booking: Booking, now: datetime) -> None:
        if booking.account.server == Server.SELF_HOSTED:
            raise Refused(RefusalText.HOSTED_REQUEST, RefusalCode.HOSTED)

    def changes(self) -> frozenset[str]:
        return frozenset({"status", "active"})

    def relies_on(self) -> frozenset[str]:
        return frozenset({"active", "start"})

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.request_reschedule(view.uid, reason=self.reason)

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        # A cancellation by somebody else is not the same: nobody asked the attendee.
        remote = view.booking
        cancelled = remote.status == Status.CANCELLED
        cancelled = cancelled and not remote.rescheduled_to_uid
        return Effect(remote.uid) if sent and cancelled else None
