"""Push: what people want done on Cal.com, each at most once, and known to be done when it says so."""

from cal_bookings.outbox.actions import (
    add_attendee,
    add_guests,
    cancel,
    confirm,
    create,
    decline,
    mark_absent,
    reassign,
    remove_attendee,
    request_reschedule,
    reschedule,
    update_location,
)
from cal_bookings.outbox.bulk import Verdict, enqueue_many, examine
from cal_bookings.outbox.deliver import deliver
from cal_bookings.outbox.due import due, following, lateness
from cal_bookings.outbox.enqueue import enqueue, requeue, withdraw
from cal_bookings.outbox.kinds import Refused

__all__ = [
    "Refused",
    "Verdict",
    "add_attendee",
    "add_guests",
    "cancel",
    "confirm",
    "create",
    "decline",
    "deliver",
    "due",
    "enqueue",
    "enqueue_many",
    "examine",
    "following",
    "lateness",
    "mark_absent",
    "reassign",
    "remove_attendee",
    "request_reschedule",
    "requeue",
    "reschedule",
    "update_location",
    "withdraw",
]
