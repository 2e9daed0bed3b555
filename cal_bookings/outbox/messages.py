"""The texts on a queued action: the outcome of its last attempt, why it failed, and notes on an action that is done.

The codes for programs are `ErrorCode`; a code may have several texts. Refusals are in `refusal_messages`.
"""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from cal_bookings.models import Status
from cal_bookings.sentences import Message, Sentence


class ActionText(Sentence):
    """The texts on the outcome of an action that was queued."""

    CONFLICT_ATTENDEE = (
        "action.conflict_attendee",
        _(
            "An attendee who could be taken for the new host was added on Cal.com in the meantime: look at the "
            "booking, and decide again."
        ),
    )
    CONFLICT_RESCHEDULED = (
        "action.conflict_rescheduled",
        _(
            "The booking was rescheduled on Cal.com in the meantime: choose the one that took its place."
        ),
    )
    PARTLY = (
        "action.partly",
        _(
            "Cal.com booked %(booked)d of %(wanted)d occurrences and refused the rest: cancel those, or book the "
            "rest."
        ),
    )
    PARTLY_OF_MANY = (
        "action.partly_of_many",
        ngettext_lazy(
            "Cal.com booked %(booked)d occurrence, and may have refused more: compare it with the event type.",
            "Cal.com booked %(booked)d occurrences, and may have refused more: compare them with the event type.",
            "booked",
        ),
    )
    SEAT_GONE = (
        "action.seat_gone",
        _("The seat is no longer in this booking on Cal.com."),
    )
    CHANGED_SINCE = (
        "action.changed_since",
        _(
            "The booking changed since this was sent: whether it took effect is not known. Queue it again if you "
            "still want it."
        ),
    )
    NO_TRACE = (
        "action.no_trace",
        _(
            "The booking does not show this, but would not show either that somebody undid it since: whether it "
            "took effect is not known. Queue it again if you still want it."
        ),
    )
    UNSEEN = (
        "action.unseen",
        _(
            "The account does not see for certain every booking of this event type, which others may host or "
            "which has seats: whether this took effect is not known. Look for the booking on Cal.com before you "
            "queue this again."
        ),
    )
    PERHAPS_PARTLY = (
        "action.perhaps_partly",
        _(
            "If this is a series, its first occurrences may have been booked all the same, where the account "
            "does not see them: look for them on Cal.com."
        ),
    )
    MERGED = (
        "action.merged",
        _(
            "Another booking of this event type was at that time: Cal.com moved the attendees into it."
        ),
    )
    MOVED = (
        "action.moved",
        _("This took effect, and the booking was rescheduled since."),
    )
    NOTHING_LEFT = (
        "action.nothing_left",
        _(
            "This booking was the new time of another one, which stays cancelled: nothing is left of the "
            "meeting. If it should take place, book it again."
        ),
    )
    PENDING = (
        "action.pending",
        _(
            "The new time waits for confirmation, and the old booking is cancelled already: if the new one is "
            "declined, nothing is left of the meeting."
        ),
    )
    UNDONE = (
        "action.undone",
        _("This took effect, and the booking was %(status)s since."),
    )
    COUNTED_APART = (
        "action.counted_apart",
        _(
            "Cal.com allows five changes of this kind a minute. It is sent when its turn comes."
        ),
    )
    GONE = "action.gone", _("This booking no longer exists on Cal.com.")
    INTERNAL = (
        "action.internal",
        _(
            "An error in this software (%(error)s) stopped the attempt; the log names the place. It is tried "
            "again later."
        ),
    )
    INTERNAL_AT_LAST = (
        "action.internal_at_last",
        _(
            "An error in this software (%(error)s) stopped the last of many attempts; the log names the place."
        ),
    )
    NEWER_WORKER = (
        "action.newer_worker",
        _(
            "A newer release wrote this action, and this worker does not understand it: update the workers."
        ),
    )
    NO_EFFECT = "action.no_effect", _("Cal.com reported success, but %(unchanged)s.")
    STALE = (
        "action.stale",
        _(
            "More time than allowed passed between reading the booking and sending this, so it was not sent: the "
            "booking may have changed. It is read again before the next attempt."
        ),
    )
    TOO_LATE = "action.too_late", _("It is too late to send this.")
    UNSUPPORTED = (
        "action.unsupported",
        _("This Cal.com does not know this action: update it, or do it there by hand."),
    )
    UNVERIFIED = (
        "action.unverified",
        _(
            "No usable response came, and the booking could not be read since (%(problem)s): whether this took "
            "effect is not known. Look at the booking on Cal.com."
        ),
    )
    LOST = "action.lost", _("No usable response came (%(problem)s).")
    NOT_APPLIED = (
        "action.not_applied",
        _("No usable response came (%(problem)s) and it did not take effect."),
    )
    NOT_SENT_AGAIN = (
        "action.not_sent_again",
        _(
            "It was not sent again, because both requests might take effect if the first one arrives late. Queue "
            "it again if you still want it."
        ),
    )
    OFTEN_ENOUGH = (
        "action.often_enough",
        ngettext_lazy(
            "It was tried %(attempts)d time. Queue it again if you still want it.",
            "It was tried %(attempts)d times. Queue it again if you still want it.",
            "attempts",
        ),
    )
    SENT_BEFORE = (
        "action.sent_before",
        _(
            "This had been sent before, without a usable response: whether it took effect is not known."
        ),
    )
    TOO_LATE_AGAIN = (
        "action.too_late_again",
        _("By now it is too late to send it again."),
    )
    WITHOUT_EFFECT = (
        "action.without_effect",
        _("Cal.com reported success, but does not show it."),
    )
    WORKER_DIED = "action.worker_died", _("the worker died")
    RATE_LIMITED = (
        "action.rate_limited",
        _(
            "Cal.com's rate limit is used up for now. The action is sent when its turn comes."
        ),
    )
    TRIED_AGAIN = "action.tried_again", _("It is tried again later.")
    WORDS = "action.words", "%(words)s."


