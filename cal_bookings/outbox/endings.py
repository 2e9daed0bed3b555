"""What a failed action says: that it did not take effect only where that is known."""

from dataclasses import dataclass

from cal_bookings.models import ActionAttempt, BookingAction
from cal_bookings.outbox.kinds import Conflict, Doubt

Outcome = ActionAttempt.Outcome

NO_EFFECT, REFUSED, UNCERTAIN = "no_effect", "refused", "uncertain"

UNVERIFIED = (
    "No usable answer came, and the booking could not be read since (%s): whether this took effect is not known. Look at "
    "the booking on Cal.com."
)
UNSUPPORTED = (
    "This Cal.com does not know this action: update it, or do it there by hand."
)
TOO_LATE = "It is too late to send this."
COUNTED_APART = (
    "Cal.com allows five changes of this kind a minute. It is sent when its turn comes."
)
STALE = (
    "More time than allowed passed between reading the booking and sending this, so it was not sent: the booking may have "
    "changed. It is read again before the next attempt."
)
INTERNAL = "An error in this software (%s) stopped the attempt; the log names the place. It is tried again later."
INTERNAL_AT_LAST = "An error in this software (%s) stopped the last of many attempts; the log names the place."
NEWER = "A newer release wrote this action, and this worker does not understand it: update the workers."

_LOST = "No usable answer came (%s)"
_NOT_APPLIED = _LOST + " and it did not take effect."
_NOT_SENT_AGAIN = (
    " It was not sent again, because both requests might take effect if the first one arrives late. "
    "Queue it again if it is still wanted."
)
_OFTEN_ENOUGH = " It was tried %d times. Queue it again if it is still wanted."
_SENT_BEFORE = "This had been sent before, without a usable answer: whether it took effect is not known."


@dataclass(frozen=True, slots=True)
class Ending:
    """How an action fails that was sent and whose effect is not there."""

    outcome: ActionAttempt.Outcome
    code: str
    message: str


def after_silence(
    action: BookingAction,
    *,
    conflict: Conflict | None,
    doubt: Doubt | None,
    is_pointless: bool,
    repeat_is_refused: bool,
) -> Ending:
    """Return how an action ends that has settled, and whose effect cannot be seen.

    `doubt` says why the effect may have been there all the same; None means that there was none.
    """
    words = action.error_message or "the worker died"
    if action.error_code == NO_EFFECT:
        return _without_effect(words, doubt)
    if conflict and (action.error_code == REFUSED or conflict.is_partial_effect):
        return Ending(Outcome.CONFLICT, conflict.code, conflict.message)
    if action.error_code == REFUSED:
        return Ending(Outcome.GIVEN_UP, REFUSED, words)
    if conflict:
        message = f"{conflict.message} {_SENT_BEFORE}"
        return Ending(Outcome.CONFLICT, UNCERTAIN, message)
    if doubt:
        message = f"{_LOST % words}. {doubt.message}"
        return Ending(Outcome.GIVEN_UP, doubt.code, message)
    if is_pointless:
        message = f"{_NOT_APPLIED % words} By now it is too late to send it again."
        return Ending(Outcome.EXPIRED, "expired", message)
    advice = _OFTEN_ENOUGH % action.attempts if repeat_is_refused else _NOT_SENT_AGAIN
    return Ending(Outcome.GIVEN_UP, "not_applied", _NOT_APPLIED % words + advice)


def _without_effect(words: str, doubt: Doubt | None) -> Ending:
    if doubt is None or not doubt.is_a_change:
        return Ending(Outcome.GIVEN_UP, NO_EFFECT, words)
    message = f"Cal.com answered success, but does not show it. {doubt.message}"
    return Ending(Outcome.GIVEN_UP, doubt.code, message)
