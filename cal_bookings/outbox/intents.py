"""The intents: one function for each kind of action on a booking, shared by the admin, Python code and the API.

A call of an intent writes one `BookingAction` in the caller's transaction and makes no request. It raises `Refused`, a
Django ValidationError, for what Cal.com would refuse, as far as the mirror knows. `requested_by` is a user; `deadline`
(aware) is the time from which the action is pointless.

With the same arguments, ``outbox.cancel.propose(…)`` returns a `Proposal` and writes nothing. `outbox.examine` says of
many proposals which of them would be accepted, and `outbox.enqueue_many` enqueues the accepted proposals at once.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, Protocol, cast
from uuid import uuid4

from django.utils import timezone

from cal_bookings.client import EventTypeIdentification
from cal_bookings.client.timestamps import write_instant
from cal_bookings.models import (
    Account,
    Booking,
    BookingAction,
    Host,
    RefusalCode,
    SlotReservation,
)
from cal_bookings.outbox import held_slots, kinds
from cal_bookings.outbox.kinds import Refused
from cal_bookings.outbox.kinds.base import seat_holder
from cal_bookings.outbox.queue import Proposal, enqueue_proposal
from cal_bookings.outbox.refusal_messages import RefusalText

P = ParamSpec("P")


class Intent(Protocol[P]):
    """A function that enqueues one action, and with `propose` only proposes it."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> BookingAction: ...

    def propose(self, *args: P.args, **kwargs: P.kwargs) -> Proposal: ...


#: The intents by the name of their kind.
INTENTS: dict[str, Intent[...]] = {}


def intent(propose: Callable[P, Proposal]) -> Intent[P]:
    """Make an intent of a function that returns a proposal."""

    @wraps(propose)
    def apply(*args: P.args, **kwargs: P.kwargs) -> BookingAction:
        return enqueue_proposal(propose(*args, **kwargs))

    made: Any = apply
    made.propose = propose
    made.__signature__ = signature(propose).replace(return_annotation=BookingAction)
    INTENTS[propose.__name__] = made
    return cast("Intent[P]", made)


