"""The state of the fake Cal.com: users, event types, bookings, and the shape in which each booking is shown."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from cal_bookings.testing.world.announcements import (
    Announcement,
    AnnouncingLock,
    Listener,
)
from cal_bookings.testing.world.catalog import (
    EVENT_TYPES,
    HOSTS,
    LENGTHS,
    EventType,
    Person,
    User,
    long_uid,
    short_uid,
)
from cal_bookings.testing.world.clock import (
    Clock,
    wire,
)
from cal_bookings.testing.world.held_slots import Reservations
from cal_bookings.testing.world.mailbox import Mailbox
from cal_bookings.testing.world.meetings import Meetings
from cal_bookings.testing.world.memberships import Memberships

Payload = dict[str, Any]


class Row:
    """A booking as the server keeps it: the fields that are shown, and the users who see it."""

    __slots__ = ("_rendered", "is_unreadable", "payload", "team_id", "users")

    def __init__(self, payload: Payload, users: set[int], team_id: int | None) -> None:
        self.payload = payload
        self.users = users
        self.team_id = team_id
        self._rendered: bytes | None = None
        self.is_unreadable = False

    def __getitem__(self, key: str) -> Any:
        """Return a field in the form of the API; None if it is absent."""
        return self.payload.get(key)

    def rendered(self) -> bytes:
        if self._rendered is None:
            self._rendered = json.dumps(self.payload, ensure_ascii=False).encode()
        return self._rendered

    def change(self, fields: Payload) -> None:
        self.payload = self.payload | fields
        self._rendered = None


_OF_EVERY_NEW_BOOKING: Payload = {
    "description": "",
    "cancellationReason": "",
    "cancelledByEmail": "",
    "rescheduledByEmail": None,
    "meetingUrl": "https://meet.example.com/room",
    "location": "https://meet.example.com/room",
    "absentHost": False,
    "rating": None,
}


class World:
    """Users, event types and bookings. Every method may be called from any thread."""

    def __init__(self, *, seed: int = 0, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.lock = AnnouncingLock()
        #: The object that gets the events of bookings, and returns the work for them once the lock is free.
        self.listener: Listener | None = None
        self.users: dict[int, User] = {}
        self.event_types: dict[int, EventType] = {}
        self.rows: dict[str, Row] = {}
        self._random = Random(seed)  # noqa: S311 - no secret hangs on it
        self.reservations = Reservations(self.clock, Random(seed))  # noqa: S311 - as above
        self.mailbox = Mailbox(Random(seed))  # noqa: S311 - as above
        self.meetings = Meetings()
        #: The memberships: everybody is in team 1, which offers the event types in turn; the first user owns it.
        self.memberships = Memberships()
        self._last_id = 0
        #: The numbers of attendees, by booking and e-mail: a list of attendees shows them, a booking does not.
        self.attendee_numbers: dict[tuple[str, str], int] = {}
        #: The number of changes to what a list of all bookings shows.
        self.version = 0
        #: The same number for each user, and the bookings that each sees.
        self.versions: Counter[int] = Counter()
        self.seen_by: defaultdict[int, dict[str, Row]] = defaultdict(dict)

    def announce(self, trigger: str, uid: str, **about: Any) -> None:
        """Notify the subscribers of webhooks of an event, as soon as nobody holds the lock."""
        with self.lock:
            if self.listener:
                event = Announcement(trigger, uid, about)
                self.lock.after_release(self.listener.hear(event))

    # The users and event types

    def add_user(
        self,
        name: str = "",
        *,
        api_key: str | None = None,
        organization_id: int | None = None,
        time_zone: str = "",
    ) -> User:
        """Add a user, with event types of their own and an API key."""
        with self.lock:
            number = len(self.users) + 1
            known = HOSTS[(number - 1) % len(HOSTS)]
            email = f"host{number}@example.com"
            user = User(
                number,
                name or (known[0] if number <= len(HOSTS) else f"Host {number}"),
                email,
                f"host{number}",
                time_zone or known[1],
                organization_id,
                f"cal_live_{self._random.getrandbits(128):032x}"
                if api_key is None
                else api_key,
            )
            self.users[number] = user
            self.memberships.add(user)
            for slug, title, minutes, kind in EVENT_TYPES:
                identity = len(self.event_types) + 1
                team = 1 if kind == "round-robin" else None
                lengths = LENGTHS.get(slug, ())
                self.event_types[identity] = EventType(
                    identity, slug, title, minutes, kind, number, team, lengths
                )
            return user

    def event_type(self, of: User, slug: str) -> EventType:
        for event_type in self.event_types.values():
            if event_type.owner_id == of.id and slug in (
                event_type.slug,
                event_type.kind,
            ):
                return event_type
        raise LookupError(f'{of.name} has no event type "{slug}"')

    # The bookings

    @property
    def bookings(self) -> list[str]:
        """Return the uids of all bookings, in the order in which they were made."""
        with self.lock:
            return list(self.rows)

    def payload(self, uid: str) -> Payload:
        """Return what GET /bookings/{uid} shows now; KeyError for an unknown uid."""
        with self.lock:
            return json.loads(self.rows[uid].rendered())  # type: ignore[no-any-return]

    def payloads(self, user: User | None = None) -> list[Payload]:
        """Return what a full list shows now: all bookings, or those that one user sees."""
        with self.lock:
            return [
                self.payload(uid)
                for uid, row in self.rows.items()
                if user is None or user.id in row.users
            ]

    def find(self, wanted: Callable[[Payload], bool]) -> list[str]:
        """Return the uids of the bookings whose payload is wanted."""
        with self.lock:
            return [uid for uid, row in self.rows.items() if wanted(row.payload)]

    def has_seat(self, seat: str) -> bool:
        """Return whether any booking has this seat."""
        return bool(
            self.find(
                lambda row: any(
                    person.get("seatUid") == seat for person in row["attendees"] or ()
                )
            )
        )

    def insert(self, payload: Payload, users: Iterable[int], team: int | None) -> str:
        with self.lock:
            self._last_id += 1
            uid = str(payload["uid"])
            shown: Payload = {"id": self._last_id} | payload
            self.rows[uid] = row = Row(shown, set(users), team)
            self._show(row)
            return uid

    def change(self, uid: str, *, moves_updated_at: bool = True, **fields: Any) -> None:
        """Set fields of a booking, in the form of the API."""
        with self.lock:
            if moves_updated_at:
                fields = {"updatedAt": wire(self.clock.now())} | fields
            self.rows[uid].change(fields)
            self._changed(self.rows[uid])

    def hand_over(self, uid: str, users: set[int]) -> None:
        """Show the booking to these users from now on, and to no others."""
        with self.lock:
            row = self.rows[uid]
            self._changed(row)
            for user in row.users:
                del self.seen_by[user][uid]
            row.users = users
            self._show(row)

    def remove(self, uid: str) -> Row:
        with self.lock:
            row = self.rows.pop(uid)
            for user in row.users:
                del self.seen_by[user][uid]
            self._changed(row)
            return row

    def restore(self, uid: str, row: Row) -> None:
        """Restore the row that `remove` returned."""
        with self.lock:
            self.rows[uid] = row
            self._show(row)

    def _show(self, row: Row) -> None:
        for user in row.users:
            self.seen_by[user][row["uid"]] = row
        self._changed(row)

    def _changed(self, row: Row) -> None:
        self.version += 1
        self.versions.update(row.users)

    def new_payload(
        self,
        event_type: EventType | None,
        hosts: Sequence[User],
        people: Sequence[Person],
        start: datetime,
        *,
        created: datetime,
        minutes: int | None = None,
        status: str = "accepted",
        series: str = "",
    ) -> Payload:
        """Return a booking in the shape that Cal.com gives to its kind; all but its id."""
        uid = short_uid(self._random)
        minutes = minutes or (event_type.minutes if event_type else 30)
        payload: Payload = {
            "uid": uid,
            "title": _title(event_type, hosts, people),
            "hosts": [host.as_host() for host in hosts],
            "status": status,
            "start": wire(start),
            "end": wire(start + timedelta(minutes=minutes)),
            "duration": minutes,
            "eventTypeId": event_type.id if event_type else None,
            "eventType": event_type and {"id": event_type.id, "slug": event_type.slug},
            "createdAt": wire(created),
            "updatedAt": wire(created),
            "metadata": {},
            "icsUid": f"{uid}@Cal.com",
            "attendees": [person.as_attendee() for person in people],
            "bookingFieldsResponses": _responses(people),
            **_OF_EVERY_NEW_BOOKING,
        }
        if series:
            # Recurring bookings do not say who rescheduled them.
            del payload["rescheduledByEmail"]
            payload["recurringBookingUid"] = series
        if event_type and event_type.kind == "seated":
            self._seat(payload)
        elif people[1:]:
            payload["guests"] = [person.email for person in people[1:]]
        return payload

    def _seat(self, payload: Payload) -> None:
        """Shape the payload as that of a seated booking, which keeps per attendee what others keep once."""
        for key in ("cancelledByEmail", "metadata", "bookingFieldsResponses"):
            del payload[key]
        payload["description"] = None
        payload["attendees"] = [
            self.seat(attendee) for attendee in payload["attendees"]
        ]

    def new_series(self) -> str:
        """Return the uid of a new recurring booking."""
        return long_uid(self._random)

    def seat(self, attendee: Payload) -> Payload:
        return attendee | {
            "seatUid": long_uid(self._random),
            "bookingFieldsResponses": {"name": attendee["name"], "guests": []},
            "metadata": {},
        }


def _title(
    event_type: EventType | None, hosts: Sequence[User], people: Sequence[Person]
) -> str:
    title = event_type.title if event_type else "A meeting of old"
    return f"{title} between {hosts[0].name} and {people[0].name}" if people else title


def _responses(people: Sequence[Person]) -> Payload:
    if not people:
        return {}
    booker, *guests = people
    emails = [guest.email for guest in guests]
    return {
        "email": booker.email,
        "name": booker.name,
        "displayEmail": booker.email,
        **({"guests": emails, "displayGuests": emails} if emails else {}),
        **booker.responses,
    }
