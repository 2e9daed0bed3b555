"""The base of the kinds of action: their rules, their request, and the recognition of their effect."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.utils import timezone

from cal_bookings.client import (
    ActionAnswer,
    BookingActions,
    RemoteBooking,
    Server,
)
from cal_bookings.models import (
    Account,
    Booking,
    BookingAction,
    ErrorCode,
    RefusalCode,
    Status,
)
from cal_bookings.outbox import snapshots
from cal_bookings.outbox.messages import (
    ActionText,
    ChangeText,
    UnchangedText,
    status_text,
)
from cal_bookings.outbox.refusal_messages import RefusalText
from cal_bookings.outbox.remote_view import RemoteView
from cal_bookings.sentences import Message


class Refused(ValidationError):
    """The refusal of an action: `message` says why and what to do, `code` is for programs.

    A Django ValidationError, so that forms show it. `message` is lazy: it is written in the reader's language.
    """

    code: RefusalCode
    message: str

    def __init__(
        self,
        text: RefusalText,
        code: RefusalCode,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        #: The message with its codes, in the form in which a row stores it.
        self.explanation = text(**(parameters or {}))
        super().__init__(self.explanation.lazy, code)


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of an action, seen on Cal.com."""

    #: The booking that the action led to: the same booking, or its replacement.
    uid: str
    #: A note for a person on an action that went well.
    note: Message | str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The state in which the effect is absent and the booking no longer is as the person saw it."""

    message: Message
    code: ErrorCode = ErrorCode.CONFLICT
    #: True if a part of the effect is there.
    is_partial_effect: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """The reason why an invisible effect may have been there and been undone since."""

    message: Message
    code: ErrorCode = ErrorCode.UNCERTAIN
    #: True if the booking differs from its state when the action was sent.
    is_a_change: bool = False


CHANGED = Doubt(ActionText.CHANGED_SINCE(), is_a_change=True)
NO_TRACE = Doubt(ActionText.NO_TRACE())

#: The greatest number of reschedules that are followed in a chain.
_MOST_MOVES = 50


@dataclass(frozen=True, kw_only=True)
class Kind(ABC):
    """An action with its parameters: the fields are the parameters, which are kept as JSON."""

    name: ClassVar[BookingAction.Kind]
    #: The limit that Cal.com counts its request towards, if it is not the credential's (`client.endpoint_limit`).
    endpoint_limit: ClassVar[str] = ""
    #: True if the action may be done to a booking that has ended.
    is_for_past: ClassVar[bool] = False
    #: The text on what stayed as it was, where Cal.com reports success and nothing happened.
    unchanged: ClassVar[UnchangedText]

    @property
    def parameters(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def load(cls, parameters: dict[str, Any]) -> Self:
        return cls(**parameters)

    def check(self, booking: Booking, now: datetime) -> None:
        """Raise Refused for what Cal.com would refuse, as far as the mirror knows."""
        refuse_not_taking_place(booking)
        if booking.end <= now and not self.is_for_past:
            raise Refused(RefusalText.PAST, RefusalCode.PAST)
        self.check_more(booking, now)

    def check_more(self, booking: Booking, now: datetime) -> None:  # noqa: B027 - some need nothing
        """Raise Refused for the demands that Cal.com would refuse of this kind, on a booking that takes place."""

    def draft(self, account: Account) -> Booking:
        """Return the booking that the action is to create; raise Refused for a kind that creates none."""
        raise Refused(RefusalText.DELETED, RefusalCode.DELETED)

    @abstractmethod
    def changes(self) -> frozenset[str]:
        """Return the names of the facts that the action changes."""

    @abstractmethod
    def relies_on(self) -> frozenset[str]:
        """Return the names of the facts that must be as the person saw them."""

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        """Return the time from which on the action is pointless."""
        return booking.end

    def prepare(self, view: RemoteView) -> None:  # noqa: B027 - most need nothing
        """Read the data that the request needs, before it is announced; raise Refused if they cannot be had."""

    @abstractmethod
    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        """Send the single request of the action."""

    @abstractmethod
    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        """Return the effect if it is there. `sent` says whether it may be this action's own effect."""

    def effect_in_answer(
        self, bookings: list[RemoteBooking], seen: dict[str, Any]
    ) -> Effect | None:
        """Return the effect if Cal.com's answer shows all of it; None means that the booking has to be read."""
        return None

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        """Return whether Cal.com itself refuses the second of two identical requests.

        Only such an action is sent again after its answer was lost. Of any other action, a late first request and the
        second request would both take effect.
        """
        return False

    def snapshot(self, view: RemoteView) -> dict[str, Any]:
        """Return the facts of the state to which the action is sent, for comparison with later states."""
        return snapshots.facts(view.booking)

    def doubt(self, view: RemoteView, seen: dict[str, Any]) -> Doubt | None:
        """Return why the effect, which cannot be seen, may have been there; None means that there was no effect.

        `seen` is the snapshot of the state to which the action was sent.
        """
        if self.snapshot(view) != snapshots.in_order(seen):
            return CHANGED
        return None if self.leaves_trace(view.booking) else NO_TRACE

    def caveat(self, view: RemoteView) -> Message:
        """Return the caveat on what a refusal may hide that cannot be seen; empty if it hides nothing."""
        return Message()

    def leaves_trace(self, remote: RemoteBooking) -> bool:
        """Return whether the booking would differ even if somebody had undone the effect.

        The trace is the booking's time of update, which every change moves that CAL_API names, and which may be absent.
        """
        return remote.remote_updated_at is not None

    def of_series(self, booking: Booking) -> bool:
        """Return whether the action changes other occurrences of the series too."""
        return False

    def conflict(self, view: RemoteView, seen: dict[str, Any]) -> Conflict | None:
        """Return the changes since the person saw the booking, as far as they matter for this kind."""
        remote = view.booking
        if remote.rescheduled_to_uid and not seen["rescheduled_to_uid"]:
            return Conflict(ActionText.CONFLICT_RESCHEDULED(), ErrorCode.RESCHEDULED)
        changed = snapshots.differences(seen, snapshots.facts(remote), self.relies_on())
        if not changed:
            return None
        return Conflict(ChangeText.IN_THE_MEANTIME(changes=changed))


