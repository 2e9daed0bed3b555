"""Another place."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.base import Found, Kind, Refused, takes_place
from cal_bookings.outbox.remote_view import Look

#: The types of location, and the key of the value that each one needs [rec 337].
TYPES = {
    "address": "address",
    "link": "link",
    "phone": "phone",
    "attendeePhone": "phone",
    "attendeeAddress": "address",
    "attendeeDefined": "location",
    "integration": "integration",
}


@dataclass(frozen=True, kw_only=True)
class UpdateLocation(Kind):
    """A repeat is not refused: everybody gets another mail, and a video room is made anew."""

    location: dict[str, str]

    name = BookingAction.Kind.UPDATE_LOCATION
    endpoint_limit = "location"
    unchanged = "the location did not change"

    def check(self, booking: Booking, now: datetime) -> None:
        takes_place(booking)
        kind = self.location.get("type", "")
        if kind not in TYPES:
            raise Refused(
                f'"{kind}" is no type of location: use one of {", ".join(TYPES)}.',
                "location",
            )
        if set(self.location) != {"type", TYPES[kind]} or not self.value.strip():
            raise Refused(
                f'A location of the type "{kind}" has a "{TYPES[kind]}" and nothing else.',
                "location",
            )
        if booking.end <= now:
            raise Refused("This booking is over: its location stays.", "past")

    @property
    def value(self) -> str:
        return self.location.get(TYPES[self.location["type"]], "")

    def changes(self) -> frozenset[str]:
        return frozenset({"location"})

    def relies_on(self) -> frozenset[str]:
        return frozenset({"active", "location"})

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return booking.end

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.update_location(look.uid, self.location)

    def shown(self, answers: list[RemoteBooking], seen: dict[str, Any]) -> Found | None:
        return self._moved(answers[0], seen, sent=True)

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        return self._moved(look.booking, seen, sent=sent)

    def _moved(
        self, remote: RemoteBooking, seen: dict[str, Any], *, sent: bool
    ) -> Found | None:
        if self.location["type"] == "integration":
            # Cal.com shows the app or the link that it made: known only by being another one.
            there = sent and remote.location != seen["location"]
        else:
            there = remote.location == self.value
        return Found(remote.uid) if there else None
