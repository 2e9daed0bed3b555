"""The details of one booking on demand: links, references, rooms, one attendee, and the booking of a seat."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from cal_bookings.testing.endpoints import attendees
from cal_bookings.testing.endpoints.calls import Call, Change
from cal_bookings.testing.responses import (
    Refusal,
    invalid,
    success,
)
from cal_bookings.testing.world.meetings import Room

_TYPES = (
    *("google_calendar", "office365_calendar", "daily_video"),
    *("google_video", "office365_video", "zoom_video"),
)


def calendar_links(call: Call) -> Change:
    """Return the calendar links, for any credential [rec 316]. Raises Refusal for a deleted type (live, hosted)."""
    row = call.row
    if row["eventType"] is None:
        raise Refusal(400, f"Booking with uid={call.uid} has no event type")
    return lambda: success(_links(row.payload))


def _links(shown: dict[str, Any]) -> list[dict[str, str]]:
    start, end = (str(shown[name]).replace(".000", "") for name in ("start", "end"))
    compact = f"{start}/{end}".replace("-", "").replace(":", "")
    title, place = shown["title"], quote(str(shown["location"]), safe="")
    rest = f"enddt={end}&path=%2Fcalendar%2Faction%2Fcompose&rru=addevent&startdt={start}&subject={title}&location={place}"
    event = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    return [
        {
            "label": "Google Calendar",
            "id": "googleCalendar",
            "link": f"https://calendar.google.com/calendar/r/eventedit?dates={compact}&text={title}&details=&location={place}",
        },
        {
            "label": "Microsoft Office",
            "id": "microsoftOffice",
            "link": f"https://outlook.office.com/calendar/0/deeplink/compose?body=&{rest}",
        },
        {
            "label": "Microsoft Outlook",
            "id": "microsoftOutlook",
            "link": f"https://outlook.live.com/calendar/0/deeplink/compose?body=&{rest}",
        },
        {"label": "ICS", "id": "ics", "link": f"data:text/calendar,{quote(event)}"},
    ]


def references(call: Call) -> Change:
    """Return the references, for the organizer alone [rec 317]."""
    kind = call.request.one("type")
    if kind and kind not in _TYPES:
        message = f"type must be one of the following values: {', '.join(_TYPES)}"
        raise invalid("type", kind, isEnum=message)
    if not call.is_host:
        raise Refusal(400, f"Booking with uid {call.uid} does not belong to user")
    found = call.world.meetings.references[call.uid]
    return lambda: success([one for one in found if kind in ("", one["type"])])


def recordings(call: Call) -> Change:
    room = _room(call)
    return lambda: success(room.recordings)


def transcripts(call: Call) -> Change:
    room = _room(call)
    return lambda: success(room.transcripts)


def sessions(call: Call) -> Change:
    room = _room(call)
    return lambda: success(room.sessions)


def _room(call: Call) -> Room:
    """Return the room of the booking. Raises Refusal, also for a booking that takes place elsewhere [rec 313, 315]."""
    row = call.row
    room = call.world.meetings.rooms.get(call.uid)
    if room is None:
        raise Refusal(404, f"No Cal Video reference found with booking uid {call.uid}")
    # The recorded server serves everybody; hosted Cal.com only those with access.
    if call.user is None or call.user.id not in row.users:
        raise Refusal(403, "You do not have access to this booking")
    return room


def attendee(call: Call) -> Change:
    call.must_have_access()
    found = attendees.numbered(call, int(call.parts["attendee"]))
    numbers = {"id": int(call.parts["attendee"]), "bookingId": call.row["id"]}
    return lambda: success(found | numbers)


def booking_of_seat(call: Call) -> Change:
    """Return the booking of a seat, without a credential: everybody who knows the uid of the seat may read it."""
    seat = call.parts["seat"]
    for uid in call.world.find(
        lambda one: any(a.get("seatUid") == seat for a in one["attendees"] or ())
    ):
        return lambda: call.shown(uid)
    raise Refusal(404, f"Booking with seat reference uid={seat} was not found")
