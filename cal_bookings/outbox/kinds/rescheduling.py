"""Another time: by us, or by the attendee whom Cal.com asks to pick one."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking, Server
from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.base import (
    Conflict,
    Found,
    Kind,
    Refused,
    seat_holder,
    takes_place,
    what_became,
)
from cal_bookings.outbox.remote_view import Look
from cal_bookings.outbox.snapshots import OVER

#: What hosted Cal.com takes besides.
OPTIONS = frozenset(
    {
        "rescheduleWithSameHost",
        "allowConflicts",
        "allowBookingOutOfBounds",
        "skipBookingLimits",
    }
)

MERGED = "Another booking of this event type was at that time: Cal.com moved the attendees into it."
PENDING = "The new time waits for confirmation, and the old booking is cancelled already: if the new one is declined, nothing is left of the meeting."


@dataclass(frozen=True, kw_only=True)
class Reschedule(Kind):
    """A booking, an occurrence of a series, a seated booking with all its attendees, or one seat of it.

    Cal.com makes a new booking of it, except of a whole seated one, which keeps its uid [rec 134, 241]. Two at once
    both succeed [rec 483-485], one after the other is refused [rec 137].
    """

    start: str
    reason: str = ""
    rescheduled_by: str = ""
    seat_uid: str = ""
    #: Of who holds the seat: the way to find a seat that moved.
    seat_email: str = ""
    email_verification_code: str = ""
    options: dict[str, bool] = field(default_factory=dict)

    name = BookingAction.Kind.RESCHEDULE
    unchanged = "the time did not change"

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.start)

    def check(self, booking: Booking, now: datetime) -> None:
        takes_place(booking)
        if self.moment <= now:
            raise Refused("The new time is over: choose one in the future.", "past")
        if self.moment == booking.start and not self.seat_uid:
            raise Refused(
                "The booking starts at that time already: choose another.", "same_start"
            )
        if self.seat_uid:
            seat_holder(booking, self.seat_uid)
        unknown = ", ".join(sorted(set(self.options) - OPTIONS))
        if unknown:
            raise Refused(
                f"Unknown options: {unknown}. Known: {', '.join(sorted(OPTIONS))}.",
                "options",
            )
        if self.options and booking.account.server != Server.HOSTED:
            raise Refused(
                "Only hosted Cal.com knows these options: leave them out.", "hosted"
            )

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
        # A seat that moves does not move the time of update, and keeps its uid [rec 270, 524-526].
        return not self.seat_uid and super().leaves_trace(remote)

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        # The uid of a seated booking stays the same, and moving it again is just as good.
        return not self.seat_uid and not any(
            one["seat_uid"] for one in seen["attendees"]
        )

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.reschedule(
            look.uid,
            start=self.moment,
            reason=self.reason,
            rescheduled_by=self.rescheduled_by,
            seat_uid=self.seat_uid,
            email_verification_code=self.email_verification_code,
            options=self.options,
        )

    def shown(self, answers: list[RemoteBooking], seen: dict[str, Any]) -> Found | None:
        new = answers[0]
        moved = (
            bool(new.rescheduled_from_uid) or self.seat_uid or new.uid == seen["uid"]
        )
        return self._found(new) if moved and new.start == self.moment else None

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        if self.seat_uid:
            return self._moved_seat(look)
        old = look.booking
        if old.start == self.moment and old.status not in OVER:
            return self._found(old)  # a whole seated booking stays the same one
        new = self._successor(look, old, sent=sent)
        if new is None:
            return self._merged(look, old, seen) if sent else None
        if new.status in OVER and not sent:
            return None  # somebody else moved it there, and then cancelled it
        return self._what_became(look, new)

    def _what_became(self, look: Look, new: RemoteBooking) -> Found:
        return self._found(new) if new.status == "pending" else what_became(look, new)

    def _merged(
        self, look: Look, old: RemoteBooking, seen: dict[str, Any]
    ) -> Found | None:
        """A whole seated booking moved to where the event type has another one: its seats are in that one."""
        seats = [one for one in seen["attendees"] if one["seat_uid"]]
        if not seats or old.status != "cancelled":
            return None
        for one in look.starting_at(self.moment):
            if (
                one.event_type_remote_id == old.event_type_remote_id
                and one.uid != old.uid
            ):
                there = {seat.seat_uid for seat in one.attendees}
                there |= {seat.email.lower() for seat in one.attendees}
                there -= {""}
                if all(
                    {seat["seat_uid"], seat["email"].lower()} & there for seat in seats
                ):
                    return Found(one.uid, MERGED)
        return None

    def _successor(
        self, look: Look, old: RemoteBooking, *, sent: bool
    ) -> RemoteBooking | None:
        if old.rescheduled_to_uid:
            new = look.other(old.rescheduled_to_uid)
            if new and new.start == self.moment:
                return new
        if old.status != "cancelled":
            return None
        # Occurrences do not name what replaced them [rec 262], and of two at once the old booking names one only.
        if old.recurring_booking_uid:
            others = look.series()
        else:
            others = look.starting_at(self.moment) if sent else []
        return next(
            (
                one
                for one in others
                if one.rescheduled_from_uid == old.uid and one.start == self.moment
            ),
            None,
        )

    def _moved_seat(self, look: Look) -> Found | None:
        """The seat is in another booking then, under the same uid or the same e-mail [rec 269, 524]."""
        old = look.booking
        if any(one.seat_uid == self.seat_uid for one in old.attendees):
            return None
        for one in look.starting_at(self.moment):
            if one.event_type_remote_id == old.event_type_remote_id and any(
                seat.seat_uid == self.seat_uid or seat.email == self.seat_email
                for seat in one.attendees
            ):
                return self._found(one)
        return None

    def _found(self, new: RemoteBooking) -> Found:
        return Found(new.uid, PENDING if new.status == "pending" else "")

    def conflict(self, look: Look, seen: dict[str, Any]) -> Conflict | None:
        return lost_seat(look, self.seat_uid) or super().conflict(look, seen)


def lost_seat(look: Look, seat_uid: str) -> Conflict | None:
    """Whether the seat to act on is gone."""
    if not seat_uid or any(one.seat_uid == seat_uid for one in look.booking.attendees):
        return None
    return Conflict("The seat is no longer in this booking on Cal.com.", "seat_gone")


@dataclass(frozen=True, kw_only=True)
class RequestReschedule(Kind):
    """The booking is cancelled, and the attendee gets a mail with a link to pick another time. Hosted Cal.com only."""

    reason: str = ""

    name = BookingAction.Kind.REQUEST_RESCHEDULE
    unchanged = "the booking was not cancelled"

    def check(self, booking: Booking, now: datetime) -> None:
        takes_place(booking)
        if booking.account.server == Server.SELF_HOSTED:
            raise Refused(
                "Only hosted Cal.com can ask for another time: reschedule or cancel the booking.",
                "hosted",
            )
        if booking.end <= now:
            raise Refused("This booking is over.", "past")

    def changes(self) -> frozenset[str]:
        return frozenset({"status", "active"})

    def relies_on(self) -> frozenset[str]:
        return frozenset({"active", "start"})

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return max(booking.end, now + timedelta(minutes=1))

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.request_reschedule(look.uid, reason=self.reason)

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        # Cancelled by somebody else is not the same: nobody asked the attendee.
        remote = look.booking
        cancelled = remote.status == "cancelled" and not remote.rescheduled_to_uid
        return Found(remote.uid) if sent and cancelled else None
