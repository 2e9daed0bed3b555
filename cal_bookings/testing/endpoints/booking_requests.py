"""The requests to create a booking, read from a body that has passed its checks, and the booking itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cal_bookings.testing.endpoints import locations
from cal_bookings.testing.endpoints.calls import (
    Call,
    bad_request,
    busy,
    overlapping,
)
from cal_bookings.testing.endpoints.validation import (
    is_email,
    is_phone,
    read_instant,
)
from cal_bookings.testing.responses import (
    Bare,
    Refusal,
)
from cal_bookings.testing.world.catalog import (
    EventType,
    Person,
    User,
)
from cal_bookings.testing.world.clock import wire

#: The answers that Cal.com takes from the attendee and the guests, whatever the responses say.
_OF_THE_ATTENDEE = ("email", "name", "guests", "location")
_NAMES = {
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


@dataclass(frozen=True)
class BookingRequest:
    event_type: EventType
    host: User
    person: Person
    guests: list[Person]
    start: datetime
    minutes: int
    metadata: dict[str, str]
    #: The answers of the booker, without name and address.
    responses: dict[str, Any]
    #: The location, unless it is that of the event type.
    location: str
    #: True if the meeting starts at once, with the host who comes first; until then nobody is busy.
    instant: bool = False

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


def read(call: Call, event_type: EventType) -> BookingRequest:
    """Return the request that a body holds. Raises Refusal for the errors that only the booking core finds."""
    minutes = _minutes(call.body.get("lengthInMinutes"), event_type)
    place = locations.wanted(call.body, event_type)
    person = _person(call.body["attendee"])
    guests = [_guest(email, person) for email in call.body.get("guests") or ()]
    responses = _responses(call, person)
    if place:
        responses["location"] = place["response"]
    return BookingRequest(
        event_type,
        _host(call, event_type),
        person,
        guests,
        _start(call),
        minutes,
        _metadata(call.body.get("metadata") or {}),
        responses,
        place.get("location", ""),
        instant=call.flag("instant"),
    )


def must_be_free(call: Call, request: BookingRequest) -> None:
    """Check that the host is free then, unless a host asks to allow collisions. Raises Refusal."""
    hosts = request.event_type.owner_id, request.host.id
    if call.flag("allowConflicts") and call.user and call.user.id in hosts:
        return
    start, end = wire(request.start), wire(request.end)
    if overlapping(call.world, [{"id": request.host.id}], start, end):
        raise busy(call)


def book(call: Call, request: BookingRequest, series: str = "") -> str:
    """Book and return the uid. Raises Refusal if the host has an accepted booking of the same start and end.

    Subscribers are notified of the booking, or of the seats of a seated booking.
    """
    status = _status(request)
    if status == "accepted":
        must_be_unique(
            call, [{"id": request.host.id}], wire(request.start), wire(request.end)
        )
    is_seated = request.event_type.kind == "seated"
    payload = call.world.new_payload(
        request.event_type,
        [request.host],
        [request.person] if is_seated else [request.person, *request.guests],
        request.start,
        created=call.world.clock.now(),
        minutes=request.minutes,
        status=status,
        series=series,
    )
    if request.location:
        payload |= {"location": request.location, "meetingUrl": request.location}
    if not is_seated:
        payload["description"] = request.responses.get("notes", "")
        payload["metadata"] = request.metadata
        payload["bookingFieldsResponses"] |= request.responses
    uid = call.world.insert(payload, {request.host.id}, request.event_type.team_id)
    if not is_seated:
        call.world.announce_new(uid)
    return uid


def _status(request: BookingRequest) -> str:
    if request.instant:
        return "awaiting_host"
    return "pending" if request.event_type.kind == "confirm" else "accepted"


def must_be_unique(call: Call, hosts: list[Any], start: str, end: str) -> None:
    """Refuse, as the database, only a second accepted booking of the same host, start and end. Raises Refusal."""
    for uid in overlapping(
        call.world, hosts, start, end, but=call.parts.get("uid", "")
    ):
        row = call.world.rows[uid]
        if (row["start"], row["end"]) == (start, end):
            raise Bare(409, "booking_conflict_error")


def _start(call: Call) -> datetime:
    """Return the start. An instant meeting begins now, and now is past when the request arrives."""
    start = read_instant(call.body.get("start"))
    return start if start and call.flag("instant") else call.start()


def _minutes(wanted: int | None, event_type: EventType) -> int:
    if wanted is None:
        return event_type.minutes
    if not event_type.lengths:
        raise Refusal(
            400,
            "Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths. Please, remove "
            "the 'lengthInMinutes' field from the request.",
        )
    if wanted not in event_type.lengths:
        lengths = ", ".join(map(str, event_type.lengths))
        raise Refusal(
            400,
            "Provided 'lengthInMinutes' is not one of the possible lengths for the event type. The possible lengths "
            f"are: {lengths}",
        )
    return int(wanted)


def _host(call: Call, event_type: EventType) -> User:
    """Return the owner; for a round robin, the first of those whom a routing form names."""
    users, routing = call.world.users, call.body.get("routing") or {}
    if event_type.kind == "round-robin":
        for number in routing.get("teamMemberIds") or ():
            if number in users:
                return users[number]
    return users[event_type.owner_id or 1]


def _person(given: dict[str, Any]) -> Person:
    if not given["name"].strip():
        raise bad_request("responses - {name}", "error_required_field")
    email, phone = given.get("email") or "", given.get("phoneNumber") or ""
    if not is_email(email):
        wrong = "email_validation_error" if email else "error_required_field"
        raise bad_request("responses - {email}", wrong)
    if phone and not is_phone(phone):
        raise bad_request("responses - {attendeePhoneNumber}", "invalid_number")
    language = given.get("language") or "en"
    return Person(given["name"], email, given["timeZone"], language, phone)


def _guest(email: str, booker: Person) -> Person:
    if not is_email(email):
        raise bad_request("responses - {guests}", "email_validation_error")
    return Person("", email, booker.time_zone, booker.language)


def _responses(call: Call, person: Person) -> dict[str, Any]:
    given = call.body.get("bookingFieldsResponses") or {}
    notes = given.get("notes", "")
    if not isinstance(notes, str):
        wrong = f"Expected string, received {_NAMES[type(notes)]}"
        raise bad_request("responses - {notes}", wrong)
    kept = {key: value for key, value in given.items() if key not in _OF_THE_ATTENDEE}
    if person.phone_number:
        kept["attendeePhoneNumber"] = person.phone_number
    return kept


def _metadata(given: dict[str, Any]) -> dict[str, str]:
    for name, value in given.items():
        if not isinstance(value, str):
            wrong = f".{name} - Expected string, received {_NAMES[type(value)]}"
            raise bad_request("metadata", wrong)
    return given
