"""The texts of a failed action, which deny an effect only where its absence is known."""

from dataclasses import dataclass

from cal_bookings import sentences
from cal_bookings.models import ActionAttempt, BookingAction, ErrorCode
from cal_bookings.outbox.kinds import Conflict, Doubt
from cal_bookings.outbox.messages import ActionText
from cal_bookings.sentences import Message

Outcome = ActionAttempt.Outcome


@dataclass(frozen=True, slots=True)
class Ending:
    """The ending of a failed action that was sent and whose effect is absent."""

    outcome: ActionAttempt.Outcome
    code: ErrorCode
    message: Message | str


def after_silence(
    action: BookingAction,
    *,
    conflict: Conflict | None,
    doubt: Doubt | None,
    is_pointless: bool,
    repeat_is_refused: bool,
) -> Ending:
    """Return the ending of an action that has settled and whose effect cannot be seen.

    `doubt` says why the effect may have been there and been undone; None means that there was no effect.
    """
    problem = sentences.read(action, "error_message") or ActionText.WORKER_DIED()
    if action.error_code == ErrorCode.NO_EFFECT:
        return _without_effect(problem, doubt)
    is_refused = action.error_code == ErrorCode.REFUSED
    if conflict and (is_refused or conflict.is_partial_effect):
        return Ending(Outcome.CONFLICT, conflict.code, conflict.message)
    if is_refused:
        return Ending(Outcome.GIVEN_UP, ErrorCode.REFUSED, problem)
    if conflict:
        message = conflict.message + ActionText.SENT_BEFORE()
        return Ending(Outcome.CONFLICT, ErrorCode.UNCERTAIN, message)
    if doubt:
        message = ActionText.LOST(problem=problem) + doubt.message
        return Ending(Outcome.GIVEN_UP, doubt.code, message)
    not_applied = ActionText.NOT_APPLIED(problem=problem)
    if is_pointless:
        message = not_applied + ActionText.TOO_LATE_AGAIN()
        return Ending(Outcome.EXPIRED, ErrorCode.EXPIRED, message)
    advice = ActionText.NOT_SENT_AGAIN()
    if repeat_is_refused:
        advice = ActionText.OFTEN_ENOUGH(attempts=action.attempts)
    return Ending(Outcome.GIVEN_UP, ErrorCode.NOT_APPLIED, not_applied + advice)


def _without_effect(problem: Message | str, doubt: Doubt | None) -> Ending:
    if doubt is None or not doubt.is_a_change:
        return Ending(Outcome.GIVEN_UP, ErrorCode.NO_EFFECT, problem)
    message = ActionText.WITHOUT_EFFECT() + doubt.message
    return Ending(Outcome.GIVEN_UP, doubt.code, message)
