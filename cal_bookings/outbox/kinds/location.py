"""The location of a booking."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction, RefusalCode
from cal_bookings.outbox.kinds.base import Effect, Kind, Refused
from cal_bookings.outbox.messages import UnchangedText
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.remote_view import RemoteView

#: The types of location, and the key of the value that each type needs [rec 337].
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
    """Move a booking to another place. Cal.com accepts a repeat, mails everybody and makes a new video room."""

    location: dict[str, str]

    name = BookingAction.Kind.UPDATE_LOCATION
    endpoint_limit = "location"
    unchanged = UnchangedText.LOCATION

    def check_more(self, booking: Booking, now: datetime) -> None:
        name = self.location.get("type", "")
        key = TYPES.get(name)
        if key is None:
            parameters = {"type": name, "known": ", ".join(TYPES)}
            raise Refused(RefusalText.LOCATION_TYPE, RefusalCode.LOCATION, parameters)
        if set(self.location) != {"type", key} or not self.value.strip():
            parameters = {"type": name, "key": key}
            raise Refused(RefusalText.LOCATION_VALUE, RefusalCode.LOCATION, parameters)

    @property
    def value(self) -> str:
        return self.location.get(TYPES[self.location["type"]], "")

    def changes(self) -> frozenset[str]:
        return frozenset({"location"})

    def relies_on(self) -> frozenset[str]:
        return frozenset({"active", "location"})

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.update_location(view.uid, self.location)

    def effect_in_answer(
        self, bookings: list[RemoteBooking], seen: dict[str, Any]
    ) -> Effect | None:
        return self._moved(bookings[0], seen, sent=True)

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        return self._moved(view.booking, seen, sent=sent)

    def _moved(
        self, remote: RemoteBooking, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        if self.location["type"] == "integration":
            # Cal.com shows the app or the link that it made: only the difference shows the effect.
            there = sent and remote.location != seen["location"]
        else:
            there = remote.location == self.value
        return Effect(remote.uid) if there else None
