"""The typed columns of a `RemoteBooking`, and the differences between two versions of them."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from django.db import models

from cal_bookings.client import RemoteAttendee, RemoteBooking, RemoteHost
from cal_bookings.models import Attendee, Booking

BOOKING = tuple(
    field.name
    for field in fields(RemoteBooking)
    if field.name not in {"uid", "event_type", "hosts", "attendees"}
)
ATTENDEE = tuple(field.name for field in fields(RemoteAttendee))

#: The columns that an update writes besides the typed columns; `first_seen_at` stays.
BOOKING_UPDATED = (
    *BOOKING, "event_type", "event_type_gone_at", "appointment", "mirrored_at", "missing_since", "payload", "payload_hash", "api_version",
)  # fmt: skip


def _max_lengths(model: type[models.Model]) -> dict[str, int]:
    return {
        field.name: field.max_length
        for field in model._meta.get_fields()
        if isinstance(field, models.CharField) and field.max_length
    }


_MAX_LENGTHS = {model: _max_lengths(model) for model in (Booking, Attendee)}


def values(remote: RemoteBooking | RemoteAttendee) -> dict[str, Any]:
    """Return the typed columns of `remote`. Text longer than its column is cut; the payload keeps it whole."""
    names, model = (
        (BOOKING, Booking)
        if isinstance(remote, RemoteBooking)
        else (ATTENDEE, Attendee)
    )
    columns = {name: getattr(remote, name) for name in names}
    for name, length in _MAX_LENGTHS[model].items():
        if name in columns and len(columns[name]) > length:
            columns[name] = columns[name][:length]
    return columns


def diff(row: models.Model, new: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the differences as ``{field: [old, new]}``."""
    return {
        name: [old, value]
        for name, value in new.items()
        if (old := getattr(row, name)) != value
    }


def assign(row: models.Model, new: dict[str, Any]) -> None:
    for name, value in new.items():
        setattr(row, name, value)


def attendee_facts(
    attendees: Iterable[Attendee | RemoteAttendee],
) -> list[dict[str, Any]]:
    """Return the facts that history keeps of attendees: their identity, their seat, and whether they came."""
    return [
        {
            "name": attendee.name,
            "email": attendee.email,
            "seat_uid": attendee.seat_uid,
            "absent": attendee.absent,
        }
        for attendee in attendees
    ]


def host_facts(hosts: Iterable[RemoteHost]) -> list[dict[str, Any]]:
    """Return the facts that history keeps of hosts."""
    return [
        {"remote_id": host.remote_id, "name": host.name, "email": host.email}
        for host in hosts
    ]
