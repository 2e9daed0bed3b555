"""The steps of one delivery of an action: read, send, verify, record."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.utils import timezone

from cal_bookings import budget, client, mirror, sentences, servers
from cal_bookings.budget import advice
from cal_bookings.client import ActionAnswer, CalClient, CalError, Server
from cal_bookings.models import ActionAttempt, ErrorCode
from cal_bookings.outbox import claims, endings
from cal_bookings.outbox.attempts import Record
from cal_bookings.outbox.kinds import Conflict, Effect, Kind, Refused
from cal_bookings.outbox.messages import ActionText
from cal_bookings.outbox.remote_view import RemoteView

logger = logging.getLogger(__name__)

Outcome = ActionAttempt.Outcome

#: The number of attempts with a failed reading or request after which the action is given up: some hours, as pauses
#: grow.
ATTEMPTS = 15
#: The pause after "too many requests" if the server names none: Cal.com blocks a key for this long.
RATE_LIMIT_PAUSE = 60.0  # seconds
LONGEST_PAUSE = 3600.0  # seconds
#: The time in which the effect of an answered request may be invisible, because the server that is read may lag the
#: server that wrote. An answered request is not carried out later.
LAG = 1 / 10  # of the settling time of an unanswered request

#: The longest wait for the rate limit before a worker puts an action off. It is shorter than a lease.
PATIENCE = 20.0  # seconds
#: The longest wait for the rate limit before a request. After a longer wait the reading may be out of date, and the
#: booking is read again before anything is sent.
SEND_PATIENCE = 1.0  # seconds

FAILURES = (CalError, budget.BudgetExhausted)


class Patience:
    """The number of seconds that the next request may wait for the rate limit."""

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


class Delivery:
    def __init__(
        self,
        claim: claims.Claim,
        record: Record,
        connection: CalClient,
        patience: Patience,
        kind: Kind,
        announced_uid: str = "",
    ) -> None:
        self.claim = claim
        self.record = record
        self.connection = connection
        self.patience = patience
        self.action = claim.action
        self.kind = kind
        self.announced_uid = announced_uid
        self.uid = claim.action.booking.uid if claim.action.booking else ""

    @property
    def seen(self) -> dict[str, Any]:
        """Return the earlier facts of the booking: as the person saw it, or as it was when the action was sent."""
        kept: dict[str, Any] = (
            self.action.found if self.claim.is_sent else self.action.seen
        )
        return kept

    def run(self) -> None:
        """Read the booking, and send the action only if its effect is absent and no fact that matters has changed."""
        try:
            server = servers.kind_of(self.action.account, self.connection)
            view = self._new_view()
            effect = self.kind.effect(view, self.seen, sent=self._may_be_ours)
            conflict = None if effect else self.kind.conflict(view, self.seen)
            answered_at = self.connection.answered_at or view.asked_at
            self.action.account.begin_mirror(answered_at)
        except FAILURES as failure:
            self._not_read(_error(failure))
            return
        if effect:
            how = Outcome.VERIFIED if self.claim.is_sent else Outcome.ALREADY
            self.record.done(effect, how, view)
        elif self.claim.is_sent:
            self._not_there(view, conflict)
        elif conflict:
            self._conflict(conflict, view)
        else:
            self._send(view, server)

    @property
    def _may_be_ours(self) -> bool:
        """Return whether a difference may be the effect of this action; it cannot be after a refusal by Cal.com."""
        return self.claim.is_sent and self.action.error_code != ErrorCode.REFUSED

    def _send(self, view: RemoteView, server: Server) -> None:
        try:
            self.kind.prepare(view)
        except Refused as refusal:
            code = ErrorCode(refusal.code)
            self.record.failed(Outcome.REFUSED, code, refusal.explanation, view)
            return
        except FAILURES as failure:
            self._not_read(_error(failure))
            return
        permit = partial(self.claim.may_be_sent, view)
        actions = self.connection.actions(server, permit)
        self.claim.send(self.kind.snapshot(view))
        try:
            with self.patience.short():
                answer = self.kind.send(actions, view)
        except claims.NotInTime as late:
            self._not_in_time(late)
            return
        except FAILURES as failure:
            self._not_answered(_error(failure))
            return
        self.claim.attempt.http_status = answer.status
        self.claim.attempt.request_id = answer.request_id
        self._answered(answer)

    def _not_in_time(self, late: claims.NotInTime) -> None:
        """Record that nothing was written to the connection."""
        self.claim.attempt.sent = False
        if late.is_pointless:
            self.record.not_sent(
                Outcome.EXPIRED, ErrorCode.EXPIRED, ActionText.TOO_LATE()
            )
        elif self.action.attempts < ATTEMPTS:
            self.record.put_off(ErrorCode.STALE, ActionText.STALE())
        else:
            self.record.not_sent(Outcome.GIVEN_UP, ErrorCode.STALE, ActionText.STALE())

    def _answered(self, answer: ActionAnswer) -> None:
        """Verify the effect after a 2xx answer, which proves nothing by itself.

        The state counts that the answer shows, or else the booking itself.
        """
        effect, view = self._effect_in_answer(answer), self._new_view()
        try:
            if effect is None:
                effect = self.kind.effect(view, self.seen, sent=True)
            elif self.uid and effect.uid != self.uid:
                view.read()  # the old half of a reschedule changed too
        except FAILURES as failure:
            logger.info("%s: answered, but not read after it: %s", self.action, failure)
        if effect:
            self.record.done(effect, Outcome.ANSWERED, view, answer)
            return
        message = ActionText.NO_EFFECT(unchanged=self.kind.unchanged())
        lag = claims.settling() * LAG
        self.record.unknown(Outcome.NO_EFFECT, ErrorCode.NO_EFFECT, message, lag)

    def _effect_in_answer(self, answer: ActionAnswer) -> Effect | None:
        try:
            bookings = [client.parse_booking(payload) for payload in answer.bookings]
        except client.InvalidBooking:
            return None
        return self.kind.effect_in_answer(bookings, self.seen) if bookings else None

    def _not_answered(self, error: CalError) -> None:
        self.record.note(error)
        match error:
            case client.CalUnsupported():
                self.record.failed(
                    Outcome.REFUSED, ErrorCode.UNSUPPORTED, ActionText.UNSUPPORTED()
                )
            case client.CalRefused() | client.CalNotFound() | client.CalForbidden():
                self._refused(error)
            case client.CalUnauthorized() if self.action.account.is_anonymous:
                # No credential is bad: this event type, or this option, is not for everybody.
                self._refused(error)
            case _ if error.may_have_applied:
                self.record.unknown(
                    Outcome.LOST, _code(error), error.summary, claims.settling()
                )
            case _:
                self._not_sent(error)

    def _refused(self, error: CalError) -> None:
        """Read the state after a refusal: some refusals hide an effect, others mean that it was there before."""
        try:
            view = self._new_view()
            effect = self.kind.effect(view, self.seen, sent=False)
            conflict = None if effect else self.kind.conflict(view, self.seen)
            is_final = isinstance(error, client.CalRefused)
            caveat = self.kind.caveat(view) if is_final and not effect else None
        except client.CalNotFound:
            self._gone()
        except FAILURES:
            self.record.unknown(
                Outcome.LOST, ErrorCode.REFUSED, error.message, claims.settling() * 0
            )
        else:
            if effect:
                self.record.done(effect, Outcome.VERIFIED, view)
            elif conflict:
                self._conflict(conflict, view)
            else:
                said = error.message
                message = ActionText.WORDS(words=said) + caveat if caveat else said
                self.record.failed(Outcome.REFUSED, ErrorCode.REFUSED, message, view)

    def _not_read(self, error: CalError) -> None:
        """Record that the reading failed: nothing new is known, and nothing was sent in this attempt."""
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
            message = ActionText.UNVERIFIED(problem=error.summary)
            self.record.failed(Outcome.GIVEN_UP, ErrorCode.UNVERIFIED, message)

    def _not_sent(self, error: CalError) -> None:
        """Record that no request reached Cal.com, or that Cal.com turned the request away unread."""
        if isinstance(error, client.CalRateLimited):
            message = ActionText.RATE_LIMITED()
            self.record.put_off(ErrorCode.RATE_LIMITED, message, _pause(error))
            return
        message = advice.explain(
            self.action.account, error, advice.Operation.ACTION, quoting=True
        )
        attempts = self.action.attempts
        if attempts < ATTEMPTS:
            self.record.put_off(_code(error), message + ActionText.TRIED_AGAIN())
        else:
            message += ActionText.OFTEN_ENOUGH(attempts=attempts)
            self.record.failed(Outcome.GIVEN_UP, _code(error), message)

    def _not_there(self, view: RemoteView, conflict: Conflict | None) -> None:
        """Decide on a sent action whose effect is absent; until the action has settled, the effect may still come."""
        action = self.action
        if not self.claim.has_settled:
            self.record.still_unknown(Outcome.NOT_YET)
            return
        try:
            doubt = self.kind.doubt(view, self.seen)
        except FAILURES as failure:
            self._not_read(_error(failure))
            return
        ending = endings.after_silence(
            action,
            conflict=conflict,
            doubt=doubt,
            is_pointless=self._is_pointless,
            repeat_is_refused=self.kind.repeat_is_refused(self.seen),
        )
        if ending.code == ErrorCode.NOT_APPLIED and self._may_send_again:
            message = sentences.read(action, "error_message")
            self.record.put_off(action.error_code, message, 0.0)
        else:
            self.record.failed(ending.outcome, ending.code, ending.message, view)

    @property
    def _may_send_again(self) -> bool:
        """Return whether Cal.com itself refuses a second request, so that a late first request does no harm."""
        refused = self.kind.repeat_is_refused(self.seen)
        return refused and self.action.attempts < ATTEMPTS

    @property
    def _is_pointless(self) -> bool:
        return self.claim.has_settled and self.action.deadline <= timezone.now()

    def _conflict(self, conflict: Conflict, view: RemoteView) -> None:
        self.record.failed(Outcome.CONFLICT, conflict.code, conflict.message, view)

    def _gone(self) -> None:
        now = timezone.now()
        mirror.mark_missing(self.action.account, [self.uid], asked_at=now)
        self.record.failed(Outcome.REFUSED, ErrorCode.MISSING, ActionText.GONE())

    def _new_view(self) -> RemoteView:
        return RemoteView(
            self.action.account, self.connection, self.uid, self.announced_uid
        )


def _pause(error: client.CalRateLimited) -> float:
    """Return the pause in seconds up to a limit, because a server may name any number, such as an epoch."""
    return min(error.retry_after or RATE_LIMIT_PAUSE, LONGEST_PAUSE)


def _error(failure: Exception) -> CalError:
    """Return the failure as an error of Cal.com; a used-up budget becomes the 429 that Cal.com would have sent."""
    if isinstance(failure, budget.BudgetExhausted):
        return client.CalRateLimited(
            str(failure), retry_after=failure.seconds, status=None
        )
    if not isinstance(failure, CalError):
        raise failure
    return failure


def _code(error: CalError) -> ErrorCode:
    """Return our own code for an error that kept a request from Cal.com; Cal.com's code is in the attempt."""
    match error:
        case client.CalUnauthorized():
            return ErrorCode.UNAUTHORIZED
        case client.CalForbidden():
            return ErrorCode.FORBIDDEN
        case client.CalUnexpected():
            return ErrorCode.UNEXPECTED
        case _:
            return ErrorCode.UNAVAILABLE
