"""The facts of a booking that matter to actions: kept as the person saw them, compared when the action is delivered."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cal_bookings.client import RemoteBooking
from cal_bookings.models import Booking

_WORDS = {
    "status": "its status",
    "active": "whether it takes place",
    "start": "its start",
    "hosts": "its hosts",
    "location": "its location",
}


def takes_place(remote: RemoteBooking) -> bool:
    """Whether Cal.com shows a booking as one that takes place."""
    return remote.status not in Booking.NOT_TAKING_PLACE


def facts(remote: RemoteBooking) -> dict[str, Any]:
    """Return the facts of a booking, as JSON, with its people in an order of ours: Cal.com shows them in any order."""
    return in_order(_facts(remote))


def in_order(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return facts with their people sorted. Those that an earlier release kept are as Cal.com showed them."""
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
) -> list[str]:
    """Return a phrase for each of `names` that is not as it was seen."""
    seen, current = in_order(seen), in_order(current)
    return [
        f"{_WORDS[name]} was {_said(seen.get(name))} and is {_said(current.get(name))}"
        for name in _WORDS
        if name in names and seen.get(name) != current.get(name)
    ]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    moment = _moment(value)
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else str(value)


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
