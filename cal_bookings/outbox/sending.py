"""The delivery of an action: read, send, verify, record.

    queued ─► sending ─┬─► done       it was so already, or the answer shows it
                       ├─► failed     conflict, refused, too late
                       ├─► queued     nothing was sent: later
                       └─► unknown ──► (read) ─┬─► done
                                               ├─► unknown    not there yet: read again, until it has settled
                                               └─► failed; queued, if Cal.com itself refuses the second of two

Cal.com has no idempotency keys: the state of the booking is the key.
"""

import logging
import traceback

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.utils import timezone

from cal_bookings import budget
from cal_bookings.budget import advice
from cal_bookings.models import ActionAttempt, BookingAction, ErrorCode
from cal_bookings.outbox import (
    claims,
    kinds,
    pacing,
)
from cal_bookings.outbox.attempts import Record
from cal_bookings.outbox.delivery_steps import (
    ATTEMPTS,
    Delivery,
    Patience,
)
from cal_bookings.outbox.kinds import NotUnderstood
from cal_bookings.outbox.messages import ActionText
from cal_bookings.sentences import Message

logger = logging.getLogger(__name__)

Outcome = ActionAttempt.Outcome


def deliver(action_id: int, *, announced_uid: str = "") -> BookingAction | None:
    """Deliver an action that is due and return it as it then is; None if it is not due, or if another worker has it.

    `announced_uid` is the booking that a webhook announced with the action's mark: it is read before others are
    searched. The function makes requests and must not be called in a transaction. Every error, of Cal.com, the network
    or this software, ends in the action's status and attempts, and is not raised.
    """
    claim = claims.claim(action_id)
    if claim is None:
        return None
    record = Record(claim)
    try:
        _deliver(claim, record, announced_uid)
    except claims.ClaimLost as lost:
        _superseded(claim, lost)
    except Exception as error:  # noqa: BLE001 - one action's error must not stop the others
        _stumbled(claim, record, error)
    return claim.action


def _deliver(claim: claims.Claim, record: Record, announced_uid: str) -> None:
    if not claim.is_sent and claim.action.deadline <= timezone.now():
        record.failed(Outcome.EXPIRED, ErrorCode.EXPIRED, ActionText.TOO_LATE())
        return
    patience, account = Patience(), claim.action.account
    try:
        kind = kinds.of(claim.action)
        if not claim.is_sent and (wait := pacing.seconds_until_turn(claim.action)):
            record.not_tried(ErrorCode.RATE_LIMITED, ActionText.COUNTED_APART(), wait)
            return
        with budget.connect(
            account,
            priority=budget.Priority.ACTION,
            max_wait=patience,
        ) as connection:
            claim.connection = connection
            Delivery(claim, record, connection, patience, kind, announced_uid).run()
    except ImproperlyConfigured as error:
        message = advice.explain(account, error, advice.Operation.ACTION)
        if _is_at_its_end(claim):
            _give_up(record, message)
        else:
            record.not_tried(ErrorCode.CREDENTIAL, message)
    except budget.CircuitOpen as error:
        message = advice.explain(account, error, advice.Operation.ACTION)
        record.not_tried(ErrorCode.PAUSED, message, error.seconds)
    except NotUnderstood:
        _not_understood(claim, record)


def _is_at_its_end(claim: claims.Claim) -> bool:
    """Return whether the effect has been looked for long and often enough."""
    return claim.is_sent and claim.has_settled and claim.action.attempts >= ATTEMPTS


def _not_understood(claim: claims.Claim, record: Record) -> None:
    """Let the action wait for a worker of the release that wrote it; an unsent action waits until its deadline."""
    if _is_at_its_end(claim):
        _give_up(record, ActionText.NEWER_WORKER())
    else:
        record.not_tried(ErrorCode.NEWER_RELEASE, ActionText.NEWER_WORKER())


def _give_up(record: Record, problem: Message | str) -> None:
    """End an action that was sent, and of which nobody can say whether it took effect."""
    message = ActionText.UNVERIFIED(problem=problem)
    record.failed(Outcome.GIVEN_UP, ErrorCode.UNVERIFIED, message)


def _superseded(claim: claims.Claim, lost: claims.ClaimLost) -> None:
    logger.warning("%s", lost)
    claim.attempt.outcome = Outcome.SUPERSEDED
    try:
        claim.attempt.save()
        claim.action.refresh_from_db()
    except (DatabaseError, BookingAction.DoesNotExist) as error:
        logger.warning("%s: %s", claim.action, type(error).__name__)


def _stumbled(claim: claims.Claim, record: Record, error: Exception) -> None:
    """Record an error of this software without its own text, which may hold personal data."""
    name, place = (
        type(error).__name__,
        "".join(traceback.format_tb(error.__traceback__)),
    )
    logger.error("%s: %s in its attempt\n%s", claim.action, name, place)
    message = ActionText.INTERNAL(error=name)
    try:
        if claim.is_sent and _is_at_its_end(claim):
            _give_up(record, name)
        elif claim.is_sent:
            record.still_unknown(Outcome.LOST, note=(ErrorCode.INTERNAL, message))
        elif claim.action.attempts < ATTEMPTS:
            record.put_off(ErrorCode.INTERNAL, message)
        else:
            message = ActionText.INTERNAL_AT_LAST(error=name)
            record.failed(Outcome.GIVEN_UP, ErrorCode.INTERNAL, message)
    except claims.ClaimLost as lost:
        _superseded(claim, lost)
    except DatabaseError:
        # The claim has set the next attempt, which finds the row as this attempt leaves it.
        logger.error("%s: its attempt could not be recorded", claim.action)  # noqa: TRY400 - it may hold personal data
