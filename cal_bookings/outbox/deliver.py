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
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from cal_bookings import budget, client, mirror, servers
from cal_bookings.client import ActionAnswer, CalClient, CalError
from cal_bookings.models import ActionAttempt, BookingAction
from cal_bookings.outbox import claim as claims
from cal_bookings.outbox import kinds
from cal_bookings.outbox.facts import facts
from cal_bookings.outbox.kinds import Conflict, Found
from cal_bookings.outbox.look import Look
from cal_bookings.outbox.record import Record

logger = logging.getLogger(__name__)

Outcome = ActionAttempt.Outcome

#: So often is a look tried that fails, or a request that does not get through: some hours, with the growing pauses.
ATTEMPTS = 15
#: What to wait after "too many requests", unless the server says: Cal.com blocks a key for so long.
RATE_LIMIT_PAUSE = 60.0  # seconds
LONGEST_PAUSE = 3600.0  # seconds
#: What was answered is not carried out later, but the server that is read may lag behind the one that wrote.
LAG = 1 / 10  # of the time that what was not answered has to settle

#: Rather than wait longer for its turn to ask Cal.com, a worker does something else. Shorter than a lease.
PATIENCE = 20.0  # seconds
#: After a wait longer than this a look may no longer be true: rather look again than send.
SEND_PATIENCE = 1.0  # seconds

FAILURES = (CalError, budget.BudgetExhausted)
NO_EFFECT, REFUSED = "no_effect", "refused"

LOST_AND_LATE = "No usable answer came (%s), it did not take effect, and by now it is too late to send it again."
LOST = (
    "No usable answer came (%s) and it did not take effect. It was not sent again, because Cal.com would carry out both if "
    "the first one came late after all: put it back if it is still wanted."
)
UNVERIFIED = (
    "No usable answer came, and the booking could not be read since (%s): whether this took effect is not known. Look at "
    "the booking on Cal.com."
)
UNSUPPORTED = (
    "This Cal.com does not know this action: update it, or do it there by hand."
)


def deliver(action_id: int) -> BookingAction | None:
    """Takes a turn at an action that is due, and answers it as it is then; None if it is not this worker's turn.

    Makes requests; must not be called in a transaction. What Cal.com or the network does wrong ends in the action's
    status and attempts, and is not raised.
    """
    claim = claims.claim(action_id)
    if claim is None:
        return None
    try:
        _take_turn(claim)
    except claims.ClaimLost as lost:
        logger.warning("%s", lost)
        claim.attempt.outcome = Outcome.SUPERSEDED
        claim.attempt.save()
        claim.action.refresh_from_db()
    return claim.action


def _take_turn(claim: claims.Claim) -> None:
    record = Record(claim)
    if not claim.is_sent and claim.action.deadline <= timezone.now():
        record.failed(Outcome.EXPIRED, "expired", "It is too late to send this.")
        return
    patience = Patience()
    try:
        with budget.connect(
            claim.action.account,
            priority=budget.Priority.ACTION,
            max_wait=patience,
        ) as connection:
            claim.connection = connection
            _Turn(claim, record, connection, patience).look()
    except ImproperlyConfigured as error:
        if claim.is_sent and claim.has_settled and claim.action.attempts >= ATTEMPTS:
            record.failed(Outcome.GIVEN_UP, "unverified", UNVERIFIED % error)
        else:
            record.not_tried("credential", str(error))
    except budget.CircuitOpen as error:
        record.not_tried("paused", str(error), error.seconds)


class Patience:
    """How many seconds the next request may wait for its turn."""

    def __init__(self) -> None:
        self.seconds = PATIENCE

    def __call__(self) -> float:
        return self.seconds

    @contextmanager
    def short(self) -> Iterator[None]:
        self.seconds = SEND_PATIENCE
        try:
            yield
        finally:
            self.seconds = PATIENCE


