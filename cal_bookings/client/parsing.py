"""The conversion of a booking's payload into typed values: `parse_booking` is pure and tolerant.

Everything may be missing, null or of another type; only a booking without uid or start is
refused. A missing text is "". Nothing is cut: on Cal.com a uid has 22 characters, and the
columns of the mirror take 255 of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cal_bookings.client.dialects import describe
from cal_bookings.client.timestamps import (
    is_within_reach,
    read_instant,
)

# Cal.com's word for a value that it could not parse, in place of a location, an address, any field
# of a host, even its id.
_UNPARSED = "unknown"

#: Raise the number by one if a payload yields other typed values than before, or one more: the next full walk of each
#: account then derives the bookings whose payload does not change.
PARSER_VERSION = 1

_BIGGEST_ID = 2**63 - 1  # the most that a BigIntegerField holds
_BIGGEST_COUNT = 2**31 - 1  # the most that an IntegerField holds


class InvalidBooking(ValueError):
    """The error for a payload that is no booking: it has no uid or no start."""

    def __init__(self, message: str, *, uid: str = "") -> None:
        super().__init__(message)
        self.uid = uid


@dataclass(frozen=True, slots=True)
class RemoteEventType:
    remote_id: int
    slug: str


@dataclass(frozen=True, slots=True)
class RemoteHost:
    remote_id: int | None
    name: str
    email: str
    username: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class RemoteAttendee:
    position: int
    name: str
    email: str
    display_email: str
    time_zone: str
    language: str
    phone_number: str
    absent: bool
    seat_uid: str
    metadata: dict[str, Any]
    booking_fields_responses: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RemoteBooking:
    uid: str
    remote_id: int | None
    title: str
    description: str
    #: The status as sent: statuses that Cal.com will add included.
    status: str
    start: datetime
    end: datetime
    duration: int
    #: The event type; None for a deleted one, whose number may still be known.
    event_type: RemoteEventType | None
    event_type_remote_id: int | None
    hosts: tuple[RemoteHost, ...]
    location: str
    absent_host: bool
    cancellation_reason: str
    cancelled_by_email: str
    rescheduling_reason: str
    rescheduled_by_email: str
    rescheduled_from_uid: str
    rescheduled_to_uid: str
    recurring_booking_uid: str
    rating: int | None
    ics_uid: str
    guests: list[str]
    metadata: dict[str, Any]
    booking_fields_responses: dict[str, Any]
    remote_created_at: datetime | None
    remote_updated_at: datetime | None
    attendees: tuple[RemoteAttendee, ...]


def parse_booking(payload: Any) -> RemoteBooking:
    """Return the booking of a payload of any list or GET; raises InvalidBooking."""
    if not isinstance(payload, dict):
        raise InvalidBooking(f"expected an object, got {describe(payload)}")
    get = payload.get
    uid = _uid(get("uid"))
    start = _start(get("start"), uid)
    end, duration = _end_and_duration(start, get("end"), get("duration"))
    event_type, event_type_remote_id = _event_type(get("eventType"), get("eventTypeId"))
    return RemoteBooking(
        uid=uid,
        remote_id=_number(get("id")),
        title=_text(get("title")),
        description=_text(get("description")),
        status=_text(get("status")),
        start=start,
        end=end,
        duration=duration,
        event_type=event_type,
        event_type_remote_id=event_type_remote_id,
        hosts=_hosts(get("hosts")),
        location=_known(get("location")),
        absent_host=get("absentHost") is True,
        cancellation_reason=_text(get("cancellationReason")),
        cancelled_by_email=_known(get("cancelledByEmail")),
        rescheduling_reason=_known(get("reschedulingReason")),
        rescheduled_by_email=_known(get("rescheduledByEmail")),
        rescheduled_from_uid=_text(get("rescheduledFromUid")),
        rescheduled_to_uid=_text(get("rescheduledToUid")),
        recurring_booking_uid=_text(get("recurringBookingUid")),
        rating=_number(get("rating"), biggest=_BIGGEST_COUNT),
        ics_uid=_text(get("icsUid")),
        guests=[
            _text(guest) for guest in _list(get("guests")) if isinstance(guest, str)
        ],
        metadata=_object(get("metadata")),
        booking_fields_responses=_object(get("bookingFieldsResponses")),
        remote_created_at=read_instant(get("createdAt")),
        remote_updated_at=read_instant(get("updatedAt")),
        attendees=_attendees(get("attendees")),
    )


def _uid(value: Any) -> str:
    uid = _text(value)
    if not uid:
        raise InvalidBooking(f"uid: expected text, got {_shown(value)}")
    return uid


def _start(value: Any, uid: str) -> datetime:
    start = read_instant(value)
    if start is None:
        raise InvalidBooking(
            f"start: expected an ISO 8601 time, got {_shown(value)}", uid=uid
        )
    return start


def _shown(value: Any) -> str:
    return "an empty text" if value == "" else describe(value)


def _end_and_duration(start: datetime, end: Any, duration: Any) -> tuple[datetime, int]:
    """Return the end and the duration, each from the other where one is missing."""
    minutes = _number(duration, biggest=_BIGGEST_COUNT)
    moment = read_instant(end)
    if moment is None:
        moment = _later(start, minutes or 0)
    if minutes is None:
        minutes = round((moment - start) / timedelta(minutes=1))
    return moment, max(0, minutes)


def _later(start: datetime, minutes: int) -> datetime:
    try:
        end = start + timedelta(minutes=minutes)
    except OverflowError:
        return start
    return end if is_within_reach(end) else start


def _event_type(value: Any, number: Any) -> tuple[RemoteEventType | None, int | None]:
    """Return the event type and its number, each from the other where one is missing."""
    remote_id = _number(number)
    if not isinstance(value, dict):
        return None, remote_id
    own_id = _number(value.get("id"))
    own_id = remote_id if own_id is None else own_id
    if own_id is None:
        return None, None
    event_type = RemoteEventType(own_id, _known(value.get("slug")))
    return event_type, own_id if remote_id is None else remote_id


def _hosts(value: Any) -> tuple[RemoteHost, ...]:
    hosts = (_host(host) for host in _list(value) if isinstance(host, dict))
    return tuple(host for host in hosts if host is not None)


def _host(host: Mapping[str, Any]) -> RemoteHost | None:
    remote_id, email = _number(host.get("id")), _known(host.get("email"))
    name, username = _known(host.get("name")), _known(host.get("username"))
    if remote_id is None and not (email or name or username):
        return None
    return RemoteHost(
        remote_id=remote_id,
        name=name,
        email=email,
        username=username,
        time_zone=_known(host.get("timeZone")),
    )


def _attendees(value: Any) -> tuple[RemoteAttendee, ...]:
    attendees = (attendee for attendee in _list(value) if isinstance(attendee, dict))
    return tuple(
        RemoteAttendee(
            position=position,
            name=_name(attendee.get("name")),
            email=_known(attendee.get("email")),
            display_email=_known(attendee.get("displayEmail")),
            time_zone=_known(attendee.get("timeZone")),
            language=_text(attendee.get("language")),
            phone_number=_known(attendee.get("phoneNumber")),
            absent=attendee.get("absent") is True,
            seat_uid=_text(attendee.get("seatUid")),
            metadata=_object(attendee.get("metadata")),
            booking_fields_responses=_object(attendee.get("bookingFieldsResponses")),
        )
        for position, attendee in enumerate(attendees)
    )


def _name(value: Any) -> str:
    # Where the booking form asks for first and last name, the answer is an object.
    if isinstance(value, dict):
        parts = (_known(value.get("firstName")), _known(value.get("lastName")))
        return " ".join(part for part in parts if part)
    return _known(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    # PostgreSQL stores no NUL in text.
    return value.replace("\x00", "") if "\x00" in value else value


def _known(value: Any) -> str:
    return "" if value == _UNPARSED else _text(value)


def _number(value: Any, *, biggest: int = _BIGGEST_ID) -> int | None:
    """Return a whole number from 0, also when it is sent as text or as 30.0."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        number = int(value[:20])
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif type(value) is int:
        number = value
    else:
        return None
    return number if 0 <= number <= biggest else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(value: Any) -> dict[str, Any]:
    return without_nuls(value) if isinstance(value, dict) else {}


def without_nuls(value: Any) -> Any:
    r"""Return the JSON value without "\u0000", which PostgreSQL stores neither in text nor in jsonb."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {without_nuls(key): without_nuls(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nuls(item) for item in value]
    return value
