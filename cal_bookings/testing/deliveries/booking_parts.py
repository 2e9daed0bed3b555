"""The pieces of which the payloads of deliveries consist."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from cal_bookings.testing.world.catalog import EventType

Payload = dict[str, Any]

_SITE = "http://127.0.0.1:3000"
_HIDDEN = frozenset({"attendeePhoneNumber", "title"})
_LABELS = {
    "attendeePhoneNumber": "phone_number",
    "name": "your_name",
    "email": "email_address",
    "location": "location",
    "title": "what_is_this_meeting_about",
    "notes": "additional_notes",
    "guests": "additional_guests",
    "rescheduleReason": "reason_for_reschedule",
}


@dataclass(frozen=True)
class Scene:
    """The sources of a payload: the booking as it is shown, its event type, and the latest event."""

    booking: Payload
    event_type: EventType | None = None
    #: The seat of the event.
    seat: Payload | None = None
    #: The booking before it was moved.
    old: Payload | None = None
    #: True if the event is the confirmation of a requested booking.
    confirmed: bool = False
    reason: str = ""
    rescheduled_by: str = ""
    requests_reschedule: bool = False
    #: The further keys of some triggers.
    more: Payload = field(default_factory=dict)

    @property
    def is_seated(self) -> bool:
        return "bookingFieldsResponses" not in self.booking

    @property
    def attendees(self) -> list[Payload]:
        return [self.seat] if self.seat else list(self.booking.get("attendees") or ())


#: The keys of an attendee whose name was given in one piece.
NO_NAMES = {"firstName": "", "lastName": ""}


def one_time_password(booking: Payload) -> str:
    """Return the secret that every delivery about a booking holds."""
    return str(uuid5(NAMESPACE_URL, f"password of {booking['uid']}"))


def common(scene: Scene) -> Payload:
    booking, event_type = scene.booking, scene.event_type
    return {
        "bookerUrl": _SITE,
        "title": booking["title"],
        "type": event_type.slug if event_type else "",
        "organizer": organizer(scene),
        "additionalNotes": "",
        "description": booking.get("description") or "",
        "eventTypeId": booking["eventTypeId"],
        "hideOrganizerEmail": False,
        "seatsPerTimeSlot": event_type.seats
        if event_type and scene.is_seated
        else None,
        "customReplyToEmail": None,
        "customInputs": {},
        "userFieldsResponses": {},
        "location": booking["location"],
        "hideBranding": False,
        "uid": booking["uid"],
        "eventTitle": event_type.title if event_type else "",
        "eventDescription": None,
        "price": 0,
        "currency": "usd",
        "length": booking["duration"],
        "bookingId": booking["id"],
    }


def organizer(scene: Scene) -> Payload:
    host = (scene.booking["hosts"] or [{}])[0]
    names = ("id", "name", "email", "username", "timeZone")
    return {key: host.get(key) for key in names} | {
        "language": {"locale": "en"},
        "timeFormat": "h:mma",
        "utcOffset": _utc_offset(host.get("timeZone"), scene.booking["start"]),
    }


def person(attendee: Payload, scene: Scene) -> Payload:
    zone = attendee.get("timeZone")
    return {
        "email": attendee.get("email"),
        "name": attendee.get("name"),
        "timeZone": zone,
        "language": {"locale": attendee.get("language")},
        "utcOffset": _utc_offset(zone, scene.booking["start"]),
    }


def attendee_row(scene: Scene, attendee: Payload) -> Payload:
    """Return an attendee with the keys of its row in the database."""
    return person(attendee, scene) | {
        "id": scene.booking["id"] * 10,
        "phoneNumber": attendee.get("phoneNumber"),
        "locale": attendee.get("language"),
        "bookingId": scene.booking["id"],
        "noShow": attendee.get("absent", False),
    }


def names(attendee: Payload) -> Payload:
    first, _, last = str(attendee.get("name") or "").partition(" ")
    return {"firstName": first, "lastName": last}


def responses(scene: Scene, *, in_hand: bool) -> Payload:
    """Return the answers of the booker with their labels; the row of a seated booking has more of them."""
    whole = in_hand or scene.is_seated
    first = (scene.booking.get("attendees") or scene.attendees or [{}])[0]
    given = scene.booking.get("bookingFieldsResponses") or {}
    values: Payload = {"name": first.get("name"), "email": first.get("email")}
    if whole:
        option = "" if in_hand else scene.booking["location"]
        place = {"value": scene.booking["location"], "optionValue": option}
        values["location"] = place
    if scene.is_seated or given.get("guests"):
        values["guests"] = given.get("guests", [])
    if given.get("notes") or (scene.is_seated and not in_hand):
        values["notes"] = given.get("notes", "")
    names = [one for one in _LABELS if in_hand or one != "attendeePhoneNumber"]
    return {
        name: {"label": _LABELS[name]}
        | ({"value": values[name]} if name in values else {})
        | {"isHidden": name in _HIDDEN}
        for name in names
    }


def metadata(scene: Scene) -> Payload:
    """Return the metadata of the booking, or of the seat, with the address of the meeting."""
    of = scene.seat or scene.booking
    return {"videoCallUrl": scene.booking["location"]} | (of.get("metadata") or {})


def ical(scene: Scene) -> Payload:
    return {"iCalUID": scene.booking.get("icsUid"), "iCalSequence": 0}


def zulu(text: Any) -> Any:
    return f"{text[:19]}Z" if isinstance(text, str) else text


def with_offset(text: Any) -> Any:
    return f"{text[:19]}+00:00" if isinstance(text, str) else text


def _utc_offset(zone: Any, start: Any) -> int:
    """Return the minutes between UTC and a zone at that time; 0 if either is unknown."""
    try:
        offset = datetime.fromisoformat(start).astimezone(ZoneInfo(zone)).utcoffset()
    except (TypeError, ValueError, KeyError):
        return 0
    return int(offset.total_seconds() // 60) if offset else 0
