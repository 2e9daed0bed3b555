"""More attendees, or fewer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from cal_bookings.client import (
    ActionAnswer,
    BookingActions,
    RemoteBooking,
)
from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.base import (
    Found,
    Kind,
    Refused,
    emails,
    is_hosted,
    is_seated,
    known_email,
    takes_place,
)
from cal_bookings.outbox.remote_view import Look

#: Guests of one request.
MOST_GUESTS = 10


@dataclass(frozen=True, kw_only=True)
class _People(Kind):
    """Cal.com refuses whom it has already [rec 328], and to remove who is not there [rec 330]."""

    def people(self) -> list[str]:
        """Their e-mail addresses."""
        raise NotImplementedError

    def check(self, booking: Booking, now: datetime) -> None:
        takes_place(booking)
        if booking.end <= now:
            raise Refused("This booking is over: its attendees stay.", "past")

    def check_new(self, booking: Booking) -> None:
        for email in self.people():
            try:
                validate_email(email)
            except ValidationError:
                raise Refused(f'"{email}" is no e-mail address.', "email") from None
            if email.lower() in emails(booking):
                raise Refused(f"{email} attends already.", "attends_already")

    def changes(self) -> frozenset[str]:
        return frozenset(f"attendee:{email.lower()}" for email in self.people())

    def relies_on(self) -> frozenset[str]:
        return frozenset({"active"})

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return booking.end

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        return True

    def _all_attend(self, remote: RemoteBooking) -> Found | None:
        there = {one.email.lower() for one in remote.attendees}
        wanted = {email.lower() for email in self.people()}
        return Found(remote.uid) if wanted <= there else None


@dataclass(frozen=True, kw_only=True)
class AddAttendee(_People):
    """Not to a seated booking: a self-hosted Cal.com takes one without a seat, and then cannot cancel the booking."""

    attendee: dict[str, str]

    name = BookingAction.Kind.ADD_ATTENDEE
    endpoint_limit = "attendees"
    unchanged = "the attendee was not added"

    def people(self) -> list[str]:
        return [self.attendee.get("email", "")]

    def check(self, booking: Booking, now: datetime) -> None:
        super().check(booking, now)
        self.check_new(booking)
        if not self.attendee.get("name", "").strip():
            raise Refused("An attendee needs a name.", "name")
        if is_seated(booking):
            raise Refused(
                "Attendees take seats in this booking: book a seat for them, as a new booking of the event type at that time.",
                "seated",
            )

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.add_attendee(look.uid, self.attendee)

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        return self._all_attend(look.booking)


@dataclass(frozen=True, kw_only=True)
class AddGuests(_People):
    guests: list[dict[str, str]]

    name = BookingAction.Kind.ADD_GUESTS
    endpoint_limit = "guests"
    unchanged = "the guests were not added"

    def people(self) -> list[str]:
        return [guest.get("email", "") for guest in self.guests]

    def check(self, booking: Booking, now: datetime) -> None:
        super().check(booking, now)
        if not 1 <= len(self.guests) <= MOST_GUESTS:
            raise Refused(f"Cal.com takes 1 to {MOST_GUESTS} guests at once.", "guests")
        self.check_new(booking)

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.add_guests(look.uid, self.guests)

    def shown(self, answers: list[RemoteBooking], seen: dict[str, Any]) -> Found | None:
        return self._all_attend(answers[0])

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        return self._all_attend(look.booking)


@dataclass(frozen=True, kw_only=True)
class RemoveAttendee(_People):
    """Not the one who booked, and not on hosted Cal.com. Named by e-mail; the number that Cal.com wants is read before."""

    email: str

    name = BookingAction.Kind.REMOVE_ATTENDEE
    endpoint_limit = "attendees"
    unchanged = "the attendee was not removed"

    def people(self) -> list[str]:
        return [self.email]

    def check(self, booking: Booking, now: datetime) -> None:
        super().check(booking, now)
        if self.email.lower() not in emails(booking):
            raise Refused(f"Not among the attendees: {self.email}.", "no_attendee")
        if is_hosted(booking.account):
            raise Refused(
                "Hosted Cal.com cannot remove an attendee: cancel the booking, and book it again without them.",
                "self_hosted",
            )
        booker = known_email(booking.booking_fields_responses.get("email"))
        if self.email.lower() == booker:
            raise Refused(
                "Who booked cannot be removed: cancel the booking instead.", "booker"
            )

    def prepare(self, look: Look) -> None:
        self._number(look)

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.remove_attendee(look.uid, self._number(look))

    def _number(self, look: Look) -> int:
        for one in look.attendees():
            is_wanted = str(one.get("email") or "").lower() == self.email.lower()
            if is_wanted and type(one.get("id")) is int:
                return int(one["id"])
        raise Refused(
            "Cal.com shows no number of this attendee, without which they cannot be removed: remove them there by hand.",
            "no_number",
        )

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        there = {one.email.lower() for one in look.booking.attendees}
        return None if self.email.lower() in there else Found(look.uid)
