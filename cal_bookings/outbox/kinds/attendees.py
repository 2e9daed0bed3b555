"""The addition and removal of attendees and guests."""

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
from cal_bookings.models import Booking, BookingAction, RefusalCode
from cal_bookings.outbox.kinds.base import (
    Effect,
    Kind,
    Refused,
    emails,
    is_hosted,
    is_seated,
    known_email,
)
from cal_bookings.outbox.kinds.creation_fields import refuse_language
from cal_bookings.outbox.messages import UnchangedText
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.remote_view import RemoteView

#: The most guests in one request.
MOST_GUESTS = 10


@dataclass(frozen=True, kw_only=True)
class _People(Kind):
    """The base of the kinds that add or remove people.

    Cal.com refuses to add a person who attends already [rec 328], and to remove a person who does not attend [rec 330].
    """

    def people(self) -> list[str]:
        """Return the e-mail addresses of the added or removed people."""
        raise NotImplementedError

    def check_new(self, booking: Booking) -> None:
        """Raise Refused for an invalid e-mail address, and for the address of a person who attends already."""
        for email in self.people():
            parameters = {"email": email}
            try:
                validate_email(email)
            except ValidationError:
                raise Refused(
                    RefusalText.EMAIL, RefusalCode.EMAIL, parameters
                ) from None
            if email.lower() in emails(booking):
                code = RefusalCode.ATTENDS_ALREADY
                raise Refused(RefusalText.ATTENDS_ALREADY, code, parameters)

    def changes(self) -> frozenset[str]:
        return frozenset(f"attendee:{email.lower()}" for email in self.people())

    def relies_on(self) -> frozenset[str]:
        return frozenset({"active"})

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        return True

    def _all_attend(self, remote: RemoteBooking) -> Effect | None:
        there = {attendee.email.lower() for attendee in remote.attendees}
        wanted = {email.lower() for email in self.people()}
        return Effect(remote.uid) if wanted <= there else None


@dataclass(frozen=True, kw_only=True)
class AddAttendee(_People):
    """Add an attendee to a booking without seats.

    A seated booking is refused: a self-hosted Cal.com adds an attendee without a seat, and then cannot cancel the
    attendee.
    """

    attendee: dict[str, str]

    name = BookingAction.Kind.ADD_ATTENDEE
    endpoint_limit = "attendees"
    unchanged = UnchangedText.ADD_ATTENDEE

    def people(self) -> list[str]:
        return [self.attendee.get("email", "")]

    def check_more(self, booking: Booking, now: datetime) -> None:
        self.check_new(booking)
        if not self.attendee.get("name", "").strip():
            raise Refused(RefusalText.NAME, RefusalCode.NAME)
        refuse_language(self.attendee.get("language"))
        if is_seated(booking):
            raise Refused(RefusalText.SEATED, RefusalCode.SEATED)

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.add_attendee(view.uid, self.attendee)

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        return self._all_attend(view.booking)


@dataclass(frozen=True, kw_only=True)
class AddGuests(_People):
    guests: list[dict[str, str]]

    name = BookingAction.Kind.ADD_GUESTS
    endpoint_limit = "guests"
    unchanged = UnchangedText.ADD_GUESTS

    def people(self) -> list[str]:
        return [guest.get("email", "") for guest in self.guests]

    def check_more(self, booking: Booking, now: datetime) -> None:
        if not 1 <= len(self.guests) <= MOST_GUESTS:
            raise Refused(RefusalText.GUESTS, RefusalCode.GUESTS, {"most": MOST_GUESTS})
        for guest in self.guests:
            refuse_language(guest.get("language"))
        self.check_new(booking)

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.add_guests(view.uid, self.guests)

    def effect_in_answer(
        self, bookings: list[RemoteBooking], seen: dict[str, Any]
    ) -> Effect | None:
        return self._all_attend(bookings[0])

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        return self._all_attend(view.booking)


@dataclass(frozen=True, kw_only=True)
class RemoveAttendee(_People):
    """Remove an attendee, but not the person who booked, and not on hosted Cal.com.

    The e-mail identifies the attendee; the number that Cal.com requires is read before the request.
    """

    email: str

    name = BookingAction.Kind.REMOVE_ATTENDEE
    endpoint_limit = "attendees"
    unchanged = UnchangedText.REMOVE_ATTENDEE

    def people(self) -> list[str]:
        return [self.email]

    def check_more(self, booking: Booking, now: datetime) -> None:
        if self.email.lower() not in emails(booking):
            parameters = {"emails": self.email}
            raise Refused(RefusalText.NO_ATTENDEE, RefusalCode.NO_ATTENDEE, parameters)
        if is_hosted(booking.account):
            raise Refused(RefusalText.SELF_HOSTED, RefusalCode.SELF_HOSTED)
        booker = known_email(booking.booking_fields_responses.get("email"))
        if self.email.lower() == booker:
            raise Refused(RefusalText.BOOKER, RefusalCode.BOOKER)

    def prepare(self, view: RemoteView) -> None:
        self._number(view)

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.remove_attendee(view.uid, self._number(view))

    def _number(self, view: RemoteView) -> int:
        for attendee in view.attendees():
            is_wanted = str(attendee.get("email") or "").lower() == self.email.lower()
            if is_wanted and type(attendee.get("id")) is int:
                return int(attendee["id"])
        raise Refused(RefusalText.NO_NUMBER, RefusalCode.NO_NUMBER)

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        there = {attendee.email.lower() for attendee in view.booking.attendees}
        return None if self.email.lower() in there else Effect(view.uid)
