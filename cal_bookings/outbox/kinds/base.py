"""What every kind of action has to know: its rules, how it is sent, and how its effect is recognised."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError

from cal_bookings.client import (
    ActionAnswer,
    BookingActions,
    RemoteBooking,
    Server,
)
from cal_bookings.models import Account, Booking, BookingAction
from cal_bookings.outbox import snapshots
from cal_bookings.outbox.remote_view import Look


class Refused(ValidationError):
    """What somebody wants cannot be done, and why; one message for that person, one code for the program.

    A Django ValidationError: forms show it, and `error.message` and `error.code` hold the two.
    """


@dataclass(frozen=True, slots=True)
class Found:
    """The effect is there."""

    #: The booking that the action led to: the same one, or the one that took its place.
    uid: str
    #: What a person should know although it went well.
    note: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The effect is not there, and the booking is no longer the one that the person saw."""

    message: str
    code: str = "conflict"
    #: The effect is there in part.
    is_partial_effect: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an effect that is not to be seen may have been there all the same, and been undone since."""

    message: str
    code: str = "uncertain"
    #: Whether the booking differs from what it was when the action was sent.
    is_a_change: bool = False


CHANGED = Doubt(
    "The booking changed since this was sent: whether it took effect is not known. Queue it again if it is still wanted.",
    is_a_change=True,
)
NO_TRACE = Doubt(
    "The booking does not show this, but would not show either that somebody undid it since: whether it took effect is "
    "not known. Queue it again if it is still wanted."
)

#: Notes on what took effect and was followed by something else.
MOVED = "This took effect, and the booking was rescheduled since."
UNDONE = "This took effect, and the booking was %s since."
#: A chain of reschedules is followed so far.
_MOST_MOVES = 50


@dataclass(frozen=True, kw_only=True)
class Kind(ABC):
    """One action with its parameters; the fields are the parameters, kept as JSON."""

    name: ClassVar[BookingAction.Kind]
    #: The limit that Cal.com counts its request towards, if it is not the credential's (`client.endpoint_limit`).
    endpoint_limit: ClassVar[str] = ""
    #: What stayed as it was, when Cal.com answers success and nothing happened.
    unchanged: ClassVar[str]

    @property
    def parameters(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def load(cls, parameters: dict[str, Any]) -> Self:
        return cls(**parameters)

    @abstractmethod
    def check(self, booking: Booking, now: datetime) -> None:
        """Raises Refused for what Cal.com would refuse."""

    def draft(self, account: Account) -> Booking:
        """The booking that is to be; for those kinds that make one."""
        raise Refused("The booking of this action is gone: there is nothing to act on.")

    @abstractmethod
    def changes(self) -> frozenset[str]:
        """The facts that it changes."""

    @abstractmethod
    def relies_on(self) -> frozenset[str]:
        """The facts that must be as the person saw them."""

    @abstractmethod
    def deadline(self, booking: Booking, now: datetime) -> datetime:
        """From when on it is pointless."""

    def prepare(self, look: Look) -> None:  # noqa: B027 - most need nothing
        """Read what the request needs, before it is announced; raises Refused if that is not to be had."""

    @abstractmethod
    def send(self, actions: BookingActions, look: Look) -> ActionAnswer:
        """The one request."""

    @abstractmethod
    def found(self, look: Look, seen: dict[str, Any], *, sent: bool) -> Found | None:
        """The effect, if it is there. `sent`: whether it may be ours."""

    def shown(self, answers: list[RemoteBooking], seen: dict[str, Any]) -> Found | None:
        """The effect, if the answer shows all of it. None: look."""
        return None

    def repeat_is_refused(self, seen: dict[str, Any]) -> bool:
        """Whether Cal.com itself refuses the second of two.

        Only then is an action ever sent again after its answer was lost: of what Cal.com does not refuse, a late
        first one and the second would both take effect.
        """
        return False

    def snapshot(self, look: Look) -> dict[str, Any]:
        """Return what is kept of the state to which the action is sent, to be compared with later ones."""
        return snapshots.facts(look.booking)

    def doubt(self, look: Look, seen: dict[str, Any]) -> Doubt | None:
        """Say why the effect, which cannot be seen, may have been there; None means that it was not.

        `seen` is the snapshot to which the action was sent.
        """
        if self.snapshot(look) != snapshots.in_order(seen):
            return CHANGED
        return None if self.leaves_trace(look.booking) else NO_TRACE

    def caveat(self, look: Look) -> str:
        """Say what a refusal may hide that cannot be seen, with a blank before it; empty if it hides nothing."""
        return ""

    def leaves_trace(self, remote: RemoteBooking) -> bool:
        """Whether the booking would differ even if somebody had undone the effect: by its time of update, which every
        change moves that CAL_API names, and which may be absent.
        """
        return remote.remote_updated_at is not None

    def of_series(self, booking: Booking) -> bool:
        """Whether it acts on other occurrences of the series too."""
        return False

    def conflict(self, look: Look, seen: dict[str, Any]) -> Conflict | None:
        """What changed since the person looked, as far as it matters for this kind."""
        remote = look.booking
        if remote.rescheduled_to_uid and not seen["rescheduled_to_uid"]:
            return Conflict(
                "The booking was rescheduled on Cal.com in the meantime: act on the one that took its place.",
                "rescheduled",
            )
        changed = snapshots.differences(seen, snapshots.facts(remote), self.relies_on())
        if not changed:
            return None
        return Conflict(
            f"The booking changed on Cal.com in the meantime: {'; '.join(changed)}."
        )


def latest(look: Look, remote: RemoteBooking) -> RemoteBooking:
    """Return the booking itself, or the last of those that took its place on Cal.com."""
    for _ in range(_MOST_MOVES):
        following = _successor(look, remote)
        if following is None:
            return remote
        remote = following
    return remote


def _successor(look: Look, remote: RemoteBooking) -> RemoteBooking | None:
    if remote.rescheduled_to_uid:
        return look.other(remote.rescheduled_to_uid)
    if remote.status != "cancelled" or not remote.recurring_booking_uid:
        return None
    # Occurrences do not name what replaced them [rec 262].
    series = look.all_of(remote.recurring_booking_uid)
    return next((one for one in series if one.rescheduled_from_uid == remote.uid), None)


def what_became(look: Look, made: RemoteBooking) -> Found:
    """The effect is the booking `made`: name the one that took its place since, or say that nothing is left of it."""
    last = latest(look, made)
    if last.status in snapshots.OVER:
        return Found(last.uid, UNDONE % last.status)
    return Found(last.uid, "" if last.uid == made.uid else MOVED)


def takes_place(booking: Booking) -> None:
    """Raises Refused for a booking that is cancelled, rejected, or gone."""
    if booking.missing_since:
        raise Refused(
            "This booking no longer exists on Cal.com: there is nothing to act on.",
            "missing",
        )
    if booking.rescheduled_to_uid:
        raise Refused(
            "This booking was rescheduled: act on the one that took its place.",
            "rescheduled",
        )
    if booking.status in snapshots.OVER:
        raise Refused(
            f"This booking is {booking.status}: only one that takes place can be acted on.",
            "over",
        )


def is_hosted(account: Account) -> bool:
    """Whether the account is on hosted Cal.com, as far as that is known: some acts exist there only, or not there."""
    return account.server == Server.HOSTED


def is_seated(booking: Booking) -> bool:
    """Seated bookings keep a seat for each attendee, and lack what others keep once [rec 240]."""
    return any("seatUid" in one for one in _attendees(booking)) or (
        "bookingFieldsResponses" not in booking.payload
        and "attendees" in booking.payload
    )


def seat_holder(booking: Booking, seat_uid: str) -> str:
    """The e-mail of whoever holds the seat; raises Refused if nobody does."""
    for one in _attendees(booking):
        if one.get("seatUid") == seat_uid:
            return str(one.get("email") or "")
    raise Refused(
        "This booking has no such seat: choose one of its attendees, or refresh the booking.",
        "no_seat",
    )


def known_email(value: Any) -> str:
    """The e-mail address in lower case; empty where Cal.com shows none, or its word for one that it does not know."""
    email = value.lower() if isinstance(value, str) else ""
    return "" if email == "unknown" else email


def emails(booking: Booking) -> set[str]:
    """The e-mail addresses of its attendees, lower case."""
    return {known_email(one.get("email")) for one in _attendees(booking)} - {""}


def _attendees(booking: Booking) -> list[dict[str, Any]]:
    found = booking.payload.get("attendees")
    rows = found if isinstance(found, list) else []
    return [one for one in rows if isinstance(one, dict)]
