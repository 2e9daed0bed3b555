"""The bookings that exist before a test begins, in every variant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cal_bookings.testing.world.catalog import (
    EVENT_TYPES,
    EventType,
    Person,
    User,
    half_hour,
    long_uid,
    somebody,
)
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.state import (
    Payload,
    World,
)


class SeededWorld(World):
    """A world with a past: the same seed gives the same bookings relative to the clock."""

    def seed(self, count: int, *, user: User | None = None) -> None:
        """Book `count` times, spread over two years past and two months to come, in every variant."""
        with self.lock:
            hosts = [user] if user else list(self.users.values())
            until = len(self.rows) + count
            while len(self.rows) < until:
                self._seed_one(self._random.choice(hosts), until - len(self.rows))

    def _seed_one(self, host: User, room: int) -> None:
        rng = self._random
        slug = rng.choices(
            [event_type[0] for event_type in EVENT_TYPES],
            weights=(20, 30, 15, 12, 3, 8, 12),
        )[0]
        event_type = self.event_type(host, slug)
        now = self.clock.now()
        start = half_hour(now + timedelta(minutes=rng.randint(-730 * 1440, 60 * 1440)))
        created = min(start, now) - timedelta(
            minutes=rng.randint(60, 40 * 1440), milliseconds=rng.randrange(60_000)
        )
        count = rng.randint(2, 5) if event_type.kind == "recurring" else 1
        series = long_uid(rng) if count > 1 else ""
        people = [somebody(rng) for _ in range(self._party(event_type))]
        hosts = self._hosts(host, event_type)
        for number in range(min(count, room)):
            payload = self.new_payload(
                None if rng.random() < 0.02 else event_type,
                hosts,
                people,
                start + timedelta(weeks=number),
                created=created + timedelta(milliseconds=number),
                status=self._status(event_type, start, now),
                series=series,
            )
            self._age(payload, now)
            uid = self.insert(payload, {host.id for host in hosts}, event_type.team_id)
            if room - number > 1 and rng.random() < 0.06 and not series:
                self._seed_reschedule(uid, hosts, event_type, people)

    def _seed_reschedule(
        self,
        uid: str,
        hosts: Sequence[User],
        event_type: EventType,
        people: Sequence[Person],
    ) -> None:
        """Add the booking to which `uid` was rescheduled, some days later."""
        old = self.rows[uid].payload
        start = datetime.fromisoformat(old["start"]) + timedelta(
            days=self._random.randint(1, 9)
        )
        moved = datetime.fromisoformat(old["createdAt"]) + timedelta(minutes=50)
        new = self.new_payload(event_type, hosts, people, start, created=moved)
        new |= {"rescheduledFromUid": uid, "reschedulingReason": "Something came up"}
        self.rows[uid].change(
            {
                "status": "cancelled",
                "rescheduledToUid": new["uid"],
                "updatedAt": wire(moved),
            }
        )
        self.insert(new, {host.id for host in hosts}, event_type.team_id)

    def _party(self, event_type: EventType) -> int:
        if event_type.kind == "seated":
            return self._random.randint(1, 6)
        return self._random.choices((1, 2, 3), weights=(85, 12, 3))[0]

    def _hosts(self, host: User, event_type: EventType) -> list[User]:
        others = [user for user in self.users.values() if user is not host]
        if event_type.kind == "round-robin" and others and self._random.random() < 0.3:
            return [host, self._random.choice(others)]
        return [host]

    def _status(self, event_type: EventType, start: datetime, now: datetime) -> str:
        if event_type.kind == "confirm" and start > now and self._random.random() < 0.7:
            return "pending"
        return self._random.choices(
            ("accepted", "cancelled", "rejected"), weights=(84, 13, 3)
        )[0]

    def _age(self, payload: Payload, now: datetime) -> None:
        """Age a booking by the changes since it was made."""
        rng = self._random
        created = datetime.fromisoformat(payload["createdAt"])
        later = created + timedelta(seconds=rng.randint(0, 3_000_000))
        payload["updatedAt"] = wire(min(later, now.astimezone(UTC)))
        if payload["status"] == "cancelled":
            payload["cancellationReason"] = rng.choice(
                ("", "Fell ill", "No longer needed", "Terminüberschneidung")
            )
        if payload["status"] == "accepted" and payload["start"] < wire(now):
            payload["absentHost"] = rng.random() < 0.01
            for attendee in payload["attendees"]:
                attendee["absent"] = rng.random() < 0.05
