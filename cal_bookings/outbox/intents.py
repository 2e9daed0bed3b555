"""What can be done to a booking: one function for each kind.

All of them write one `BookingAction` in the caller's transaction and make no request. They raise `Refused`, a Django
ValidationError, for what Cal.com would refuse, as far as the mirror knows. `requested_by` is a user; `deadline` (aware)
is when the action becomes pointless.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils import timezone

from cal_bookings.client.timestamps import write_instant
from cal_bookings.models import Account, Booking, BookingAction, Host
from cal_bookings.outbox import kinds
from cal_bookings.outbox.kinds import Refused
from cal_bookings.outbox.kinds.base import seat_holder
from cal_bookings.outbox.queue import enqueue


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
) -> BookingAction:
    """Moves a booking, one occurrence of a series, a seated booking with everybody in it, or one seat of it.

    `rescheduled_by` is an e-mail, by default the host's: then Cal.com asks nobody for confirmation. `options` are those
    of hosted Cal.com, such as ``{"allowConflicts": True}``.
    """
    kind = kinds.Reschedule(
        start=write_instant(_aware(start)),
        reason=reason,
        rescheduled_by=rescheduled_by or _host_email(booking),
        seat_uid=seat_uid,
        seat_email=seat_holder(booking, seat_uid) if seat_uid else "",
        email_verification_code=email_verification_code,
        options=dict(options or {}),
    )
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


def request_reschedule(
    booking: Booking,
    *,
    reason: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """Cancels the booking and has Cal.com ask the attendee for another time. Hosted Cal.com only."""
    kind = kinds.RequestReschedule(reason=reason)
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


def cancel(
    booking: Booking,
    *,
    reason: str,
    subsequent: bool = False,
    seat_uid: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """Cancels a booking, with `subsequent` also the later ones of its series; with `seat_uid` that seat alone."""
    kind = kinds.Cancel(reason=reason, subsequent=subsequent, seat_uid=seat_uid)
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


def confirm(
    booking: Booking, *, requested_by: Any = None, deadline: datetime | None = None
) -> BookingAction:
    """Accepts a pending booking; of a series, all that are pending."""
    return enqueue(
        kinds.Confirm(), booking, requested_by=requested_by, deadline=deadline
    )


def decline(
    booking: Booking,
    *,
    reason: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """Rejects a pending booking; of a series, all that are pending."""
    kind = kinds.Decline(reason=reason)
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


def reassign(
    booking: Booking,
    *,
    host: Host | None = None,
    reason: str = "",
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """Gives a round-robin booking to another host, or to whom Cal.com chooses. Cal.com does not ask whether they are free."""
    if host and host.account_id != booking.account_id:
        raise Refused(
            "This host belongs to another account: choose one of the booking's.",
            "account",
        )
    kind = kinds.Reassign(
        host_id=host.remote_id if host else None,
        host_email=host.email if host else "",
        reason=reason,
    )
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


def mark_absent(
    booking: Booking,
    *,
    host: bool | None = None,
    attendees: Mapping[str, bool] | Iterable[str] = (),
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """Marks who did not come: the host, attendees by e-mail; ``{email: False}`` and ``host=False`` take it back."""
    named = (
        dict(attendees)
        if isinstance(attendees, Mapping)
        else dict.fromkeys(attendees, True)
    )
    kind = kinds.MarkAbsent(host=host, attendees=named)
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


def update_location(
    booking: Booking,
    *,
    location: Mapping[str, str],
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """Moves the booking to another place, such as ``{"type": "link", "link": "https://meet.example.com/room"}``."""
    kind = kinds.UpdateLocation(location=dict(location))
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


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
) -> BookingAction:
    """One more attendee, by name. Not for seated bookings."""
    attendee = {
        "name": name,
        "email": email,
        "timeZone": time_zone,
        "language": language,
        "phoneNumber": phone_number,
    }
    kind = kinds.AddAttendee(attendee=attendee)
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


def remove_attendee(
    booking: Booking,
    *,
    email: str,
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """An attendee or guest fewer; not the one who booked."""
    kind = kinds.RemoveAttendee(email=email)
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


def add_guests(
    booking: Booking,
    *,
    guests: Iterable[str | Mapping[str, str]],
    requested_by: Any = None,
    deadline: datetime | None = None,
) -> BookingAction:
    """More guests, by e-mail, or each with ``email``, ``name``, ``timeZone``, ``phoneNumber``, ``language``."""
    named = [
        {"email": guest} if isinstance(guest, str) else dict(guest) for guest in guests
    ]
    kind = kinds.AddGuests(guests=named)
    return enqueue(kind, booking, requested_by=requested_by, deadline=deadline)


def create(
    account: Account,
    *,
    event_type_id: int,
    start: datetime,
    attendee: Mapping[str, str],
    requested_by: Any = None,
    deadline: datetime | None = None,
    **fields: Any,
) -> BookingAction:
    """A new booking, or a series of them. `fields` go to Cal.com as they are: ``guests``, ``location``, ``metadata``,
    ``recurrenceCount``, ``bookingFieldsResponses``…; it refuses those it does not know.
    """
    body = {
        "start": write_instant(_aware(start)),
        "eventTypeId": event_type_id,
        "attendee": dict(attendee),
    }
    kind = kinds.Create(fields=body | fields, mark=uuid4().hex)
    draft = kind.draft(account)
    return enqueue(kind, draft, requested_by=requested_by, deadline=deadline)


def _aware(start: datetime) -> datetime:
    if timezone.is_naive(start):
        raise Refused(
            "The time has no time zone: make it aware, for instance with django.utils.timezone.make_aware().",
            "naive",
        )
    return start


def _host_email(booking: Booking) -> str:
    hosts = booking.payload.get("hosts") or [{}]
    return str(hosts[0].get("email") or "")
