"""Another host for a round-robin booking."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.base import Found, Kind, Refused, takes_place
from cal_bookings.outbox.look import Look


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
            there = sent and hosts != seen["hosts"]
        else:
            there = self.host_id in hosts or self._has_joined(remote, seen, sent=sent)
        return Found(remote.uid) if there else None

    def _has_joined(
        self, remote: RemoteBooking, seen: dict[str, Any], *, sent: bool
    ) -> bool:
        """Among the attendees; who was there before does not count. Unless we know the e-mail, anybody new does."""
        before = {one["email"].lower() for one in seen["attendees"]}
        new = {one.email.lower() for one in remote.attendees} - before
        return self.host_email.lower() in new if self.host_email else sent and bool(new)