def latest(view: RemoteView, remote: RemoteBooking) -> RemoteBooking:
    """Return the booking itself, or the last of the bookings that took its place on Cal.com."""
    for _ in range(_MOST_MOVES):
        following = _successor(view, remote)
        if following is None:
            return remote
        remote = following
    return remote


def _successor(view: RemoteView, remote: RemoteBooking) -> RemoteBooking | None:
    if remote.rescheduled_to_uid:
        return view.other(remote.rescheduled_to_uid)
    if remote.status != Status.CANCELLED or not remote.recurring_booking_uid:
        return None
    # Occurrences do not name their replacements [rec 262].
    series = view.all_of(remote.recurring_booking_uid)
    return next(
        (
            occurrence
            for occurrence in series
            if occurrence.rescheduled_from_uid == remote.uid
        ),
        None,
    )


def what_became(view: RemoteView, made: RemoteBooking) -> Effect:
    """Return the effect of creating `made`, which names the booking in its place, or notes that no booking is left."""
    last = latest(view, made)
    if not snapshots.takes_place(last):
        return Effect(last.uid, ActionText.UNDONE(status=status_text(last.status)))
    is_moved = last.uid != made.uid
    return Effect(last.uid, ActionText.MOVED() if is_moved else "")


def refuse_not_taking_place(booking: Booking) -> None:
    """Raise Refused for a booking that is cancelled, rejected, or gone."""
    if booking.missing_since:
        raise Refused(RefusalText.MISSING, RefusalCode.MISSING)
    if booking.rescheduled_to_uid:
        raise Refused(RefusalText.RESCHEDULED, RefusalCode.RESCHEDULED)
    if not booking.takes_place:
        parameters = {"status": status_text(booking.status)}
        raise Refused(RefusalText.OVER, RefusalCode.OVER, parameters)


def refuse_start(start: datetime, now: datetime) -> None:
    """Raise Refused for a start that is naive, or not in the future."""
    if timezone.is_naive(start):
        raise Refused(RefusalText.NAIVE, RefusalCode.NAIVE)
    if start <= now:
        raise Refused(RefusalText.START_PAST, RefusalCode.PAST)


def is_hosted(account: Account) -> bool:
    """Return whether the account is known to be on hosted Cal.com, where other actions exist than elsewhere."""
    return account.server == Server.HOSTED


def is_seated(booking: Booking) -> bool:
    """Return whether each attendee has a seat; such a booking lacks fields that other bookings have once [rec 240]."""
    return any("seatUid" in attendee for attendee in _attendees(booking)) or (
        "bookingFieldsResponses" not in booking.payload
        and "attendees" in booking.payload
    )


def seat_holder(booking: Booking, seat_uid: str) -> str | None:
    """Return the e-mail address of the seat's holder, perhaps empty; None if nobody holds the seat."""
    for attendee in _attendees(booking):
        if attendee.get("seatUid") == seat_uid:
            return str(attendee.get("email") or "")
    return None


def refuse_unknown_seat(booking: Booking, seat_uid: str) -> None:
    """Raise Refused if a named seat does not belong to the booking."""
    if seat_uid and seat_holder(booking, seat_uid) is None:
        raise Refused(RefusalText.NO_SEAT, RefusalCode.NO_SEAT)


def known_email(value: Any) -> str:
    """Return the e-mail address in lower case; empty if Cal.com shows none, or "unknown"."""
    email = value.lower() if isinstance(value, str) else ""
    return "" if email == "unknown" else email


def emails(booking: Booking) -> set[str]:
    """Return the e-mail addresses of the booking's attendees in lower case."""
    return {known_email(attendee.get("email")) for attendee in _attendees(booking)} - {
        ""
    }


def _attendees(booking: Booking) -> list[dict[str, Any]]:
    attendees = booking.payload.get("attendees")
    rows = attendees if isinstance(attendees, list) else []
    return [row for row in rows if isinstance(row, dict)]
