"""One turn at an action: look, act, verify, record.

    queued ─► sending ─┬─► done       it was so already, or the answer shows it
                       ├─► failed     conflict, refused, too late
                       ├─► queued     nothing was sent: later
                       └─► unknown ──► (look) ─┬─► done
                                               ├─► unknown    not there yet: look again, until it has settled
                                               └─► failed; queued, if Cal.com itself refuses the second of two

Cal.com has no idempotency keys: the state of the booking is the key.
"""

import logging
import traceback

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.utils import timezone

from cal_bookings import budget
from cal_bookings.models import ActionAttempt, BookingAction
from cal_bookings.outbox import (
    claims,
    endings,
    kinds,
    pacing,
)
from cal_bookings.outbox.attempts import Record
from cal_bookings.outbox.delivery_steps import (
    ATTEMPTS,
    Patience,
    Turn,
)
from cal_bookings.outbox.kinds import NotUnderstood

logger = logging.getLogger(__name__)

Outcome = ActionAttempt.Outcome


def deliver(action_id: int, *, announced_uid: str = "") -> BookingAction | None:
    """Take a turn at an action that is due, and return it as it is then; None if it is not this worker's turn.

    `announced_uid` is the booking that a webhook announced with the action's mark: it is read before others are searched.
    Makes requests; must not be called in a transaction. Whatever goes wrong, with Cal.com, the network or this software,
    ends in the action's status and attempts, and is not raised.
    """
    claim = claims.claim(action_id)
    if claim is None:
        return None
    record = Record(claim)
    try:
        _take_turn(claim, record, announced_uid)
    except claims.ClaimLost as lost:
        _superseded(claim, lost)
    except Exception as error:  # noqa: BLE001 - one action's error must not stop the others
        _stumbled(claim, record, error)
    return claim.action


def _take_turn(claim: claims.Claim, record: Record, announced_uid: str = "") -> None:
    if not claim.is_sent and claim.action.deadline <= timezone.now():
        record.failed(Outcome.EXPIRED, "expired", endings.TOO_LATE)
        return
    patience = Patience()
    try:
        kind = kinds.of(claim.action)
        if not claim.is_sent and (wait := pacing.seconds_until_turn(claim.action)):
            record.not_tried("rate_limited", endings.COUNTED_APART, wait)
            return
        with budget.connect(
            claim.action.account,
            priority=budget.Priority.ACTION,
            max_wait=patience,
        ) as connection:
            claim.connection = connection
            Turn(claim, record, connection, patience, kind, announced_uid).look()
    except ImproperlyConfigured as error:
        if _is_at_its_end(claim):
            message = endings.UNVERIFIED % error
            record.failed(Outcome.GIVEN_UP, "unverified", message)
        else:
            record.not_tried("credential", str(error))
    except budget.CircuitOpen as error:
        record.not_tried("paused", str(error), error.seconds)
    except NotUnderstood:
        _not_understood(claim, record)


def _is_at_its_end(claim: claims.Claim) -> bool:
    """Whether what was sent has been looked for long and often enough."""
    return claim.is_sent and claim.has_settled and claim.action.attempts >= ATTEMPTS


def _not_understood(claim: claims.Claim, record: Record) -> None:
    """The action waits for a worker of the release that wrote it: unsent, until its deadline."""
    if _is_at_its_end(claim):
        message = endings.UNVERIFIED % endings.NEWER
        record.failed(Outcome.GIVEN_UP, "unverified", message)
    else:
        record.not_tried("newer_release", endings.NEWER)


def _superseded(claim: claims.Claim, lost: claims.ClaimLost) -> None:
    logger.warning("%s", lost)
    claim.attempt.outcome = Outcome.SUPERSEDED
    try:
        claim.attempt.save()
        claim.action.refresh_from_db()
    except (DatabaseError, BookingAction.DoesNotExist) as error:
        logger.warning("%s: %s", claim.action, type(error).__name__)


def _stumbled(claim: claims.Claim, record: Record, error: Exception) -> None:
    """Record an error of this software, whose own words may hold personal data and stay out of the rows and the log."""
    name, place = (
        type(error).__name__,
        "".join(traceback.format_tb(error.__traceback__)),
    )
    logger.error("%s: %s in its attempt\n%s", claim.action, name, place)
    try:
        if claim.is_sent and _is_at_its_end(claim):
            message = endings.UNVERIFIED % name
            record.failed(Outcome.GIVEN_UP, "unverified", message)
        elif claim.is_sent:
            record.still_unknown(
                Outcome.LOST, note=("internal", endings.INTERNAL % name)
            )
        elif claim.action.attempts < ATTEMPTS:
            record.put_off("internal", endings.INTERNAL % name)
        else:
            message = endings.INTERNAL_AT_LAST % name
            record.failed(Outcome.GIVEN_UP, "internal", message)
    except claims.ClaimLost as lost:
        _superseded(claim, lost)
    except DatabaseError:
        # The claim has set the next attempt, which finds the row as this one leaves it.
        logger.error("%s: its attempt could not be recorded", claim.action)  # noqa: TRY400 - it may hold personal data
