"""The free times: every half hour of office hours in UTC, on weekdays, in which no host has a booking or a reservation.

The answers of Cal.com are kept for two seconds; these are not [rec 033].
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cal_bookings.testing.endpoints import event_types, validation
from cal_bookings.testing.endpoints.validation import (
    Field,
    read_instant,
    refuse_strictly,
)
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    Request,
    success,
)
from cal_bookings.testing.world.catalog import EventType
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.state import World

VERSION = "2024-09-04"
OFFICE_HOURS = range(9, 17)
_STEP = timedelta(minutes=30)
#: The longest range of an answer; longer ones end there.
_MOST = timedelta(days=366)


def _number(name: str, value: Any) -> dict[str, str]:
    message = f"{name} must be a number conforming to the specified constraints"
    return {} if value.isdecimal() else {"isNumber": message}


def _format(name: str, value: Any) -> dict[str, str]:
    message = f"{name} must be one of the following values: range, time"
    return {} if value in ("range", "time") else {"isEnum": message}


def _usernames(name: str, value: Any) -> dict[str, str]:
    broken = {} if value else {"isString": f"each value in {name} must be a string"}
    if len(value.split(",")) < 2:
        broken["arrayMinSize"] = "The array must contain at least 2 elements."
    return broken if value else broken | {"isArray": f"{name} must be an array"}


def _given(name: str, value: Any) -> dict[str, str]:
    return {} if value else {"isString": f"{name} must be a string"}


_TEXT = Field(validation.text, required=True)
_ORGANIZATION = {"organizationSlug": Field(validation.text)}
_COMMON = {
    "start": Field(validation.instant, required=True),
    "end": Field(validation.instant, required=True),
    "timeZone": Field(validation.time_zone),
    "duration": Field(_number),
    "format": Field(_format),
    "bookingUidToReschedule": Field(validation.text),
}
#: The parameters of each way to name the event type or the people, by those that identify it. The last way is the rest.
_WAYS: dict[tuple[str, ...], dict[str, Field]] = {
    ("eventTypeId",): {"eventTypeId": Field(_number, required=True)},
    ("eventTypeSlug", "username"): {
        "eventTypeSlug": _TEXT,
        "username": _TEXT,
        **_ORGANIZATION,
    },
    ("eventTypeSlug", "teamSlug"): {
        "eventTypeSlug": _TEXT,
        "teamSlug": _TEXT,
        **_ORGANIZATION,
    },
    (): {
        "usernames": Field(_usernames, required=True),
        "organizationSlug": Field(_given, required=True),
    },
}
#: The event type of the slots that are requested by usernames.
_DYNAMIC = EventType(0, "dynamic", "Dynamic", 30)


def answer(world: World, request: Request) -> Answer:
    """Return the slots. Days without any are absent [rec 018]; another version is a 404 [rec 019]. Raises Refusal."""
    if request.version != VERSION:
        raise Refusal(404, f"Cannot GET {request.full_path}")
    query = {name: request.one(name) for name in request.query}
    way = next(way for way in _WAYS if set(way) <= set(query))
    absent = {} if way else {"usernames": "", "organizationSlug": ""}
    refuse_strictly(_WAYS[way] | _COMMON, absent | query)
    event_type, hosts = _whose(world, way, query)
    length = timedelta(minutes=int(query.get("duration") or event_type.minutes))
    time_zone = ZoneInfo(query.get("timeZone", "UTC"))
    days: dict[str, list[dict[str, Any]]] = {}
    for start in _free(world, event_type, hosts, query, length):
        shown: dict[str, Any] = {"start": _shown(start, time_zone)}
        if query.get("format") == "range":
            shown["end"] = _shown(start + length, time_zone)
        if event_type.kind == "seated":
            shown |= _seats(world, event_type, start)
        days.setdefault(f"{start.astimezone(time_zone):%Y-%m-%d}", []).append(shown)
    return success(days)


def _whose(
    world: World, way: tuple[str, ...], query: dict[str, str]
) -> tuple[EventType, set[Any]]:
    """Return the event type, and the hosts who must be free. Raises Refusal."""
    if not way:
        names = set(query["usernames"].split(","))
        hosts = {user.id for user in world.users.values() if user.username in names}
        if len(hosts) < len(names):
            raise Refusal(404, "User not found")
        return _DYNAMIC, set(hosts)
    if way == ("eventTypeId",):
        event_type = world.event_types.get(int(query["eventTypeId"]))
    else:
        event_type = event_types.named(world, query)
    if event_type is None:
        raise Refusal(404, "Event Type not found")
    return event_type, {event_type.owner_id}


def _free(
    world: World,
    event_type: EventType,
    hosts: set[Any],
    query: dict[str, str],
    length: timedelta,
) -> Iterator[datetime]:
    moving = query.get("bookingUidToReschedule", "")
    if moving in world.rows:
        hosts = {host["id"] for host in world.rows[moving]["hosts"]}
    begin, end = _moment(query["start"]), _end(query["end"])
    busy = [*_busy(world, hosts, moving, event_type), *_reserved(world, hosts)]
    for start in _office_hours(max(begin, world.clock.now()), end):
        first, last = wire(start), wire(start + length)
        taken = any(one < last and first < other for one, other in busy)
        if not taken and _has_seat(world, event_type, start):
            yield start


def _moment(text: str) -> datetime:
    moment = read_instant(text)
    if moment is None:
        raise ValueError(text)  # the value has passed its check
    return moment


def _end(text: str) -> datetime:
    """Return the end of the range. A day without a time means the whole day [rec 013]."""
    day = timedelta(days=1) if len(text) == len("2026-11-23") else timedelta(0)
    return _moment(text) + day


def _shown(moment: datetime, time_zone: ZoneInfo) -> str:
    """Return a time in UTC, or with the offset of the requested time zone [rec 014]."""
    if time_zone.key == "UTC":
        return wire(moment)
    return moment.astimezone(time_zone).isoformat(timespec="milliseconds")


def _office_hours(begin: datetime, end: datetime) -> Iterator[datetime]:
    moment = begin.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    end = min(end, begin + _MOST)
    while moment < end:
        if moment >= begin and moment.hour in OFFICE_HOURS and moment.weekday() < 5:
            yield moment
        moment += _STEP


def _busy(
    world: World, hosts: set[Any], moving: str, event_type: EventType
) -> Iterator[tuple[str, str]]:
    """Yield the busy times. A seated booking leaves its time free as long as it has seats."""
    for uid, row in world.rows.items():
        taken = row["status"] in ("accepted", "pending") and uid != moving
        if event_type.kind == "seated" and row["eventTypeId"] == event_type.id:
            taken = taken and len(row["attendees"]) >= event_type.seats
        if taken and not hosts.isdisjoint(host["id"] for host in row["hosts"]):
            yield row["start"], row["end"]


def _reserved(world: World, hosts: set[Any]) -> Iterator[tuple[str, str]]:
    """Yield the times that others hold of these hosts. For a seated event type, a reservation holds only a seat."""
    for held in world.reservations:
        if held.event_type.owner_id in hosts and held.event_type.kind != "seated":
            yield wire(held.start), wire(held.end)


def _has_seat(world: World, event_type: EventType, start: datetime) -> bool:
    return (
        event_type.kind != "seated"
        or _seats(world, event_type, start)["seatsRemaining"] > 0
    )


def _seats(world: World, event_type: EventType, start: datetime) -> dict[str, Any]:
    """Return the seats and the uid of the booking at that time [rec 016, 456]."""
    booked, shown = 0, {}
    for uid, row in world.rows.items():
        there = row["eventTypeId"] == event_type.id and row["start"] == wire(start)
        if there and row["status"] == "accepted":
            booked, shown = len(row["attendees"]), {"bookingUid": uid}
    booked += sum(
        held.event_type.id == event_type.id and held.start == start
        for held in world.reservations
    )
    total = event_type.seats
    return shown | {
        "seatsBooked": booked,
        "seatsRemaining": total - booked,
        "seatsTotal": total,
    }
