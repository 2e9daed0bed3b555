"""The check that a booking shows what a delivery announced, and the pause before it is read again if it does not.

Cal.com announces a cancellation before it commits it, in 60 of 60 recorded cases, and moves `updatedAt` up to two seconds
after every announcement.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cal_bookings.models import Booking, Status, WebhookDelivery

State, Outcome = WebhookDelivery.State, WebhookDelivery.Outcome

_OVER = (Status.CANCELLED, Status.REJECTED)

#: Pauses before a booking is read again that does not show what was announced.
_NOT_SHOWN = (3.0, 9.0, 30.0)  # seconds
#: Pause before a booking is read once more whose time of update is not final.
_NOT_FINAL = 3.0  # seconds

#: The triggers whose change moves `updatedAt`, as far as it is one of the whole booking (CAL_API section 6).
_MOVES_UPDATED_AT = frozenset(
    {
        "BOOKING_CREATED",
        "BOOKING_REQUESTED",
        "BOOKING_RESCHEDULED",
        "BOOKING_CANCELLED",
        "BOOKING_REJECTED",
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """The next state of a delivery whose booking was read."""

    state: WebhookDelivery.State
    outcome: str = ""
    #: Seconds until the booking is read again.
    pause: float | None = None

    def columns(self, now: datetime) -> dict[str, Any]:
        again = None if self.pause is None else now + timedelta(seconds=self.pause)
        return {
            "state": self.state,
            "outcome": self.outcome,
            "next_attempt_at": again,
            "processed_at": now,
        }


def next_step(
    delivery: WebhookDelivery,
    booking: Booking | None,
    old: Booking | None,
    *,
    sent_inside_request: bool,
) -> Step:
    """Return the next step of a delivery whose bookings were read `delivery.attempts` times before, and once just now.

    `booking` and `old` are the rows of its two uids. `sent_inside_request` says that the server announces changes
    before its request ends, so that `updatedAt` may still move.
    """
    reads = delivery.attempts
    if not is_shown(delivery.trigger, booking, old):
        if reads < len(_NOT_SHOWN):
            return Step(State.SETTLING, pause=_NOT_SHOWN[reads])
        is_gone = booking is None or booking.missing_since is not None
        return Step(State.DONE, Outcome.MISSING if is_gone else Outcome.NOT_SHOWN)
    if sent_inside_request and reads == 0 and not _is_final(delivery, booking):
        return Step(State.SETTLING, pause=_NOT_FINAL)
    return Step(State.DONE, Outcome.MIRRORED)


def is_shown(trigger: str, booking: Booking | None, old: Booking | None) -> bool:
    """Return whether the rows show what the trigger announces.

    A cancelled seat is announced as a cancellation of its booking, which lives on [wh 072]: that is never shown.
    """
    if booking is None or booking.missing_since is not None:
        return False
    if old is not None and old.pk != booking.pk and old.status not in _OVER:
        return False
    match trigger:
        case "BOOKING_CANCELLED":
            return booking.status in _OVER
        case "BOOKING_REJECTED":
            return booking.status in _OVER
        case "BOOKING_CREATED" | "BOOKING_RESCHEDULED":
            return booking.status != Status.PENDING
        case _:
            return True


def _is_final(delivery: WebhookDelivery, booking: Booking | None) -> bool:
    """Return whether the booking's time of update is later than the announcement, both by Cal.com's clock."""
    happened_at = delivery.happened_at
    if delivery.trigger not in _MOVES_UPDATED_AT or happened_at is None:
        return True
    updated_at = booking.remote_updated_at if booking else None
    return updated_at is None or updated_at >= happened_at
