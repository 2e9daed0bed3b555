"""The base of the kinds of action: rules, how it is sent, and how its effect is recognised."""

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
    """An action cannot be done: `message` says why and what to do, `code` is for programs.

    A Django ValidationError, so forms show it. `message` is lazy: it is written in the language of whoever reads it.
    """

    code: RefusalCode
    message: str

    def __init__(
        self,
        text: RefusalText,
        code: RefusalCode,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        #: The message with its codes, as a row stores it.
        self.explanation = text(**(parameters or {}))
        super().__init__(self.explanation.lazy, code)


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of an action, seen on Cal.com."""

    #: The booking that the action led to: the same one, or the one that took its place.
    uid: str
    #: What a person should know although it went well.
    note: Message | str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The effect is not there, and the booking is no longer the one that the person saw."""

    message: Message
    code: ErrorCode = ErrorCode.CONFLICT
    #: The effect is there in part.
    is_partial_effect: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an effect that is not to be seen may have been there all the same, and been undone since."""

    message: Message
    code: ErrorCode = ErrorCode.UNCERTAIN
    #: Whether the booking differs from what it was when the action was sent.
    is_a_change: bool = False


CHANGED = Doubt(ActionText.CHANGED_SINCE(), is_a_change=True)
NO_TRACE = Doubt(ActionText.NO_TRACE())

#: A chain of reschedules is followed so far.
_MOST_MOVES = 50


@dataclass(frozen=True, kw_only=True)
class Kind(ABC):
    """One action with its parameters; the fields are the parameters, kept as JSON."""

    name: ClassVar[BookingAction.Kind]
    #: The limit that Cal.com counts its request towards, if it is not the credential's (`client.endpoint_limit`).
    endpoint_limit: ClassVar[str] = ""
    #: Whether it may be done to a booking that has ended.
    is_for_past: ClassVar[bool] = False
    #: What stayed as it was, when Cal.com answers success and nothing happened.
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
        """Raise Refused for what Cal.com would refuse of this kind, on a booking that takes place."""

    def draft(self, account: Account) -> Booking:
        """Return the booking that this is to create; raises Refused for a kind that creates none."""
        raise Refused(RefusalText.DELETED, RefusalCode.DELETED)

    @abstractmethod
    def changes(self) -> frozenset[str]:
        """Return the names of the facts that it changes."""

    @abstractmethod
    def relies_on(self) -> frozenset[str]:
        """Return the names of the facts that must be as the person saw them."""

    def deadline(self, booking: Booking, now: datetime) -> datetime:
        """Return the time from which on it is pointless."""
        return booking.end

    def prepare(self, view: RemoteView) -> None:  # noqa: B027 - most need nothing
        """Read what the request needs, before it is announced; raises Refused if that is not to be had."""

    @abstractmethod
    def send(self, actions: BookingActions, view: RemoteView) -> ActionAnswer:
        """Make the one request."""

    @abstractmethod
    def effect(
        self, view: RemoteView, seen: dict[str, Any], *, sent: bool
    ) -> Effect | None:
        """Return the effect if it is there. `sent` says whether it may be this action's own."""

    def effect_in_answer(
        self, bookings: list[RemoteBooking], seen: dict[str, Any]
    ) -> Effect | None:
        """Return the effect if Cal.com's answer shows all of it; None means that the booking has to be read."""
        return None

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        """Whether Cal.com itself refuses the second of two.

        Only then is an action ever sent again after its answer was lost: of what Cal.com does not refuse, a late
        first one and the second would both take effect.
        """
        return False

    def snapshot(self, view: RemoteView) -> dict[str, Any]:
        """Return what is kept of the state to which the action is sent, to be compared with later ones."""
        return snapshots.facts(view.booking)

    def doubt(self, view: RemoteView, seen: dict[str, Any]) -> Doubt | None:
        """Say why the effect, which cannot be seen, may have been there; None means that it was not.

        `seen` is the snapshot to which the action was sent.
        """
        if self.snapshot(view) != snapshots.in_order(seen):
            return CHANGED
        return None if self.leaves_trace(view.booking) else NO_TRACE

    def caveat(self, view: RemoteView) -> Message:
        """Say what a refusal may hide that cannot be seen; empty if it hides nothing."""
        return Message()

    def leaves_trace(self, remote: RemoteBooking) -> bool:
        """Whether the booking would differ even if somebody had undone the effect: by its time of update, which every
        change moves that CAL_API names, and which may be absent.
        """
        return remote.remote_updated_at is not None

    def of_series(self, booking: Booking) -> bool:
        """Whether it changes other occurrences of the series too."""
        return False

    def conflict(self, view: RemoteView, seen: dict[str, Any]) -> Conflict | None:
        """Return what changed since the person saw the booking, as far as it matters for this kind."""
        remote = view.booking
        if remote.rescheduled_to_uid and not seen["rescheduled_to_uid"]:
            return Conflict(ActionText.CONFLICT_RESCHEDULED(), ErrorCode.RESCHEDULED)
        changed = snapshots.differences(seen, snapshots.facts(remote), self.relies_on())
        if not changed:
            return None
        return Conflict(ChangeText.IN_THE_MEANTIME(changes=changed))


def latest(view: RemoteView, remote: RemoteBooking) -> RemoteBooking:
    """Return the booking itself, or the last of those that took its place on Cal.com."""
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
    # Occurrences do not name what replaced them [rec 262].
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
    """Return the effect of creating `made`. It names the booking that took its place, or notes that nothing is left of it."""
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
    """Whether the account is on hosted Cal.com, as far as that is known: some actions exist only there, others only elsewhere."""
    return account.server == Server.HOSTED


def is_seated(booking: Booking) -> bool:
    """Seated bookings keep a seat for each attendee, and lack what others keep once [rec 240]."""
    return any("seatUid" in attendee for attendee in _attendees(booking)) or (
        "bookingFieldsResponses" not in booking.payload
        and "attendees" in booking.payload
    )


def seat_holder(booking: Booking, seat_uid: str) -> str | None:
    """Return the e-mail address of the attendee who holds the seat, perhaps empty; None if nobody does."""
    for attendee in _attendees(booking):
        if attendee.get("seatUid") == seat_uid:
            return str(attendee.get("email") or "")
    return None


def refuse_unknown_seat(booking: Booking, seat_uid: str) -> None:
    """Raise Refused if a seat is named and the booking does not have it."""
    if seat_uid and seat_holder(booking, seat_uid) is None:
        raise Refused(RefusalText.NO_SEAT, RefusalCode.NO_SEAT)


def known_email(value: Any) -> str:
    """Return the e-mail address in lower case; empty if Cal.com shows none, or "unknown"."""
    email = value.lower() if isinstance(value, str) else ""
    return "" if email == "unknown" else email


def emails(booking: Booking) -> set[str]:
    """Return the e-mail addresses of its attendees in lower case."""
    return {known_email(attendee.get("email")) for attendee in _attendees(booking)} - {
        ""
    }


def _attendees(booking: Booking) -> list[dict[str, Any]]:
    attendees = booking.payload.get("attendees")
    rows = attendees if isinstance(attendees, list) else []
    return [row for row in rows if isinstance(row, dict)]
