"""A new booking, or a new series."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Account, Booking, BookingAction
from cal_bookings.outbox.facts import OVER
from cal_bookings.outbox.kinds.base import Conflict, Found, Kind, Refused
from cal_bookings.outbox.look import Look

#: The key in the booking's metadata. Cal.com has no idempotency keys: this is how ours is found again.
MARK = "djangoCalBookings"


@dataclass(frozen=True, kw_only=True)
class Create(Kind):
    """Whether a second one is refused depends on the event type: one that asks for confirmation takes it."""

    #: The body of the request, as Cal.com wants it.
    fields: dict[str, Any]
    mark: str

    name = BookingAction.Kind.CREATE
    unchanged = "no booking was made"

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.fields["start"])

    def check(self, booking: Booking, now: datetime) -> None:
        """`booking` is the one that is to be."""
        if self.start <= now:
            raise Refused("The start is over: choose one in the future.", "past")
        attendee = self.fields["attendee"]
        if not str(attendee.get("name") or "").strip():
            raise Refused("An attendee needs a name.", "name")
        if not attendee.get("timeZone"):
            raise Refused('An attendee needs a "timeZone".', "time_zone")
        if not attendee.get("email") and not attendee.get("phoneNumber"):
            raise Refused("An attendee needs an e-mail or a phone number.", "email")

    def draft(self, account: Account) -> Booking:
        # Put back after a failure, the action keeps its mark: should the first have taken effect late, it is found.
        return Booking(account=account, uid=self.mark, start=self.start)

    def changes(self) -> frozenset[str]:
        return frozenset()

    def relies_on(self) -> frozenset[str]:
        return frozenset()

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return self.start

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        metadata = dict(self.fields.get("metadata") or {}) | {MARK: self.mark}
        return actions.create(self.fields | {"metadata": metadata})

    def shown(self, answers: list[RemoteBooking], seen: dict[str, Any]) -> Found | None:
        # No mark: a booking that was there before, which Cal.com answers where confirmation is asked for.
        first = min(answers, key=lambda one: one.start)
        enough = len(answers) >= self._count
        return Found(first.uid) if enough and self._is_ours(first) else None

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        whole = (one for one in self._ours(look) if len(one) >= self._count)
        first = next((one[0] for one in whole), None)
        return Found(first.uid) if first else None

    @property
    def _count(self) -> int:
        return int(self.fields.get("recurrenceCount") or 1)

    def _ours(self, look: Look) -> list[list[RemoteBooking]]:
        """Ours among those that start then, each with the rest of its series, by start.

        Not what is cancelled, all of it: put back, the action is not what came late of the one before.
        """
        ours = []
        for first in filter(self._is_ours, look.starting_at(self.start)):
            series = first.recurring_booking_uid
            together = look.all_of(series) if series else [first]
            if any(one.status not in OVER for one in together):
                ours.append(sorted(together, key=lambda one: one.start))
        return ours

    def _is_ours(self, remote: RemoteBooking) -> bool:
        marks = [remote.metadata, *(one.metadata for one in remote.attendees)]
        return any(one.get(MARK) == self.mark for one in marks)

    def conflict(self, look: Look, seen: dict[str, Any]) -> Conflict | None:
        """A series of which Cal.com booked the first ones and then refused the rest."""
        there = max(map(len, self._ours(look)), default=0)
        if not there:
            return None
        return Conflict(
            f"Cal.com booked {there} of {self._count} occurrences and refused the rest: cancel those, or book the rest.",
            "partly",
        )
