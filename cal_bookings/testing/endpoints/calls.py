"""The call of an action: the user, the booking and the body of a request; and the effect of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from cal_bookings.testing.endpoints.validation import read_instant
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    Request,
    as_json,
    success,
)
from cal_bookings.testing.world.catalog import (
    EventType,
    User,
)
from cal_bookings.testing.world.changes import Changes
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.state import Row

#: The second half of a handler, after the checks have passed: it makes the change and returns the answer.
Change = Callable[[], Answer]

#: The keys that Cal.com shows in the answers of some actions, and in no list.
EXTRAS = {"isPlatformManagedUserBooking": False}


@dataclass(frozen=True)
class Effect:
    """The effect of a request, by which the claims of a client are judged."""

    #: The kind: create, reschedule, cancel, confirm, decline, reassign, mark_absent, …
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
    #: True if this is hosted Cal.com, and no self-hosted server.
    hosted: bool
    journal: list[Effect]
    #: True if a reassignment has an answer and no effect, as on some servers [rec 300-303].
    reassign_is_stub: bool = False
    body: dict[str, Any] = field(default_factory=dict)
    #: True if the request is only checked: nothing is changed, and nobody is notified.
    is_trial: bool = False

    @property
    def uid(self) -> str:
        return self.parts["uid"]

    @property
    def row(self) -> Row:
        """Return the booking; raises Refusal."""
        try:
            return self.world.rows[self.uid]
        except KeyError:
            message = f"Booking with uid={self.uid} was not found in the database"
            raise Refusal(404, message) from None

    @property
    def is_host(self) -> bool:
        return self.user is not None and self.user.id in self.row.users

    def event_type(self) -> EventType | None:
        return self.world.event_types.get(self.row["eventTypeId"] or 0)

    def effect(self, kind: str, uid: str, **details: Any) -> None:
        self.journal.append(Effect(kind, uid, self.world.clock.now(), details))

    def announce_cancelled(self, uid: str, **about: Any) -> Callable[[], None]:
        """Announce a cancellation before it is committed, as a self-hosted server does; return the work after it.

        It is called at the end of the checks of a request, before its change.
        """
        about = {"reason": self.text("cancellationReason")} | about
        tell = partial(self.world.announce, "BOOKING_CANCELLED", uid, **about)
        if not self.world.announces_early:
            return tell
        if not self.is_trial:
            tell()
        return lambda: None

    def shown(self, uid: str = "", **extras: Any) -> Answer:
        """Return the booking, as this action shows it."""
        return success(self.world.payload(uid or self.uid) | extras)

    def text(self, name: str) -> str:
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        return self.body.get(name) is True

    def start(self) -> datetime:
        """Return the start in the body, which has passed its checks. Raises Refusal for a past one."""
        start = read_instant(self.body.get("start"))
        if start is None or start <= self.world.clock.now():
            raise Refusal(400, "Attempting to book a meeting in the past.")
        return start

    def must_have_access(self) -> None:
        """Check the access to attendees: a booking that does not exist is forbidden too [rec 321]. Raises Refusal."""
        if self.uid not in self.world.rows or not self.is_host:
            user = self.user.id if self.user else None
            message = f"BookingPbacGuard - user with id={user} does not have access to booking with uid={self.uid}"
            raise Refusal(403, message)


def trpc(message: str, status: int = 400) -> Refusal:
    return Refusal(status, message, code="TRPCError")


def overlapping(
    world: Changes, hosts: list[Any], start: str, end: str, *, but: str = ""
) -> list[str]:
    """Return the accepted bookings of these hosts at that time."""
    ids = {host["id"] for host in hosts}
    return world.find(
        lambda row: (
            row["status"] == "accepted"
            and row["uid"] != but
            and isinstance(row["start"], str)
            and isinstance(row["end"], str)
            and row["start"] < end
            and row["end"] > start
            and not ids.isdisjoint(host["id"] for host in row["hosts"])
        )
    )


def busy(call: Call) -> Refusal:
    """Return the refusal of a taken time: hosted Cal.com has another status than self-hosted servers [rec 041]."""
    message = "User either already has booking at this time or is not available"
    return Refusal(409 if call.hosted else 400, message)


def bad_request(name: str, problem: str) -> Refusal:
    """Return the refusal of a body that passes the API's checks, but not those of the booking core [rec 063, 373]."""
    return Refusal(400, f"{name}{problem}, ", code="BAD_REQUEST")


def emails(row: Row) -> set[str]:
    """Return the addresses of all attendees."""
    return {str(attendee.get("email")) for attendee in row["attendees"] or ()}


def is_seated(row: Row) -> bool:
    return "bookingFieldsResponses" not in row.payload


def created(data: Any) -> Answer:
    return as_json({"status": "success", "data": data}, 201)


def now(world: Changes) -> str:
    return wire(world.clock.now())
