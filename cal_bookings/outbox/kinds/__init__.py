"""The kinds of action, each a class."""

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
    """A newer release wrote the action: this release does not know its kind or its parameters."""


def of(action: BookingAction) -> Kind:
    """Return the kind of a stored action with its parameters; raise NotUnderstood if this release lacks them."""
    try:
        return KINDS[action.kind].load(action.parameters)
    except (KeyError, TypeError):
        # The text of the error is left out, because it may hold parameters.
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
