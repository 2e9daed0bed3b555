"""The placeholders that Cal.com sends for lost data of a booking whose event type was deleted.

Such a booking has `eventType: null`, ``{"email": "unknown", "name": "unknown"}`` for the answers of its booking form, and
attendees without seats, answers and metadata. The mirror is then the only place that has them, and keeps them. The
payload is stored as it was sent.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cal_bookings.client import RemoteAttendee, RemoteBooking
from cal_bookings.mirror.matching import match_attendees
from cal_bookings.models import Attendee, Booking

UNKNOWN = "unknown"

#: The text columns of a booking, with the key of the payload.
_TEXTS = {
    "location": "location",
    "cancelled_by_email": "cancelledByEmail",
    "rescheduling_reason": "reschedulingReason",
    "rescheduled_by_email": "rescheduledByEmail",
}

#: The columns of an attendee that an empty value does not replace.
_OF_ATTENDEES = (
    "name",
    "email",
    "display_email",
    "time_zone",
    "language",
    "phone_number",
    "seat_uid",
    "metadata",
)


def is_event_type_gone(
    row: Booking, payload: dict[str, Any], remote: RemoteBooking
) -> bool:
    """Return whether the mirror knows an event type of the booking and Cal.com no longer does."""
    was_known = row.event_type_id is not None or row.event_type_remote_id is not None
    return was_known and "eventType" in payload and remote.event_type is None


def keep_known(
    row: Booking, payload: dict[str, Any], remote: RemoteBooking
) -> RemoteBooking:
    """Return `remote` with the values of `row` in place of placeholders; for attendees, see `keep_attendees`."""
    texts = {
        column: getattr(row, column)
        for column, key in _TEXTS.items()
        if payload.get(key) == UNKNOWN
    }
    number = remote.event_type_remote_id
    return replace(
        remote,
        event_type_remote_id=row.event_type_remote_id if number is None else number,
        metadata=remote.metadata or row.metadata,
        booking_fields_responses=_answers(
            row.booking_fields_responses, remote.booking_fields_responses
        ),
        **texts,
    )


def keep_attendees(
    rows: Iterable[Attendee], remotes: Iterable[RemoteAttendee]
) -> tuple[RemoteAttendee, ...]:
    """Return `remotes` with the values of `rows`, the known attendees, in place of placeholders."""
    remotes = tuple(remotes)
    known = match_attendees(rows, remotes)
    return tuple(
        _keep_attendee(known[remote.position], remote)
        if remote.position in known
        else remote
        for remote in remotes
    )


def _keep_attendee(row: Attendee, remote: RemoteAttendee) -> RemoteAttendee:
    kept = {name: getattr(remote, name) or getattr(row, name) for name in _OF_ATTENDEES}
    answers = _answers(row.booking_fields_responses, remote.booking_fields_responses)
    return replace(remote, booking_fields_responses=answers, **kept)


def _answers(known: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Return the answers of a booking form as sent, unless they are missing or placeholders."""
    if UNKNOWN in sent.values():
        return {key: value for key, value in sent.items() if value != UNKNOWN} | known
    return sent or known
