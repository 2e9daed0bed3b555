"""Who did not come."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.base import Found, Kind, Refused, emails, takes_place
from cal_bookings.outbox.remote_view import Look

#: Absence is for the records: there is time.
WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class MarkAbsent(Kind):
    """The host, attendees, or both, as absent or as having come after all. Cal.com skips unknown e-mails [rec 285]."""

    host: bool | None = None
    attendees: dict[str, bool] = field(default_factory=dict)

    name = BookingAction.Kind.MARK_ABSENT
    unchanged = "nobody was marked"

    def check(self, booking: Booking, now: datetime) -> None:
        takes_place(booking)
        if self.host is None and not self.attendees:
            raise Refused(
                "Nobody is named: say who was absent, the host or which attendees.",
                "nobody",
            )
        if booking.start > now:
            raise Refused(
                "The booking has not started: absence can be marked from its start on.",
                "not_started",
            )
        known = emails(booking)
        strangers = [one for one in self.attendees if one.lower() not in known]
        if strangers:
            raise Refused(
                f"Not among the attendees: {', '.join(strangers)}.", "no_attendee"
            )

    def changes(self) -> frozenset[str]:
        people = {f"absent:{email.lower()}" for email in self.attendees}
        return frozenset(people if self.host is None else people | {"absent:host"})

    def relies_on(self) -> frozenset[str]:
        host = set() if self.host is None else {"hosts"}
        return frozenset({"active", "start"} | host)

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return now + WEEK

    def leaves_trace(self, remote: RemoteBooking) -> bool:
        # An attendee's absence does not move the time of update [rec 280-283].
        return not self.attendees and super().leaves_trace(remote)

    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        # Cal.com skips another spelling of an e-mail, too.
        spelled = {one.email.lower(): one.email for one in look.booking.attendees}
        people = {
            spelled.get(email.lower(), email): absent
            for email, absent in self.attendees.items()
        }
        return actions.mark_absent(look.uid, host=self.host, attendees=people)

    def shown(self, answers: list[RemoteBooking], seen: dict[str, Any]) -> Found | None:
        return self._marked(answers[0])

    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        return self._marked(look.booking)

    def _marked(self, remote: RemoteBooking) -> Found | None:
        if self.host is not None and remote.absent_host != self.host:
            return None
        wanted = {email.lower(): absent for email, absent in self.attendees.items()}
        marked = {one.email.lower(): one.absent for one in remote.attendees}
        there = all(marked.get(email) == absent for email, absent in wanted.items())
        return Found(remote.uid) if there else None
