"""The absence of hosts and attendees."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cal_bookings.client import ActionAnswer, BookingActions, RemoteBooking
from cal_bookings.models import Booking, BookingAction, RefusalCode
from cal_bookings.outbox.kinds.base import Effect, Kind, Refused, emails
from cal_bookings.outbox.messages import UnchangedText
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.remote_view import RemoteView

#: The time after which a report of absence is pointless: absence is only for the records.
WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class MarkAbsent(Kind):
    """Mark the host, attendees or both as absent or as present. Cal.com skips unknown e-mails [rec 285]."""

    host: bool | None = None
    attendees: dict[str, bool] = field(default_factory=dict)

    name = BookingAction.Kind.MARK_ABSENT
    is_for_past = True
    unchanged = UnchangedText.ABSENCE

    def check_more(self, booking: Booking, now: datetime) -> None:
        if self.host is None and not self.attendees:
            raise Refused(RefusalText.NOBODY, RefusalCode.NOBODY)
        if booking.start > now:
            raise Refused(RefusalText.NOT_STARTED, RefusalCode.NOT_STARTED)
        known = emails(booking)
        strangers = [email for email in self.attendees if email.lower() not in known]
        if strangers:
            parameters = {"emails": ", ".join(strangers)}
            raise Refused(RefusalText.NO_ATTENDEE, RefusalCode.NO_ATTENDEE, parameters)

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

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        # Cal.com also skips another spelling of an e-mail.
        spelled = {
            attendee.email.lower(): attendee.email
            for attendee in view.booking.attendees
        }
        people = {
            spelled.get(email.lower(), email): absent
            for email, absent in self.attendees.items()
        }
        return actions.mark_absent(view.uid, host=self.host, attendees=people)

    def effect_in_answer(
        self, bookings: list[RemoteBooking], seen: dict[str, Any]
    ) -> Effect | None:
        return self._marked(bookings[0])

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        return self._marked(view.booking)

    def _marked(self, remote: RemoteBooking) -> Effect | None:
        if self.host is not None and remote.absent_host != self.host:
            return None
        wanted = {email.lower(): absent for email, absent in self.attendees.items()}
        marked = {
            attendee.email.lower(): attendee.absent for attendee in remote.attendees
        }
        there = all(marked.get(email) == absent for email, absent in wanted.items())
        return Effect(remote.uid) if there else None
