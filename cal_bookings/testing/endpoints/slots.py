"""Free times: every half hour of office hours in UTC, on weekdays, in which no host of the event type has a booking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cal_bookings.testing.endpoints import validation
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
#: Longer ranges are answered as far as this.
_MOST = timedelta(days=366)


def _number(name: str, value: Any) -> dict[str, str]:
    told = f"{name} must be a number conforming to the specified constraints"
    return {} if value.isdecimal() else {"isNumber": told}


def _format(name: str, value: Any) -> dict[str, str]:
    told = f"{name} must be one of the following values: range, time"
    return {} if value in ("range", "time") else {"isEnum": told}


_QUERY = {
    "eventTypeId": Field(_number, required=True),
    "start": Field(validation.instant, required=True),
    "end": Field(validation.instant, required=True),
    "timeZone": Field(validation.time_zone),
    "duration": Field(_number),
    "format": Field(_format),
    "bookingUidToReschedule": Field(validation.text),
}


def answer(world: World, request: Request) -> Answer:
    """Days without free times are absent [rec 018]; another version is another resource [rec 019]."""
    if request.version != VERSION:
        raise Refusal(404, f"Cannot GET {request.full_path}")
    query = {name: request.one(name) for name in request.query}
    refuse_strictly(_QUERY, {"eventTypeId": "", **query})
    event_type = world.event_types.get(int(query["eventTypeId"]))
    if event_type is None:
        raise Refusal(404, "Event Type not found")
    length = timedelta(minutes=int(query.get("duration") or event_type.minutes))
    time_zone = ZoneInfo(query.get("timeZone", "UTC"))
    days: dict[str, list[dict[str, Any]]] = {}
    for start in _free(world, event_type, query, length):
        shown: dict[str, Any] = {"start": _shown(start, time_zone)}
        if query.get("format") == "range":
            shown["end"] = _shown(start + length, time_zone)
        if event_type.kind == "seated":
            shown |= _seats(world, event_type, start)
        days.setdefault(f"{start.astimezone(time_zone):%Y-%m-%d}", []).append(shown)
    return success(days)


def _free(
    world: World, event_type: EventType, query: dict[str, str], length: timedelta
) -> Iterator[datetime]:
    moving = query.get("bookingUidToReschedule", "")
    hosts: set[Any] = {event_type.owner_id}
    if moving in world.rows:
        hosts = {host["id"] for host in world.rows[moving]["hosts"]}
    begin, end = _moment(query["start"]), _end(query["end"])
    busy = list(_busy(world, hosts, moving, event_type))
    for start in _office_hours(max(begin, world.clock.now()), end):
        first, last = wire(start), wire(start + length)
        if not any(one < last and first < other for one, other in busy):
            yield start


def _moment(text: str) -> datetime:
    moment = read_instant(text)
    if moment is None:
        raise ValueError(text)  # it has passed its check
    return moment


def _end(text: str) -> datetime:
    """A day without a time is asked for as a whole [rec 013]."""
    day = timedelta(days=1) if len(text) == len("2026-11-23") else timedelta(0)
    return _moment(text) + day


def _shown(moment: datetime, time_zone: ZoneInfo) -> str:
    """In UTC, or with the offset of the time zone that was asked for [rec 014]."""
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
    """A seated booking leaves its time free as long as it has seats."""
    for uid, row in world.rows.items():
        taken = row["status"] in ("accepted", "pending") and uid != moving
        if event_type.kind == "seated" and row["eventTypeId"] == event_type.id:
            taken = taken and len(row["attendees"]) >= event_type.seats
        if taken and not hosts.isdisjoint(host["id"] for host in row["hosts"]):
            yield row["start"], row["end"]


def _seats(world: World, event_type: EventType, start: datetime) -> dict[str, Any]:
    """How full the booking at that time is, and which it is [rec 016, 456]."""
    booked, shown = 0, {}
    for uid, row in world.rows.items():
        there = row["eventTypeId"] == event_type.id and row["start"] == wire(start)
        if there and row["status"] == "accepted":
            booked, shown = len(row["attendees"]), {"bookingUid": uid}
    total = event_type.seats
    return shown | {
        "seatsBooked": booked,
        "seatsRemaining": total - booked,
        "seatsTotal": total,
    }
