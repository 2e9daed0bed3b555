"""The creation of a booking or of a series."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cal_bookings.client import (
    ActionAnswer,
    BookingActions,
    RemoteBooking,
    Server,
)
from cal_bookings.models import Account, Booking, BookingAction, ErrorCode, RefusalCode
from cal_bookings.outbox.kinds.base import (
    Conflict,
    Doubt,
    Effect,
    Kind,
    Refused,
    latest,
    refuse_start,
    what_became,
)
from cal_bookings.outbox.kinds.creation_fields import check_fields
from cal_bookings.outbox.messages import ActionText, UnchangedText
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.remote_view import RemoteView
from cal_bookings.outbox.snapshots import takes_place
from cal_bookings.sentences import Message

#: The key of our mark in the booking's metadata. Cal.com has no idempotency keys: the mark identifies our booking.
MARK = "djangoCalBookings"

#: The time after which an unsent instant booking is pointless, because nobody waits any more.
INSTANT_FOR = timedelta(minutes=2)

UNSEEN = Doubt(ActionText.UNSEEN(), ErrorCode.UNVERIFIED)


@dataclass(frozen=True, kw_only=True)
class Create(Kind):
    """Create a booking or a series. Cal.com accepts a repeat only where the event type requires confirmation."""

    #: The body of the request in Cal.com's own form.
    fields: dict[str, Any]
    mark: str

    name = BookingAction.Kind.CREATE
    unchanged = UnchangedText.CREATE

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.fields["start"])

    def check(self, booking: Booking, now: datetime) -> None:
        """Raise Refused for what Cal.com would refuse; `booking` is the draft of the new booking."""
        self._refuse_time(now)
        self_hosted = booking.account.server == Server.SELF_HOSTED
        check_fields(self.fields, self_hosted=self_hosted)
        attendee = self.fields["attendee"]
        if not str(attendee.get("name") or "").strip():
            raise Refused(RefusalText.NAME, RefusalCode.NAME)
        if not attendee.get("timeZone"):
            raise Refused(RefusalText.TIME_ZONE, RefusalCode.TIME_ZONE)
        if not attendee.get("email") and not attendee.get("phoneNumber"):
            raise Refused(RefusalText.CREATE_EMAIL, RefusalCode.EMAIL)

    def _refuse_time(self, now: datetime) -> None:
        if not self.is_instant:
            refuse_start(self.start, now)
        elif self.start + INSTANT_FOR <= now:
            raise Refused(RefusalText.START_PAST, RefusalCode.PAST)

    @property
    def is_instant(self) -> bool:
        return bool(self.fields.get("instant"))

    def draft(self, account: Account) -> Booking:
        # An action that is queued again after a failure keeps its mark: a first request that took effect late is
        # recognised.
        return Booking(account=account, uid=self.mark, start=self.start)

    def changes(self) -> frozenset[str]:
        return frozenset()

    def relies_on(self) -> frozenset[str]:
        return frozenset()

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        return self.start + INSTANT_FOR if self.is_instant else self.start

    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        metadata = dict(self.fields.get("metadata") or {}) | {MARK: self.mark}
        return actions.create(self.fields | {"metadata": metadata})

    def effect_in_answer(
        self, bookings: list[RemoteBooking], seen: dict[str, Any]
    ) -> Effect | None:
        # A booking without our mark is an earlier booking, which Cal.com returns where confirmation is required.
        first = min(bookings, key=lambda booking: booking.start)
        enough = len(bookings) >= int(self.fields.get("recurrenceCount") or 1)
        return Effect(first.uid) if enough and self._is_ours(first) else None

    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        """Return the effect: a booking with our mark proves the creation, whatever became of the booking since.

        Before the action is sent, the mark is that of an earlier action that was queued again. The bookings of that
        action that no longer take place are created again.
        """
        return self._complete(view, view.announced(), seen, sent=sent) or (
            self._complete(view, view.starting_at(self.start), seen, sent=sent)
        )

    def _complete(
        self,
        view: RemoteView,
        firsts: list[RemoteBooking],
        seen: dict[str, Any],
        *,
        sent: bool,
    ) -> Effect | None:
        """Return the effect if one of `firsts` was created with all of its series."""
        for made in self._made(view, firsts, seen, sent=sent):
            count = self._count(view, made[0])
            if count is not None and len(made) >= count:
                return _what_became(view, made)
        return None

    def _made(
        self,
        view: RemoteView,
        firsts: list[RemoteBooking],
        seen: dict[str, Any],
        *,
        sent: bool,
    ) -> list[list[RemoteBooking]]:
        """Return the created bookings, each with the rest of its series, by start; omit those that existed before."""
        made = []
        for first in filter(self._is_ours, firsts):
            if first.uid in seen.get("uids", ()) or first.rescheduled_from_uid:
                continue
            series = first.recurring_booking_uid
            together = view.all_of(series) if series else [first]
            # A booking that was moved within the series does not add an occurrence.
            own = [
                occurrence
                for occurrence in together
                if not occurrence.rescheduled_from_uid
            ]
            if sent or any(takes_place(latest(view, occurrence)) for occurrence in own):
                made.append(sorted(own, key=lambda occurrence: occurrence.start))
        return made

    def _count(self, view: RemoteView, first: RemoteBooking) -> int | None:
        """Return the wanted number of occurrences; None if only the event type says it, and cannot be read."""
        if self.fields.get("recurrenceCount"):
            return int(self.fields["recurrenceCount"])
        if not first.recurring_booking_uid:
            return 1
        number = first.event_type_remote_id or self.fields.get("eventTypeId")
        recurrence = view.event_type(number or 0).get("recurrence")
        count = recurrence.get("occurrences") if isinstance(recurrence, dict) else None
        return count if type(count) is int else None

    def _event_type(self, view: RemoteView) -> dict[str, Any]:
        """Return the account's own event type that is booked; empty if it is another account's, or named by slug."""
        remote_id = self.fields.get("eventTypeId")
        return view.event_type(remote_id) if remote_id else {}

    def _is_ours(self, remote: RemoteBooking) -> bool:
        marks = [remote.metadata, *(attendee.metadata for attendee in remote.attendees)]
        return any(metadata.get(MARK) == self.mark for metadata in marks)

    def conflict(self, view: RemoteView, seen: dict[str, Any]) -> Conflict | None:
        """Return a conflict if Cal.com booked the first occurrences of a series and then refused the rest."""
        firsts = view.starting_at(self.start)
        each = self._made(view, firsts, seen, sent=bool(seen))
        made = max(each, key=len, default=None)
        if not made:
            return None
        count = self._count(view, made[0])
        text = ActionText.PARTLY if count else ActionText.PARTLY_OF_MANY
        message = text(booked=len(made), wanted=count)
        return Conflict(message, ErrorCode.PARTLY, is_partial_effect=True)

    def snapshot(self, view: RemoteView) -> dict[str, Any]:
        """Return the uids of the bookings with our mark: those of an earlier action that was queued again."""
        ours = filter(self._is_ours, view.starting_at(self.start))
        return {"uids": sorted(booking.uid for booking in ours)}

    def caveat(self, view: RemoteView) -> Message:
        is_one = str(self.fields.get("recurrenceCount")) == "1"
        is_own = is_one or bool(self._event_type(view))
        return Message() if is_own else ActionText.PERHAPS_PARTLY()

    def doubt(self, view: RemoteView, seen: dict[str, Any]) -> Doubt | None:
        """Return a doubt unless the account's list shows every booking of the event type.

        The list does so only for an own event type without seats; it then includes the bookings that no longer take
        place.
        """
        own = self._event_type(view)
        seats = own.get("seats")
        has_seats = isinstance(seats, dict) and bool(seats.get("seatsPerTimeSlot"))
        is_seen = own and not own.get("schedulingType") and not has_seats
        return None if is_seen else UNSEEN


def _what_became(view: RemoteView, made: list[RemoteBooking]) -> Effect:
    """Return the effect. A series takes place as long as one of its occurrences does."""
    ends = [latest(view, occurrence) for occurrence in made]
    if not takes_place(ends[0]) and any(map(takes_place, ends)):
        return Effect(made[0].uid)
    return what_became(view, made[0])
