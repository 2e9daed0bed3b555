"""The free slots of people, teams and event types."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from cal_bookings import budget
from cal_bookings.client import EventTypeIdentification, Slot
from cal_bookings.models import Account, Booking, EventType
from cal_bookings.slots import refusals

#: Seconds that a caller waits for its turn under the rate limit.
PATIENCE = 5.0


def free(
    account: Account,
    *,
    begin: datetime,
    end: datetime,
    event_type: EventType | int | None = None,
    event_type_slug: str = "",
    username: str = "",
    team_slug: str = "",
    organization_slug: str = "",
    usernames: Sequence[str] = (),
    duration: int | None = None,
    time_zone: str = "",
    rescheduling: Booking | str = "",
    max_wait: float | None = PATIENCE,
) -> list[Slot]:
    """Return the free slots between two aware times, in order. One request, outside any transaction.

    The slots are named in exactly one way: by `event_type`, which is a row or Cal.com's number; `event_type_slug` with
    `username` or `team_slug`, and `organization_slug` where there is one; or several `usernames` of an organization.
    `duration` in minutes chooses among several lengths. The slots are returned in `time_zone`, or in UTC.
    `rescheduling` is a booking, or its uid, that is to move: its own time counts as free.

    Raises SlotRefused for a time without a zone, ValueError for an identification that is none, `client.CalError`s, and
    `budget.NotNow` if the turn does not come within `max_wait` seconds. Cal.com keeps an answer for two seconds
    [rec 033].
    """
    for name, moment in (("begin", begin), ("end", end)):
        if moment.utcoffset() is None:
            raise refusals.naive(name)
    wanted = EventTypeIdentification(
        event_type_id=None if event_type is None else remote_id(event_type),
        event_type_slug=event_type_slug,
        username=username,
        team_slug=team_slug,
        organization_slug=organization_slug,
        usernames=tuple(usernames),
    )
    moving = rescheduling.uid if isinstance(rescheduling, Booking) else rescheduling
    with budget.connect(
        account, priority=budget.Priority.ACTION, max_wait=max_wait
    ) as connection:
        slots = connection.slots().free(
            wanted,
            begin=begin,
            end=end,
            time_zone=time_zone,
            duration=duration,
            rescheduling=moving,
        )
    return [_shown_in(time_zone, slot) for slot in slots] if time_zone else slots


def remote_id(event_type: EventType | int) -> int:
    """Return Cal.com's number of an event type."""
    return event_type.remote_id if isinstance(event_type, EventType) else event_type


def _shown_in(time_zone: str, slot: Slot) -> Slot:
    zone = ZoneInfo(time_zone)
    start, end = slot.start.astimezone(zone), slot.end.astimezone(zone)
    return replace(slot, start=start, end=end)
