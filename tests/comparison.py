"""Is the mirror equal to the remote? Compares rows with payloads field by field, without the code under test."""

from datetime import datetime
from typing import Any

from cal_bookings.models import Account, Booking

TEXT = {
    "title": "title",
    "description": "description",
    "location": "location",
    "cancellation_reason": "cancellationReason",
    "cancelled_by_email": "cancelledByEmail",
    "rescheduling_reason": "reschedulingReason",
    "rescheduled_by_email": "rescheduledByEmail",
    "rescheduled_from_uid": "rescheduledFromUid",
    "rescheduled_to_uid": "rescheduledToUid",
    "recurring_booking_uid": "recurringBookingUid",
    "ics_uid": "icsUid",
}
AS_SENT = {
    "uid": "uid",
    "remote_id": "id",
    "status": "status",
    "duration": "duration",
    "event_type_remote_id": "eventTypeId",
    "absent_host": "absentHost",
    "rating": "rating",
}
TIMES = {
    "start": "start",
    "end": "end",
    "remote_created_at": "createdAt",
    "remote_updated_at": "updatedAt",
}
CHILDREN: dict[str, tuple[str, Any]] = {
    "guests": ("guests", []),
    "metadata": ("metadata", {}),
    "booking_fields_responses": ("bookingFieldsResponses", {}),
}
ATTENDEE_TEXT = {
    "name": "name",
    "email": "email",
    "display_email": "displayEmail",
    "time_zone": "timeZone",
    "language": "language",
    "phone_number": "phoneNumber",
    "seat_uid": "seatUid",
}


def text(value: Any) -> str:
    return "" if value in (None, "unknown") else value


def instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def expected(payload: dict[str, Any]) -> dict[str, Any]:
    """What the mirror must hold of a payload."""
    return (
        {column: text(payload.get(key)) for column, key in TEXT.items()}
        | {column: payload.get(key) for column, key in AS_SENT.items()}
        | {column: instant(payload.get(key)) for column, key in TIMES.items()}
        | {
            column: payload.get(key) or empty
            for column, (key, empty) in CHILDREN.items()
        }
        | {
            "payload": payload,
            "event_type": payload["eventType"]["slug"]
            if payload.get("eventType")
            else None,
            "hosts": sorted(
                (
                    host["id"],
                    text(host["name"]),
                    text(host["email"]),
                    text(host.get("timeZone")),
                )
                for host in payload["hosts"]
                if isinstance(host["id"], int)
            ),
            "attendees": [
                {
                    column: text(attendee.get(key))
                    for column, key in ATTENDEE_TEXT.items()
                }
                | {
                    "absent": attendee["absent"],
                    "metadata": attendee.get("metadata") or {},
                }
                for attendee in payload["attendees"]
            ],
            "missing": False,
        }
    )


def actual(booking: Booking) -> dict[str, Any]:
    """What the mirror does hold."""
    columns = (*TEXT, *AS_SENT, *TIMES, *CHILDREN)
    return {column: getattr(booking, column) for column in columns} | {
        "payload": booking.payload,
        "event_type": booking.event_type.slug if booking.event_type else None,
        "hosts": sorted(
            (host.remote_id, host.name, host.email, host.time_zone)
            for host in booking.hosts.all()
        ),
        "attendees": [
            {column: getattr(attendee, column) for column in ATTENDEE_TEXT}
            | {"absent": attendee.absent, "metadata": attendee.metadata}
            for attendee in booking.attendees.all()
        ],
        "missing": booking.missing_since is not None,
    }


def assert_mirrors(account: Account, payloads: list[dict[str, Any]]) -> None:
    """Every payload is one booking, equal field by field, and there is no other that is not marked missing."""
    rows = account.bookings.select_related("event_type").prefetch_related(
        "hosts", "attendees"
    )
    mirrored = {row.uid: actual(row) for row in rows.filter(missing_since=None)}
    remote = {payload["uid"]: expected(payload) for payload in payloads}
    assert mirrored.keys() == remote.keys()
    for uid, row in mirrored.items():
        assert row == remote[uid]
