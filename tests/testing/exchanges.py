"""The recorded exchanges, sent once more to a fake that is brought into the state that they were recorded in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from cal_bookings.testing import EventType, FakeCal, RateLimit
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.state import Row

ALICE = "cal_a1ice0000000000000000000000000key"
BOB = "cal_b0b000000000000000000000000000key"
_LIMITED = "cal_1imited0000000000000000000000key"
CAROL = "cal_ca40100000000000000000000000key"
_PEOPLE = {
    1: ("Alice Host", "alice", "UTC", ALICE),
    2: ("Bob Host", "bob", "Europe/London", BOB),
    3: ("Carol Outsider", "carol", "UTC", CAROL),
}
_ROOM = ({"type": "link", "link": "https://meet.example.com/room", "public": True},)
_EVENT_TYPES = (
    EventType(1, "crew-rr", "Crew RR", 30, "round-robin", 1, 1, locations=_ROOM),
    EventType(2, "normal", "Normal", 30, "normal", 1, locations=_ROOM),
    EventType(3, "confirm", "Confirm", 30, "confirm", 1, locations=_ROOM),
    EventType(4, "recurring", "Recurring", 30, "recurring", 1, locations=_ROOM),
    EventType(5, "seated", "Seated", 30, "seated", 1, locations=_ROOM, seats=3),
    EventType(6, "default-loc", "Default loc", 15, "normal", 1, locations=()),
    EventType(7, "multi", "Multi", 30, "normal", 1, None, (15, 30, 60), _ROOM),
    EventType(8, "chat", "Bob chat", 30, "normal", 2, locations=_ROOM),
)
#: What a booking does not have before it is moved.
_LATER = ("rescheduledToUid",)
#: What the answers of create and reschedule have beyond the booking.
_EXTRAS = ("isPlatformManagedUserBooking", "seatUid")
_UID = re.compile(r"/v2/bookings/([^/?]+)")


def _seat_three(cal: FakeCal) -> None:
    for row in cal.rows.values():
        if row["eventTypeId"] == 5:
            third = row["attendees"][0] | {"email": "guest3@example.net"}
            row.change({"attendees": [*row["attendees"][:2], third]})


def _reject(cal: FakeCal) -> None:
    cal.rows["maiYoCKd1kvGbxas5DyLkh"].change({"status": "rejected"})


def _without_added(cal: FakeCal) -> None:
    row = cal.rows["q6amDP6aG4qvzeBKfeQC3w"]
    row.change({"attendees": row["attendees"][:1]})


def _number_primary(cal: FakeCal) -> None:
    uid = "8HxiDxAZX6s9eMTtzVhEor"
    cal.attendee_numbers[uid, cal.rows[uid]["attendees"][0]["email"]] = 1


#: What happened between two recordings, by the number of the second one.
_BEFORE = {51: _seat_three, 214: _reject, 323: _without_added, 521: _number_primary}


@dataclass(frozen=True)
class Exchange:
    name: str
    sent_at: datetime
    request: dict[str, Any]
    status: int
    body: Any

    @property
    def number(self) -> int:
        return int(self.name[:3])

    @property
    def route(self) -> str:
        return f"{self.request['method']} {self.request['path']}"

    @property
    def uid(self) -> str:
        """The booking that it is about; "" for none."""
        match = _UID.match(self.request["path"])
        return match[1] if match else ""

    @property
    def attendees(self) -> list[dict[str, Any]]:
        """The attendees with their numbers in the recorded answer."""
        if "/attendees" not in self.route or self.status >= 300:
            return []
        data = self.body["data"]
        return data if isinstance(data, list) else [data]

    @property
    def bookings(self) -> list[dict[str, Any]]:
        """The bookings in the recorded answer."""
        data = self.body.get("data") if isinstance(self.body, dict) else None
        rows = data if isinstance(data, list) else [data]
        return [row for row in rows if isinstance(row, dict) and "hosts" in row]

    @property
    def reservation(self) -> dict[str, Any]:
        """The reservation in the recorded answer; empty if there is none."""
        data = self.body.get("data") if isinstance(self.body, dict) else None
        return data if isinstance(data, dict) and "reservationUid" in data else {}


def read(folder: Path) -> list[Exchange]:
    """The exchanges in the order in which they happened."""
    uids = []
    for path in sorted(folder.glob("[0-9]*.json")):
        recorded = json.loads(path.read_text())
        answer = recorded["response"]
        moment = datetime.fromisoformat(recorded["sentAt"])
        request, body = recorded["request"], answer["body"]
        uids.append(Exchange(path.stem, moment, request, answer["status"], body))
    return uids


class Replay:
    """Sends exchanges to a fake whose world follows what was recorded."""

    def __init__(self, cal: FakeCal, exchanges: list[Exchange]) -> None:
        self.cal = cal
        self.exchanges = exchanges
        self._session = requests.Session()
        cal.clock.stop()
        cal.actions.reassign_is_stub = True  # as on the recorded server [rec 300-303]
        cal.routes.credentials.clear()
        for number, (name, username, zone, key) in _PEOPLE.items():
            user = cal.users[number]
            user.name, user.username, user.time_zone = name, username, zone
            user.email = f"{username}@example.com"
            cal.routes.credentials[key] = user
            if number == 1:
                cal.routes.credentials[_LIMITED] = user
        cal.event_types.clear()
        cal.event_types.update(
            {event_type.id: event_type for event_type in _EVENT_TYPES}
        )

    def differences(self) -> Iterator[tuple[Exchange, str]]:
        """Each exchange with how its answer differs from the recorded one; "" if it does not.

        An exchange about a booking that no answer in the folder shows is left out: its state cannot be built.
        """
        for exchange in self.exchanges:
            if not self._prepare(exchange):
                continue
            before = deepcopy({uid: row.payload for uid, row in self.cal.rows.items()})
            status, body = self._send(exchange)
            if (status < 300) != (exchange.status < 300):
                self._restore(before)
            self._follow(exchange, set(before))
            yield exchange, difference(exchange, status, body)

    def _prepare(self, exchange: Exchange) -> bool:
        """Whether the state that the exchange needs could be built."""
        cal = self.cal
        cal.clock.set(exchange.sent_at)
        cal.rate_limit = RateLimit(limit=0 if exchange.status == 429 else 100_000)
        if (
            exchange.number == 527
        ):  # the server was set up anew, with one event type of Carol's
            cal.event_types[8] = EventType(8, "cc", "CC", 30, "confirm", 3, None)
        if exchange.status != 404 and not self._knows(exchange.uid):
            self._find(exchange)
        self._as_it_was(exchange)
        return exchange.status == 404 or self._knows(exchange.uid)

    def _knows(self, uid: str) -> bool:
        rows = self.cal.rows.items()
        return not uid or any(
            uid in (known, row["recurringBookingUid"]) for known, row in rows
        )

    def _find(self, exchange: Exchange) -> None:
        """Takes a booking from the next answer that shows it, as it must have been before this request."""
        place = self.exchanges.index(exchange)
        for other in self.exchanges[place:]:
            for booking in other.bookings:
                if exchange.uid in (booking["uid"], booking.get("recurringBookingUid")):
                    self._learn(booking)
            if self._knows(exchange.uid):
                break
        row = self.cal.rows.get(exchange.uid)
        if row and exchange.request["method"] != "GET":
            waits = row["eventTypeId"] == 3 and not exchange.name.endswith("accepted")
            self._set(row, {key: row[key] for key in row.payload if key not in _LATER})
            row.change({"status": "pending" if waits else "accepted"})

    def _as_it_was(self, exchange: Exchange) -> None:
        """What was done to the booking in the database, before the request."""
        row = self.cal.rows.get(exchange.uid)
        if exchange.number in _BEFORE:
            _BEFORE[exchange.number](self.cal)
        if row is None:
            return
        if "already ended" in json.dumps(exchange.body):
            end = exchange.sent_at - timedelta(hours=1)
            start = end - timedelta(minutes=row["duration"])
            row.change({"start": wire(start), "end": wire(end)})
        for booking in exchange.bookings:
            if booking["uid"] == exchange.uid and "reschedule" not in exchange.route:
                row.change({key: booking[key] for key in ("start", "end")})

    def _send(self, exchange: Exchange) -> tuple[int, Any]:
        request = exchange.request
        base = self.cal.url.removesuffix("/v2")
        body = request.get("rawBody")
        if body is None and request["body"] is not None:
            body = json.dumps(request["body"])
        answer = self._session.request(
            request["method"],
            base + request["path"].replace(" ", "%20"),
            data=body,
            headers=request["headers"],
            timeout=10,
        )
        return answer.status_code, answer.json() if answer.content else None

    def _restore(self, before: dict[str, dict[str, Any]]) -> None:
        for uid in set(self.cal.rows) - set(before):
            self.cal.remove(uid)
        for uid, payload in before.items():
            self._set(self.cal.rows[uid], payload)

    def _follow(self, exchange: Exchange, before: set[str]) -> None:
        """Takes over what was recorded in place of what the fake made of it."""
        self._learn_webhook(exchange)
        if exchange.request["method"] == "GET" or exchange.status >= 300:
            new = ""
        else:
            for uid in set(self.cal.rows) - before:
                self.cal.remove(uid)
            new = next((booking["uid"] for booking in exchange.bookings), "")
        for booking in exchange.bookings:
            self._learn(booking)
        if exchange.reservation and exchange.request["method"] == "POST":
            self._hold(exchange)
        for person in exchange.attendees:
            self.cal.attendee_numbers[exchange.uid, person["email"]] = person["id"]
        old = self.cal.rows.get(exchange.uid)
        moved = exchange.route.endswith("/reschedule") and new not in ("", exchange.uid)
        if (
            moved
            and old
            and {"cancelledByEmail", "rescheduledByEmail"} <= set(old.payload)
        ):  # neither a series nor seats are linked
            old.change({"status": "cancelled", "rescheduledToUid": new})

    def _hold(self, exchange: Exchange) -> None:
        """Gives the reservation just made the uid that was recorded."""
        made = next(
            effect for effect in self.cal.effects[::-1] if effect.kind == "reserve"
        )
        held = self.cal.reservations.get(made.uid)
        assert held is not None
        self.cal.reservations.release(held.uid)
        uid = exchange.reservation["reservationUid"]
        self.cal.reservations.keep(replace(held, uid=uid))

    def _learn_webhook(self, exchange: Exchange) -> None:
        """Gives a webhook that was just made the id that it had."""
        made = "/webhooks" in exchange.route and exchange.status == 201
        if made:
            data, subscriptions = exchange.body["data"], self.cal.webhooks.subscriptions
            kind = next(kind for kind in ("userId", "eventTypeId") if kind in data)
            newest = subscriptions.of(kind, data[kind])[-1]
            subscriptions.remove(newest.id)
            newest.id = data["id"]
            newest.active = False  # nobody listens there
            subscriptions.add(newest)

    def _set(self, row: Row, payload: dict[str, Any]) -> None:
        row.payload = payload
        row.change({})

    def _learn(self, booking: dict[str, Any]) -> None:
        payload = {key: value for key, value in booking.items() if key not in _EXTRAS}
        uid, hosts = payload["uid"], {host["id"] for host in payload["hosts"]}
        if uid in self.cal.rows:
            self._set(self.cal.rows[uid], payload)
        else:
            self.cal.insert(payload, hosts, 1 if payload["eventTypeId"] == 1 else None)


def difference(exchange: Exchange, status: int, body: Any) -> str:
    """How an answer differs from the recorded one in its status and its keys; "" if in neither."""
    if status != exchange.status:
        return f"{status} instead of {exchange.status}"
    here, there = set(keys(body)), set(keys(exchange.body))
    lacks, adds = sorted(there - here), sorted(here - there)
    message = [f"lacks {', '.join(lacks)}"] if lacks else []
    return "; ".join(message + ([f"has {', '.join(adds)}"] if adds else []))


def keys(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all keys in an answer; days and the names of questions are alike."""
    if isinstance(value, list):
        for item in value:
            yield from keys(item, f"{path}[]")
    if isinstance(value, dict):
        for key, item in value.items():
            name = re.sub(r"^\d{4}-\d{2}-\d{2}$", "DAY", key)
            yield f"{path}.{name}"
            yield from keys(item, f"{path}.{name}")
