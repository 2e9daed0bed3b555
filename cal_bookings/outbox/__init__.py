"""Push: what people want done on Cal.com, each at most once, and known to be done when it says so."""

from cal_bookings.models import ErrorCode, RefusalCode
from cal_bookings.outbox.announcements import verify
from cal_bookings.outbox.intents import (
    INTENTS,
    Intent,
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
from cal_bookings.outbox.kinds import MARK, Refused
from cal_bookings.outbox.queue import (
    Decision,
    Proposal,
    due,
    enqueue,
    enqueue_many,
    examine,
    following,
    lateness,
)
from cal_bookings.outbox.requeueing import requeue, withdraw
from cal_bookings.outbox.sending import deliver

#: The name of `Decision` until 0.1; it stays importable.
Verdict = Decision

__all__ = [
    "INTENTS",
    "MARK",
    "Decision",
    "ErrorCode",
    "Intent",
    "Proposal",
    "RefusalCode",
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
    "verify",
    "withdraw",
]
