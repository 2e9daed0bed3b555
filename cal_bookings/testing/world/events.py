"""The webhooks of a change, and their moment: cancellations before they are committed, all others after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cal_bookings.testing.world.seeding import SeededWorld
from cal_bookings.testing.world.state import Payload

_OF_NEW = {"accepted": "BOOKING_CREATED", "pending": "BOOKING_REQUESTED"}


class Events(SeededWorld):
    """A world that notifies its subscribers, but not of guests, attendees, and the absence of hosts."""

    def announce_new(self, uid: str, seat_uid: str = "") -> None:
        """Announce a new booking, or a new seat in one."""
        trigger = _OF_NEW.get(self.rows[uid]["status"])
        about = {"seat": self.holder(uid, seat_uid)} if seat_uid else {}
        if trigger:
            self.announce(trigger, uid, **about)

    def announce_moved(self, uid: str, old: Payload, *, by: str = "") -> None:
        """Announce a booking in the place of `old`; one that waits for confirmation is announced as a request alone."""
        if self.rows[uid]["status"] == "pending":
            self.announce("BOOKING_REQUESTED", uid)
        else:
            self.announce("BOOKING_RESCHEDULED", uid, old=old, rescheduled_by=by)

    @contextmanager
    def cancelling(self, uid: str, **about: Any) -> Iterator[None]:
        """Announce a cancellation that happens within: before it, or after it on hosted Cal.com."""
        early = self.announces_early
        if early:
            self.announce("BOOKING_CANCELLED", uid, **about)
        yield
        if not early:
            self.announce("BOOKING_CANCELLED", uid, **about)

    @property
    def announces_early(self) -> bool:
        return self.listener is not None and self.listener.announces_early

    def holder(self, uid: str, seat_uid: str) -> Payload | None:
        """Return the attendee on a seat; None for an empty one."""
        there = self.payload(uid)["attendees"] or ()
        return next((one for one in there if one.get("seatUid") == seat_uid), None)
