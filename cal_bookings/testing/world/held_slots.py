"""The slots that are held for a while, so that others are not offered them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from cal_bookings.testing.world.catalog import EventType, long_uid
from cal_bookings.testing.world.clock import Clock, wire


@dataclass(frozen=True)
class Reservation:
    """A slot of one event type, held until a time."""

    uid: str
    event_type: EventType
    start: datetime
    end: datetime
    until: datetime

    def overlaps(self, start: datetime, end: datetime) -> bool:
        return self.start < end and start < self.end

    def as_json(self) -> dict[str, Any]:
        """Return the reservation as GET shows it [rec 030]; the length is a number, whatever the documentation says."""
        return {
            "reservationUid": self.uid,
            "eventTypeId": self.event_type.id,
            "slotStart": wire(self.start),
            "slotEnd": wire(self.end),
            "slotDuration": int((self.end - self.start).total_seconds() // 60),
            "reservationUntil": wire(self.until),
        }


class Reservations:
    """The reservations of one world. One that has run out is no longer shown, and holds nothing."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        #: The source of uids, which is not shared: a reservation must not change the uids of the bookings of a seed.
        self._random = random
        self._kept: dict[str, Reservation] = {}

    def __iter__(self) -> Iterator[Reservation]:
        now = self._clock.now()
        return iter([held for held in self._kept.values() if held.until > now])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get(self, uid: str) -> Reservation | None:
        return next((held for held in self if held.uid == uid), None)

    def new_uid(self) -> str:
        return long_uid(self._random)

    def keep(self, reservation: Reservation) -> None:
        """Add a reservation, or replace the one with its uid."""
        self._kept[reservation.uid] = reservation

    def release(self, uid: str) -> bool:
        """Release a reservation and return whether it existed."""
        held = self.get(uid) is not None
        self._kept.pop(uid, None)
        return held