class _Turn:
    def __init__(
        self,
        claim: claims.Claim,
        record: Record,
        connection: CalClient,
        patience: Patience,
    ) -> None:
        self.claim = claim
        self.record = record
        self.connection = connection
        self.patience = patience
        self.action = claim.action
        self.seen = claim.action.seen
        self.kind = kinds.of(claim.action)
        self.uid = claim.action.booking.uid if claim.action.booking else ""

    def look(self) -> None:
        """The state decides. Only if nothing is there yet, and nothing changed meanwhile, the action is sent."""
        try:
            server = servers.kind_of(self.action.account, self.connection)
            look = self._new_look()
            found = self.kind.found(look, self.seen, sent=self._may_be_ours)
            conflict = None if found else self.kind.conflict(look, self.seen)
            answered_at = self.connection.answered_at or look.asked_at
            self.action.account.begin_mirror(answered_at)
        except FAILURES as failure:
            self._not_read(_error(failure))
            return
        if found:
            how = Outcome.VERIFIED if self.claim.is_sent else Outcome.ALREADY
            self.record.done(found, how, look)
        elif self.claim.is_sent:
            self._not_there(look, conflict)
        elif conflict:
            self._conflict(conflict, look)
        else:
            self._send(look, self.connection.actions(server))

    @property
    def _may_be_ours(self) -> bool:
        """Whether a difference may be of our making: not where Cal.com refused it."""
        return self.claim.is_sent and self.action.error_code != REFUSED

    def _send(self, look: Look, actions: client.BookingActions) -> None:
        self.claim.send(self._facts(look))
        try:
            with self.patience.short():
                answer = self.kind.send(actions, look)
        except FAILURES as failure:
            self._not_answered(_error(failure))
            return
        self.claim.attempt.http_status = answer.status
        self.claim.attempt.request_id = answer.request_id
        self._answered(answer)

    def _answered(self, answer: ActionAnswer) -> None:
        """2xx proves nothing: what counts is the state that the answer shows, or else the booking itself."""
        found, look = self._shown(answer), self._new_look()
        try:
            if found is None:
                found = self.kind.found(look, self.seen, sent=True)
            elif self.uid and found.uid != self.uid:
                look.read()  # the old half of a reschedule changed too
        except FAILURES as failure:
            logger.info("%s: answered, but not read after it: %s", self.action, failure)
        if found:
            self.record.done(found, Outcome.ANSWERED, look, answer)
            return
        told = f"Cal.com answered success but {self.kind.unchanged}."
        lag = claims.settling() * LAG
        self.record.unknown(Outcome.NO_EFFECT, NO_EFFECT, told, lag)

    def _shown(self, answer: ActionAnswer) -> Found | None:
        try:
            bookings = [client.parse_booking(one) for one in answer.bookings]
        except client.InvalidBooking:
            return None
        return self.kind.shown(bookings, self.seen) if bookings else None

    def _not_answered(self, error: CalError) -> None:
        self.record.note(error)
        match error:
            case client.CalUnsupported():
                self.record.failed(Outcome.REFUSED, "unsupported", UNSUPPORTED)
            case client.CalRefused() | client.CalNotFound() | client.CalForbidden():
                self._refused(error)
            case _ if error.may_have_applied:
                self.record.unknown(
                    Outcome.LOST, _code(error), error.summary, claims.settling()
                )
            case _:
                self._not_sent(error)

    def _refused(self, error: CalError) -> None:
        """Some refusals hide an effect, others say that it was there before: the state tells."""
        try:
            look = self._new_look()
            found = self.kind.found(look, self.seen, sent=False)
            conflict = None if found else self.kind.conflict(look, self.seen)
        except client.CalNotFound:
            self._gone()
        except FAILURES:
            self.record.unknown(
                Outcome.LOST, REFUSED, error.message, claims.settling() * 0
            )
        else:
            if found:
                self.record.done(found, Outcome.VERIFIED, look)
            elif conflict:
                self._conflict(conflict, look)
            else:
                self.record.failed(Outcome.REFUSED, REFUSED, error.message, look)

    def _not_read(self, error: CalError) -> None:
        """The look failed: nothing new is known, and nothing was sent in this turn."""
        self.record.note(error)
        if isinstance(error, client.CalNotFound) and self.uid:
            self._gone()
        elif not self.claim.is_sent:
            self._not_sent(error)
        elif isinstance(error, client.CalRateLimited) and not self._is_pointless:
            self.record.still_unknown(Outcome.LOST, _pause(error))
        elif self.action.attempts < ATTEMPTS or not self.claim.has_settled:
            self.record.still_unknown(Outcome.LOST)
        else:
            told = UNVERIFIED % error.summary
            self.record.failed(Outcome.GIVEN_UP, "unverified", told)

    def _not_sent(self, error: CalError) -> None:
        """Nothing reached Cal.com, or it turned the request away unread."""
        if isinstance(error, client.CalRateLimited):
            self.record.put_off("rate_limited", error.summary, _pause(error))
        elif self.action.attempts < ATTEMPTS:
            self.record.put_off(_code(error), str(error))
        else:
            self.record.failed(Outcome.GIVEN_UP, _code(error), str(error))

    def _not_there(self, look: Look, conflict: Conflict | None) -> None:
        """Sent earlier, and not there: it may still come, until it has settled."""
        action, told = self.action, self.action.error_message or "the worker died"
        if not self.claim.has_settled:
            self.record.still_unknown(Outcome.NOT_YET)
        elif action.error_code == NO_EFFECT:
            self.record.failed(Outcome.GIVEN_UP, action.error_code, told, look)
        elif conflict:
            self._conflict(conflict, look)
        elif action.error_code == REFUSED:
            self.record.failed(Outcome.GIVEN_UP, action.error_code, told, look)
        elif self._is_pointless:
            self.record.failed(Outcome.EXPIRED, "expired", LOST_AND_LATE % told, look)
        elif self._may_send_again(look) and action.attempts < ATTEMPTS:
            self.record.put_off(action.error_code, told, 0.0)
        else:
            self.record.failed(Outcome.GIVEN_UP, "not_applied", LOST % told, look)

    def _may_send_again(self, look: Look) -> bool:
        """Only what Cal.com refuses the second time; and not if the booking is another one than when it was sent.

        What was done, and undone by somebody since, Cal.com would not refuse.
        """
        refused = self.kind.repeat_is_refused(self.seen)
        return refused and self._facts(look) == self.action.found

    def _facts(self, look: Look) -> dict[str, Any]:
        return facts(look.booking) if self.uid else {}

    @property
    def _is_pointless(self) -> bool:
        return self.claim.has_settled and self.action.deadline <= timezone.now()

    def _conflict(self, conflict: Conflict, look: Look) -> None:
        self.record.failed(Outcome.CONFLICT, conflict.code, conflict.message, look)

    def _gone(self) -> None:
        now = timezone.now()
        mirror.mark_missing(self.action.account, [self.uid], asked_at=now)
        told = "This booking no longer exists on Cal.com."
        self.record.failed(Outcome.REFUSED, "missing", told)

    def _new_look(self) -> Look:
        return Look(self.action.account, self.connection, self.uid)


def _pause(error: client.CalRateLimited) -> float:
    """Seconds; what a server says may be anything, an epoch for instance."""
    return min(error.retry_after or RATE_LIMIT_PAUSE, LONGEST_PAUSE)


def _error(failure: Exception) -> CalError:
    """A budget that is used up is the same as a server that says so, only sooner."""
    if isinstance(failure, budget.BudgetExhausted):
        return client.CalRateLimited(
            str(failure), retry_after=failure.seconds, status=None
        )
    if not isinstance(failure, CalError):
        raise failure
    return failure


def _code(error: CalError) -> str:
    """Our own word for it; Cal.com's is in the attempt."""
    match error:
        case client.CalUnauthorized():
            return "unauthorized"
        case client.CalForbidden():
            return "forbidden"
        case client.CalUnexpected():
            return "unexpected"
        case _:
            return "unavailable"
