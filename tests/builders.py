"""Payloads as Cal.com sends them: Ada hosts, Ben attends. A test names only what it is about."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_numbers = count(1)


def iso(moment: datetime) -> str:
    return (
        moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def attendee_payload(name: str = "Ben", **fields: Any) -> dict[str, Any]:
    email = f"{name.lower()}@example.net"
    return {
        "name": name,
        "email": email,
        "displayEmail": email,
        "timeZone": "America/New_York",
        "language": "en",
        "absent": False,
    } | fields


def host_payload(name: str = "Ada", **fields: Any) -> dict[str, Any]:
    email = f"{name.lower()}@example.com"
    return {
        "id": 1,
        "name": name,
        "email": email,
        "displayEmail": email,
        "username": name.lower(),
        "timeZone": "Europe/Rome",
    } | fields


def booking_payload(uid: str | None = None, **fields: Any) -> dict[str, Any]:
    """An accepted booking of half an hour, with the keys of recording 039."""
    number = next(_numbers)
    uid = uid or f"uid-{number}"
    start = fields.pop("start", START)
    if isinstance(start, datetime):
        fields = {"end": iso(start + timedelta(minutes=30))} | fields
        start = iso(start)
    return {
        "id": number,
        "uid": uid,
        "title": "Consultation between Ada and Ben",
        "description": "",
        "hosts": [host_payload()],
        "status": "accepted",
        "cancellationReason": "",
        "cancelledByEmail": "",
        "rescheduledByEmail": None,
        "start": start,
        "duration": 30,
        "eventTypeId": 2,
        "eventType": {"id": 2, "slug": "consultation"},
        "meetingUrl": "https://meet.example.com/room",
        "location": "https://meet.example.com/room",
        "absentHost": False,
        "createdAt": "2026-11-20T19:51:19.874Z",
        "updatedAt": "2026-11-20T19:51:20.117Z",
        "metadata": {},
        "rating": None,
        "icsUid": f"{uid}@Cal.com",
        "attendees": [attendee_payload()],
        "bookingFieldsResponses": {"email": "ben@example.net", "name": "Ben"},
    } | fields
