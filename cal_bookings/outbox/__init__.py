"""The outbox: actions on Cal.com, each done at most once, and reported as done only when that is known."""

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
