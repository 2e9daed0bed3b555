"""Another host for a round-robin booking."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.base import Conflict, Found, Kind, Refused, takes_place
from cal_bookings.outbox.remote_view import Look


@dataclass(frozen=True, kw_only=True)
class Reassign(Kind):
    """To a host, or to whom Cal.com chooses. A repeat is not refused: choosing again may choose a third one.

    Some servers answer success and change nothing [rec 300-303]: only the hosts that are then there tell.
    """

    host_id: int | None = None
    #: Where an event type also has a fixed host, that one stays the host and the other is an attendee.
    host_email: str = ""
    reason: str = ""

    name = BookingAction.Kind.REASSIGN
    unchanged = "the host did not change"

    def check(self, booking: Booking, now: datetime) -> None:
        takes_place(booking)
        if booking.end <= now:
            raise Refused("This booking is over: its host stays.", "past")
        event_type = booking.event_type
        scheduling = event_type.payload.get("schedulingType") if event_type else None
        if scheduling and str(scheduling).lower().replace("_", "") != "roundrobin":
            raise Refused(
                "Only round-robin bookings can be given to another host, and this event type is not round robin.",
                "not_round_robin",
            )
        hosts = booking.payload.get("hosts") or []
        if self.host_id and self.host_id in [one.get("id") for one in hosts]:
            raise Refused(
                "This host has the booking already: choose another.", "same_host"
            )

    def changes(self) -> frozenset[str]:
        return frozenset({"hosts"})

    def relies_on(self) -> frozenset[str]:
        return frozenset({"active", "start", "hosts"})

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return booking.end

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        return actions.reassign(look.uid, user_id=self.host_id, reason=self.reason)

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        remote = look.booking
        hosts = [host.remote_id for host in remote.hosts]
        if self.host_id is None:
            there = sent and set(hosts) != set(seen["hosts"])
        else:
            joined = sent and bool(self._joined(remote, seen))
            there = self.host_id in hosts or joined
        return Found(remote.uid) if there else None

    def conflict(self, look: Look, seen: dict[str, Any]) -> Conflict | None:
        """An attendee who could be taken for the host that joins."""
        joined = self._joined(look.booking, seen) if self.host_id else set()
        if not joined:
            return super().conflict(look, seen)
        return Conflict(
            "An attendee who could be taken for the new host was added on Cal.com in the meantime: look at the booking, and "
            "decide again."
        )

    def leaves_trace(self, remote: RemoteBooking) -> bool:
        # With a fixed host, Cal.com rewrites the row of an attendee beside the one who booked, and not the booking.
        return len(remote.attendees) <= 1 and super().leaves_trace(remote)

    def _joined(self, remote: RemoteBooking, seen: dict[str, Any]) -> set[str]:
        """The new one among the attendees, who was not there before; anybody new, unless we know the e-mail."""
        before = {one["email"].lower() for one in seen["attendees"]}
        new = {one.email.lower() for one in remote.attendees} - before
        return new & {self.host_email.lower()} if self.host_email else new
