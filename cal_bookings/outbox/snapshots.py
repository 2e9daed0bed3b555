"""The facts of a booking that matter to actions: kept as the person saw them, compared when the action is delivered."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cal_bookings.client import RemoteBooking
from cal_bookings.models import Booking
from cal_bookings.outbox.messages import ChangeText, status_text
from cal_bookings.sentences import Message

_TEXTS = {
    "status": ChangeText.STATUS,
    "start": ChangeText.START,
    "hosts": ChangeText.HOSTS,
    "location": ChangeText.LOCATION,
}


def takes_place(remote: RemoteBooking) -> bool:
    """Return whether Cal.com shows a booking as taking place."""
    return remote.status not in Booking.NOT_TAKING_PLACE


def facts(remote: RemoteBooking) -> dict[str, Any]:
    """Return the facts of a booking as JSON, with its people sorted, because Cal.com shows them in any order."""
    return in_order(_facts(remote))


def in_order(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return facts with their people sorted. Facts that an earlier release kept have Cal.com's order."""
    return snapshot | {
        name: sorted(snapshot[name], key=_identity)
        for name in ("hosts", "attendees")
        if name in snapshot
    }


def _identity(person: Any) -> str:
    return json.dumps(person, sort_keys=True)


def _facts(remote: RemoteBooking) -> dict[str, Any]:
    return {
        "uid": remote.uid,
        "status": remote.status,
        "active": takes_place(remote),
        "start": remote.start.isoformat(),
        "end": remote.end.isoformat(),
        "hosts": [host.remote_id for host in remote.hosts],
        "location": remote.location,
        "absent_host": remote.absent_host,
        "attendees": [
            {
                "email": attendee.email,
                "absent": attendee.absent,
                "seat_uid": attendee.seat_uid,
            }
            for attendee in remote.attendees
        ],
        "rescheduled_to_uid": remote.rescheduled_to_uid,
        "updated_at": remote.remote_updated_at and remote.remote_updated_at.isoformat(),
    }


def differences(
    seen: dict[str, Any], current: dict[str, Any], names: Iterable[str]
) -> Message:
    """Return those of `names` whose facts differ from what was seen, as a message; it is empty if none differs."""
    seen, current = in_order(seen), in_order(current)
    message = Message()
    if "active" in names and seen.get("active") != current.get("active"):
        becomes = ChangeText.ACTIVE if current.get("active") else ChangeText.NOT_ACTIVE
        message += becomes()
    for name, text in _TEXTS.items():
        before, after = seen.get(name), current.get(name)
        if name in names and before != after:
            message += text(before=_shown(before), after=_shown(after))
    return message


def _shown(value: Any) -> Message | str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or ChangeText.NONE()
    moment = _moment(value)
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else status_text(str(value))


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
