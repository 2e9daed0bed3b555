"""The reassignment of a round-robin booking to another host."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction, RefusalCode
from cal_bookings.outbox.kinds.base import Conflict, Effect, Kind, Refused
from cal_bookings.outbox.messages import ActionText, UnchangedText
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.remote_view import RemoteView


@dataclass(frozen=True, kw_only=True)
class Reassign(Kind):
    """Reassign a booking to a named host, or to a host that Cal.com chooses; a repeat may choose a third host.

    Some servers answer success and change nothing [rec 300-303]: only the hosts of the booking prove the effect.
    """

    host_id: int | None = None
    #: The e-mail of the new host. Where an event type also has a fixed host, the fixed host stays the host, and the new
    #: host becomes an attendee.
    host_email: str = ""
    reason: str = ""

    name = BookingAction.Kind.REASSIGN
    unchanged = UnchangedText.HOST

    def check_more(self, booking: Booking, now: datetime) -> None:
        event_type = booking.event_type
        scheduling = event_type.payload.get("schedulingType") if event_type else None
        if scheduling and str(scheduling).lower().replace("_", "") != "roundrobin":
            raise Refused(RefusalText.NOT_ROUND_ROBIN, RefusalCode.NOT_ROUND_ROBIN)
        hosts = booking.payload.get("hosts") or []
        if self.host_id and self.host_id in [host.get("id") for host in hosts]:
            raise Refused(RefusalText.SAME_HOST, RefusalCode.SAME_HOST)

    def changes(self) -> frozenset[str]:
        return frozenset({"hosts"})

    def relies_on(self) -> frozenset[str]:
        return frozenset({"active", "start", "hosts"})

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        return actions.reassign(view.uid, user_id=self.host_id, reason=self.reason)

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        remote = view.booking
        hosts = [host.remote_id for host in remote.hosts]
        if self.host_id is None:
            there = sent and set(hosts) != set(seen["hosts"])
        else:
            joined = sent and bool(self._joined(remote, seen))
            there = self.host_id in hosts or joined
        return Effect(remote.uid) if there else None

    def conflict(self, view: RemoteView, seen: dict[str, Any]) -> Conflict | None:
        """Return a conflict if an attendee could be taken for the host that joins."""
        joined = self._joined(view.booking, seen) if self.host_id else set()
        if not joined:
            return super().conflict(view, seen)
        return Conflict(ActionText.CONFLICT_ATTENDEE())

    def leaves_trace(self, remote: RemoteBooking) -> bool:
        # With a fixed host, Cal.com rewrites the row of an additional attendee, and not the booking.
        return len(remote.attendees) <= 1 and super().leaves_trace(remote)

    def _joined(self, remote: RemoteBooking, seen: dict[str, Any]) -> set[str]:
        """Return the new attendees who may be the host: by the host's e-mail, or all of them if it is not known."""
        before = {attendee["email"].lower() for attendee in seen["attendees"]}
        new = {attendee.email.lower() for attendee in remote.attendees} - before
        return new & {self.host_email.lower()} if self.host_email else new
