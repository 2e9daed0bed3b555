"""The kinds of action, one class each."""

from cal_bookings.models import BookingAction
from cal_bookings.outbox.kinds.absence import MarkAbsent
from cal_bookings.outbox.kinds.attendees import (
    AddAttendee,
    AddGuests,
    RemoveAttendee,
)
from cal_bookings.outbox.kinds.base import Conflict, Doubt, Effect, Kind, Refused
from cal_bookings.outbox.kinds.cancellation import Cancel
from cal_bookings.outbox.kinds.confirmation import (
    Confirm,
    Decline,
)
from cal_bookings.outbox.kinds.creation import MARK, Create
from cal_bookings.outbox.kinds.location import UpdateLocation
from cal_bookings.outbox.kinds.reassignment import Reassign
from cal_bookings.outbox.kinds.rescheduling import (
    RequestReschedule,
    Reschedule,
)

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


class NotUnderstood(Exception):
    """A newer release wrote the action: its kind or its parameters are not known here."""


def of(action: BookingAction) -> Kind:
    """Return what an action in the database is, with its parameters; raises NotUnderstood."""
    try:
        return KINDS[action.kind].load(action.parameters)
    except (KeyError, TypeError):
        # Without the words of the error, which may hold parameters.
        raise NotUnderstood(str(action)) from None


__all__ = [
    "KINDS",
    "MARK",
    "AddAttendee",
    "AddGuests",
    "Cancel",
    "Confirm",
    "Conflict",
    "Create",
    "Decline",
    "Doubt",
    "Effect",
    "Kind",
    "MarkAbsent",
    "NotUnderstood",
    "Reassign",
    "Refused",
    "RemoveAttendee",
    "RequestReschedule",
    "Reschedule",
    "UpdateLocation",
    "of",
]
