"""One request that wants something done: who asks, on which booking, with what; and what it led to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .answers import Answer, Refusal, Request, as_json, success
from .catalog import EventType, User
from .changes import Changes
from .clock import wire
from .world import Row

#: The second half of a handler: what it does and answers, after the checks have passed.
Act = Callable[[], Answer]

#: What Cal.com shows in the answers of some actions, and in no list.
EXTRAS = {"isPlatformManagedUserBooking": False}


@dataclass(frozen=True)
class Effect:
    """Something that happened because a request asked for it: the judge of what clients claim."""

    #: create, reschedule, cancel, confirm, decline, reassign, mark_absent, …
    kind: str
    uid: str
    at: datetime
    details: dict[str, Any]


@dataclass
class Call:
    world: Changes
    request: Request
    user: User | None
    parts: dict[str, str]
    #: Hosted Cal.com, or a self-hosted one.
    hosted: bool
    journal: list[Effect]
    #: Servers exist that answer a reassignment and do nothing [rec 300-303].
    reassign_is_stub: bool = False
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        return self.parts["uid"]

    @property
    def row(self) -> Row:
        """The booking; raises Refusal."""
        try:
            return self.world.rows[self.uid]
        except KeyError:
            told = f"Booking with uid={self.uid} was not found in the database"
            raise Refusal(404, told) from None

    @property
    def is_host(self) -> bool:
        return self.user is not None and self.user.id in self.row.users

    def event_type(self) -> EventType | None:
        return self.world.event_types.get(self.row["eventTypeId"] or 0)

    def effect(self, kind: str, uid: str, **details: Any) -> None:
        self.journal.append(Effect(kind, uid, self.world.clock.now(), details))

    def shown(self, uid: str = "", **extras: Any) -> Answer:
        """The booking, as this action answers it."""
        return success(self.world.payload(uid or self.uid) | extras)

    def text(self, name: str) -> str:
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    def known_fields(self, *known: str) -> None:
        """Create, reschedule and cancel refuse fields that they do not know [rec 146]."""
        wrong = [
            f"{name} property is wrong,property {name} should not exist "
            for name in self.body
            if name not in known
        ]
        if wrong:
            raise Refusal(400, ", ".join(wrong))

    def start(self) -> datetime:
        """Raises Refusal unless the body has a start to come."""
        try:
            start = datetime.fromisoformat(self.text("start"))
        except ValueError:
            told = "start property is wrong,start must be a valid ISO 8601 date string "
            raise Refusal(400, told) from None
        if start <= self.world.clock.now():
            raise Refusal(400, "Attempting to book a meeting in the past.")
        return start


class Bare(Refusal):
    """The booking core answers without the envelope [rec 049, 222]."""

    def answer(self, request: Request, timestamp: str) -> Answer:
        body = {"statusCode": self.status, "message": self.message}
        return as_json(body, self.status)


def trpc(message: str, status: int = 400) -> Refusal:
    return Refusal(status, message, code="TRPCError")


def overlapping(
    world: Changes, hosts: list[Any], start: str, end: str, *, but: str = ""
) -> list[str]:
    """The accepted bookings of these hosts at that time."""
    ids = {host["id"] for host in hosts}
    return world.find(
        lambda one: (
            one["start"] < end
            and one["end"] > start
            and one["status"] == "accepted"
            and one["uid"] != but
            and not ids.isdisjoint(host["id"] for host in one["hosts"])
        )
    )


def busy() -> Refusal:
    told = "User either already has booking at this time or is not available"
    return Refusal(400, told)


def created(data: Any) -> Answer:
    return as_json({"status": "success", "data": data}, 201)


def now(world: Changes) -> str:
    return wire(world.clock.now())
