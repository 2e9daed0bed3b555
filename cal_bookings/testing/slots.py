"""Free times: every half hour of office hours in UTC, on weekdays, in which no host of the event type has a booking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from .answers import Answer, Refusal, Request, success
from .clock import wire
from .world import World

VERSION = "2024-09-04"
OFFICE_HOURS = range(9, 17)
_STEP = timedelta(minutes=30)


def answer(world: World, request: Request) -> Answer:
    """Days without free times are absent [rec 018]; another version is another resource [rec 019]."""
    if request.version != VERSION:
        raise Refusal(404, f"Cannot GET /v2{request.path}")
    event_type = world.event_types.get(int(request.one("eventTypeId", "0")))
    if event_type is None:
        raise Refusal(404, "Event Type not found")
    begin, end = (_moment(request, name) for name in ("start", "end"))
    moving = request.one("bookingUidToReschedule")
    hosts = {event_type.owner_id}
    if moving in world.rows:
        hosts = {host["id"] for host in world.rows[moving]["hosts"]}
    days: dict[str, list[dict[str, str]]] = {}
    length = timedelta(minutes=event_type.minutes)
    busy = list(_busy(world, hosts, moving))
    for start in _office_hours(max(begin, world.clock.now()), end):
        first, last = wire(start), wire(start + length)
        if not any(one < last and first < other for one, other in busy):
            days.setdefault(f"{start:%Y-%m-%d}", []).append({"start": first})
    return success(days)


def _moment(request: Request, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(request.one(name))
    except ValueError:
        told = f"{name} property is wrong,{name} must be a valid ISO 8601 date string "
        raise Refusal(400, told) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _office_hours(begin: datetime, end: datetime) -> Iterator[datetime]:
    moment = begin.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while moment < end:
        if moment >= begin and moment.hour in OFFICE_HOURS and moment.weekday() < 5:
            yield moment
        moment += _STEP


def _busy(world: World, hosts: set[Any], moving: str) -> Iterator[tuple[str, str]]:
    for uid, row in world.rows.items():
        taken = row["status"] in ("accepted", "pending") and uid != moving
        if taken and not hosts.isdisjoint(host["id"] for host in row["hosts"]):
            yield row["start"], row["end"]