@intent
def reschedule(
    booking: Booking,
    *,
    start: datetime,
    reason: str = "",
    seat_uid: str = "",
    rescheduled_by: str = "",
    email_verification_code: str = "",
    options: Mapping[str, bool] | None = None,
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Move a booking, one occurrence of a series, a seated booking with everybody in it, or one seat of it.

    `rescheduled_by` is an e-mail, by default the host's: then Cal.com asks nobody for confirmation. `options` are those
    of hosted Cal.com, such as ``{"allowConflicts": True}``.
    """
    kind = kinds.Reschedule(
        start=_on_the_wire(start),
        reason=reason,
        rescheduled_by=rescheduled_by or _host_email(booking),
        seat_uid=seat_uid,
        seat_email=(seat_uid and seat_holder(booking, seat_uid)) or "",
        email_verification_code=email_verification_code,
        options=dict(options or {}),
    )
    return Proposal(kind, booking, requested_by, deadline)


@intent
def request_reschedule(
    booking: Booking,
    *,
    reason: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Cancel the booking and have Cal.com ask the attendee for another time. Only hosted Cal.com can do this."""
    kind = kinds.RequestReschedule(reason=reason)
    return Proposal(kind, booking, requested_by, deadline)


@intent
def cancel(
    booking: Booking,
    *,
    reason: str,
    subsequent: bool = False,
    seat_uid: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Cancel a booking, with `subsequent` also the later bookings of its series; with `seat_uid` only that seat."""
    kind = kinds.Cancel(reason=reason, subsequent=subsequent, seat_uid=seat_uid)
    return Proposal(kind, booking, requested_by, deadline)


@intent
def confirm(
    booking: Booking, *, requested_by: Any = None, deadline: datetime | None = None
) -> Proposal:
    """Accept a pending booking, or all pending bookings of its series."""
    return Proposal(kinds.Confirm(), booking, requested_by, deadline)


@intent
def decline(
    booking: Booking,
    *,
    reason: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Reject a pending booking, or all pending bookings of its series."""
    kind = kinds.Decline(reason=reason)
    return Proposal(kind, booking, requested_by, deadline)


@intent
def reassign(
    booking: Booking,
    *,
    host: Host | None = None,
    user_id: int | None = None,
    reason: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Give a round-robin booking to another host, by default to a host that Cal.com chooses.

    Cal.com does not check whether the host is free. `user_id` is Cal.com's number of a host who is in no mirrored
    booking yet; raises TypeError if `host` is given too.
    """
    if host and user_id is not None:
        raise TypeError("reassign() takes host or user_id, not both")
    refusal = None
    if host and host.account_id != booking.account_id:
        refusal = Refused(RefusalText.ACCOUNT, RefusalCode.ACCOUNT)
    kind = kinds.Reassign(
        host_id=host.remote_id if host else user_id,
        host_email=host.email if host else "",
        reason=reason,
    )
    return Proposal(kind, booking, requested_by, deadline, refusal)


@intent
def mark_absent(
    booking: Booking,
    *,
    host: bool | None = None,
    attendees: Mapping[str, bool] | Iterable[str] = (),
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Mark the host, or attendees by e-mail, as absent; ``{email: False}`` and ``host=False`` take the mark back."""
    named = (
        dict(attendees)
        if isinstance(attendees, Mapping)
        else dict.fromkeys(attendees, True)
    )
    kind = kinds.MarkAbsent(host=host, attendees=named)
    return Proposal(kind, booking, requested_by, deadline)


@intent
def update_location(
    booking: Booking,
    *,
    location: Mapping[str, str],
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Move the booking to another place, such as ``{"type": "link", "link": "https://meet.example.com/room"}``."""
    kind = kinds.UpdateLocation(location=dict(location))
    return Proposal(kind, booking, requested_by, deadline)


@intent
def add_attendee(
    booking: Booking,
    *,
    name: str,
    email: str,
    time_zone: str,
    language: str = "",
    phone_number: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Add an attendee, by name. Seated bookings are refused."""
    attendee = {
        "name": name,
        "email": email,
        "timeZone": time_zone,
        "language": language,
        "phoneNumber": phone_number,
    }
    kind = kinds.AddAttendee(attendee=attendee)
    return Proposal(kind, booking, requested_by, deadline)


@intent
def remove_attendee(
    booking: Booking,
    *,
    email: str,
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Remove an attendee or guest, but not the person who booked. Only self-hosted Cal.com can do this."""
    kind = kinds.RemoveAttendee(email=email)
    return Proposal(kind, booking, requested_by, deadline)


@intent
def add_guests(
    booking: Booking,
    *,
    guests: Iterable[str | Mapping[str, str]],
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> Proposal:
    """Add guests, by e-mail, or each with ``email``, ``name``, ``timeZone``, ``phoneNumber``, ``language``."""
    named = [
        {"email": guest} if isinstance(guest, str) else dict(guest) for guest in guests
    ]
    kind = kinds.AddGuests(guests=named)
    return Proposal(kind, booking, requested_by, deadline)


@intent
def create(
    account: Account,
    *,
    attendee: Mapping[str, str],
    reservation: SlotReservation | None = None,
    start: datetime | None = None,
    event_type_id: int | None = None,
    event_type_slug: str = "",
    username: str = "",
    team_slug: str = "",
    organization_slug: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
    **fields: Any,
) -> Proposal:
    """Create a booking, or a series of bookings.

    `fields` go to Cal.com in its own names: ``guests``, ``location``, ``metadata``, ``recurrenceCount``,
    ``bookingFieldsResponses``, ``instant``…; a field that Cal.com does not know is refused.

    The event type is named in exactly one way: by `event_type_id`, or by `event_type_slug` with `username` or
    `team_slug`, and `organization_slug` where it exists. With ``instant=True`` the `start` is now, and may be left out;
    the action is given up after two minutes. Of a recurring event type, Cal.com books as many occurrences as it has.

    `reservation` holds the slot until it is booked: the action is sent before the reservation ends, or not at all, and
    releases it once its outcome is final. While the outcome is unknown, the reservation is left to run out.
    """
    named, refusal = _event_type_fields(
        event_type_id=event_type_id,
        event_type_slug=event_type_slug,
        username=username,
        team_slug=team_slug,
        organization_slug=organization_slug,
    )
    begin, no_start = _start_of_booking(start, instant=bool(fields.get("instant")))
    body = {"start": _on_the_wire(begin), "attendee": dict(attendee)} | named
    kind = kinds.Create(fields=body | fields, mark=uuid4().hex)
    draft, refusal = kind.draft(account), refusal or no_start
    if reservation is None:
        return Proposal(kind, draft, requested_by, deadline, refusal)
    return Proposal(
        kind,
        draft,
        requested_by,
        held_slots.last_moment(reservation, deadline),
        refusal or held_slots.refusal_of(reservation, account, kind),
        reservation.pk,
    )


def _event_type_fields(**named: Any) -> tuple[dict[str, Any], Refused | None]:
    """Return the fields that name an event type to Cal.com, or the refusal of names that do not identify one."""
    try:
        return EventTypeIdentification(**named).fields(), None
    except ValueError:
        return {}, Refused(RefusalText.EVENT_TYPE, RefusalCode.EVENT_TYPE)


def _start_of_booking(
    start: datetime | None, *, instant: bool
) -> tuple[datetime, Refused | None]:
    """Return the start of a new booking, which is now for an instant one, and the refusal of a start that is missing."""
    if start and not instant:
        return start, None
    now = timezone.now().replace(microsecond=0)
    return now, None if instant else Refused(RefusalText.NO_START, RefusalCode.PAST)


def _on_the_wire(start: datetime) -> str:
    """Return a time in Cal.com's notation. A naive time stays naive, and is refused as such with the proposal."""
    return start.isoformat() if timezone.is_naive(start) else write_instant(start)


def _host_email(booking: Booking) -> str:
    hosts = booking.payload.get("hosts") or [{}]
    return str(hosts[0].get("email") or "")
