"""The kinds of action, one class each."""

from cal_bookings.models import BookingAction
from cal_bookings.outbox.kinds.absence import MarkAbsent
from cal_bookings.outbox.kinds.answer import Confirm, Decline
from cal_bookings.outbox.kinds.base import Conflict, Found, Kind, Refused
from cal_bookings.outbox.kinds.cancel import Cancel
from cal_bookings.outbox.kinds.create import Create
from cal_bookings.outbox.kinds.location import UpdateLocation
from cal_bookings.outbox.kinds.people import AddAttendee, AddGuests, RemoveAttendee
from cal_bookings.outbox.kinds.reassign import Reassign
from cal_bookings.outbox.kinds.reschedule import RequestReschedule, Reschedule

KINDS: dict[str, type[Kind]] = {
    kind.name: kind
    for kind in (
        Create,
        Reschedule,
        RequestReschedule,
        Cancel,
        Confirm,
        Decline,
        Reassign,
        MarkAbsent,
        UpdateLocation,
        AddAttendee,
        RemoveAttendee,
        AddGuests,
    )
}


def of(action: BookingAction) -> Kind:
    """What an action in the database is, with its parameters."""
    return KINDS[action.kind].load(action.parameters)


__all__ = [
    "KINDS",
    "AddAttendee",
    "AddGuests",
    "Cancel",
    "Confirm",
    "Conflict",
    "Create",
    "Decline",
    "Found",
    "Kind",
    "MarkAbsent",
    "Reassign",
    "Refused",
    "RemoveAttendee",
    "RequestReschedule",
    "Reschedule",
    "UpdateLocation",
    "of",
]