class ChangeText(Sentence):
    """The texts on facts that are no longer as the person saw them."""

    IN_THE_MEANTIME = (
        "change.in_the_meantime",
        _("The booking changed on Cal.com in the meantime. %(changes)s"),
    )
    STATUS = "change.status", _("Its status was %(before)s and is %(after)s.")
    NOT_ACTIVE = "change.not_active", _("It no longer takes place.")
    ACTIVE = "change.active", _("It takes place again.")
    START = "change.start", _("Its start was %(before)s and is %(after)s.")
    HOSTS = "change.hosts", _("Its hosts were %(before)s and are %(after)s.")
    LOCATION = "change.location", _("Its location was %(before)s and is %(after)s.")
    NONE = "change.none", _("none")


class UnchangedText(Sentence):
    """The texts on facts that stayed as they were, although Cal.com reported success."""

    CONFIRM = "unchanged.confirm", _("the booking was not confirmed")
    DECLINE = "unchanged.decline", _("the booking was not declined")
    ADD_ATTENDEE = "unchanged.add_attendee", _("the attendee was not added")
    ADD_GUESTS = "unchanged.add_guests", _("the guests were not added")
    REMOVE_ATTENDEE = "unchanged.remove_attendee", _("the attendee was not removed")
    HOST = "unchanged.host", _("the host did not change")
    CANCEL = "unchanged.cancel", _("the booking was not cancelled")
    CREATE = "unchanged.create", _("no booking was made")
    LOCATION = "unchanged.location", _("the location did not change")
    ABSENCE = "unchanged.absence", _("nobody was marked")
    TIME = "unchanged.time", _("the time did not change")


class StatusText(Sentence):
    """The status of a booking within a sentence."""

    ACCEPTED = "status.accepted", _("accepted")
    PENDING = "status.pending", _("pending")
    CANCELLED = "status.cancelled", _("cancelled")
    REJECTED = "status.rejected", _("rejected")
    AWAITING_HOST = "status.awaiting_host", _("awaiting host")


def status_text(status: str) -> Message | str:
    """Return the status of a booking for a sentence; a status that Cal.com does not document stays as it is."""
    return StatusText[Status(status).name]() if status in Status.values else status
