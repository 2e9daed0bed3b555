"""The random changes to bookings that a demo needs."""

from __future__ import annotations

from random import Random
from typing import Any

from cal_bookings.testing.world.changes import Changes
from cal_bookings.testing.world.state import Row

_SAID = {
    "booked": "new booking",
    "touch": "saved without a change",
    "set_location": "another location",
    "confirm": "confirmed",
    "decline": "declined",
    "cancel": "cancelled",
    "reschedule": "rescheduled",
    "reassign": "given to another host",
    "mark_host_absent": "host marked absent",
    "mark_absent": "absence of an attendee changed",
    "join_seat": "somebody took a seat",
    "cancel_seat": "somebody gave up a seat",
}


class RandomChanges(Changes):
    """A world in which any change may happen next."""

    def change_something(self, rng: Random) -> str:
        """Make a random change, of those that Cal.com allows, to a random booking, and return a line about it."""
        with self.lock:
            if not self.rows or rng.random() < 0.3:
                return self._say("booked", self._book_something(rng))
            uid = rng.choice(list(self.rows))
            row = self.rows[uid]
            kind = rng.choice(_possible(row))
            arguments = self._some_arguments(kind, row, rng)
        # No lock is held here: a cancellation is announced before it is committed.
        getattr(self, kind)(uid, **arguments)
        return self._say(kind, uid)

    def _some_arguments(self, kind: str, row: Row, rng: Random) -> dict[str, Any]:
        """Return the arguments of a random change of this kind beyond the booking."""
        if kind == "reassign":
            return {"host_id": rng.choice(sorted(self.users))}
        if kind == "set_location":
            return {"location": f"https://meet.example.com/{rng.randrange(999)}"}
        if kind == "mark_absent":
            return {"absent": not row["attendees"][0]["absent"]}
        if kind == "cancel_seat":
            return {"seat_uid": row["attendees"][0]["seatUid"]}
        return {}

    def _book_something(self, rng: Random) -> str:
        slug = rng.choice(("normal", "confirm", "seated", "round-robin", "recurring"))
        busy = min(self.rows[rng.choice(list(self.rows))].users) if self.rows else 1
        user = self.users[busy]
        if slug == "recurring":
            return self.book_series(rng.randint(2, 3), user=user)[0]
        return self.book(event_type=slug, user=user)

    def _say(self, did: str, uid: str) -> str:
        return f"{_SAID[did]}: {self.rows[uid]['title']}"


def _possible(row: Row) -> list[str]:
    """Return the changes that Cal.com allows to a booking in this state."""
    possible = ["touch", "set_location"]
    if row["status"] == "pending":
        possible += ["confirm", "decline", "cancel"]
    if row["status"] == "accepted":
        possible += ["cancel", "reschedule", "reassign", "mark_host_absent"]
        if row["attendees"]:
            possible.append("mark_absent")
    if row["attendees"] and "seatUid" in row["attendees"][0]:
        possible += ["join_seat", "cancel_seat"]
    return possible
