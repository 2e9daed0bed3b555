"""The record of an attempt: the mirror, the action and the attempt are written together."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.dispatch import Signal
from django.utils import timezone

from cal_bookings import client, db, mirror, sentences, signals
from cal_bookings.client import ActionAnswer, CalError
from cal_bookings.models import (
    ActionAttempt,
    Booking,
    BookingAction,
    BookingChange,
    ErrorCode,
)
from cal_bookings.outbox import claims, held_slots
from cal_bookings.outbox.kinds import Effect
from cal_bookings.outbox.remote_view import RemoteView
from cal_bookings.outbox.snapshots import facts
from cal_bookings.sentences import Message

logger = logging.getLogger(__name__)

Outcome = ActionAttempt.Outcome
Status = BookingAction.Status


@dataclass(slots=True)
class Record:
    """The writer of an attempt's outcome: each method ends the attempt, or raises ClaimLost and writes nothing."""

    claim: claims.Claim

    def done(
        self,
        effect: Effect,
        outcome: Outcome,
        view: RemoteView | None,
        answer: ActionAnswer | None = None,
    ) -> None:
        """Mirror the payloads that show the effect, in one transaction with the end of the action."""
        self._end(
            outcome,
            signals.action_done,
            view,
            answer,
            status=Status.DONE,
            result_uid=effect.uid,
            error_code="",
            **sentences.columns("note", effect.note),
            **sentences.columns("error_message", ""),
        )

    def failed(
        self,
        outcome: Outcome,
        code: ErrorCode,
        message: Message | str,
        view: RemoteView | None = None,
    ) -> None:
        self._end(
            outcome,
            signals.action_failed,
            view,
            status=Status.FAILED,
            error_code=code,
            **sentences.columns("error_message", message),
        )

    def not_sent(self, outcome: Outcome, code: ErrorCode, message: Message) -> None:
        """Fail an action whose request had been announced and was not sent."""
        self._end(
            outcome,
            signals.action_failed,
            None,
            status=Status.FAILED,
            sent_at=None,
            settles_at=None,
            error_code=code,
            **sentences.columns("error_message", message),
        )

    def put_off(
        self, code: str, message: Message | str, pause: float | None = None
    ) -> None:
        """Put an unsent action back into the queue for `pause` seconds, by default until the claim's next attempt."""
        columns: dict[str, Any] = {"status": Status.QUEUED, "sent_at": None}
        self.claim.action.sent_at = None
        if pause is not None:
            columns["next_attempt_at"] = self._in(pause)
        if code == ErrorCode.RATE_LIMITED:  # the limit is no fault of the action
            columns["attempts"] = self.claim.action.attempts - 1
        self._end_alone(
            Outcome.DEFERRED,
            settles_at=None,
            error_code=code,
            **sentences.columns("error_message", message),
            **columns,
        )

    def not_tried(
        self, code: ErrorCode, message: Message, pause: float | None = None
    ) -> None:
        """End an attempt that made no request, and keep what was known.

        With `pause` (seconds) the attempt does not count.
        """
        action = self.claim.action
        columns: dict[str, Any] = {"status": Status.UNKNOWN}
        if not self.claim.is_sent:
            columns = {
                "status": Status.QUEUED,
                "error_code": code,
                **sentences.columns("error_message", message),
            }
        if pause is not None:
            columns["next_attempt_at"] = self._in(pause)
            columns["attempts"] = action.attempts - 1
        self._end_alone(Outcome.DEFERRED, **columns)

    def unknown(
        self,
        outcome: Outcome,
        code: ErrorCode,
        message: Message | str,
        settles_in: timedelta,
    ) -> None:
        """Record that the action may have taken effect, or may still take effect within `settles_in`."""
        now, action = timezone.now(), self.claim.action
        action.settles_at = now + settles_in
        self._end_alone(
            outcome,
            status=Status.UNKNOWN,
            settles_at=action.settles_at,
            next_attempt_at=claims.next_reading(action, now),
            error_code=code,
            **sentences.columns("error_message", message),
        )

    def still_unknown(
        self,
        outcome: Outcome,
        pause: float | None = None,
        *,
        note: tuple[ErrorCode, Message] | None = None,
    ) -> None:
        """Record that nothing new is known; the claim has set the next reading.

        With `pause` (seconds) the attempt does not count. `note` is a code and a message for the attempt.
        """
        columns: dict[str, Any] = {"status": Status.UNKNOWN}
        if note:
            code, message = note
            self.claim.attempt.error_code = code
            sentences.write(self.claim.attempt, "error_message", message)
            if not self.claim.action.error_code:
                columns |= sentences.columns("error_message", message)
                columns["error_code"] = code
        if pause is not None:
            columns["next_attempt_at"] = self._in(pause)
            columns["attempts"] = self.claim.action.attempts - 1
        self._end_alone(outcome, **columns)

    def note(self, error: CalError) -> None:
        """Keep on the attempt the code and the message of its request."""
        attempt = self.claim.attempt
        attempt.http_status = error.status
        attempt.request_id = error.request_id
        attempt.error_code = error.code
        sentences.write(attempt, "error_message", error.message)

    def _in(self, pause: float) -> datetime:
        now, action = timezone.now(), self.claim.action
        if self.claim.is_sent:
            return now + timedelta(seconds=pause)
        return claims.next_try(action, now, timedelta(seconds=pause))

    def _end_alone(self, outcome: Outcome, **columns: Any) -> None:
        with db.atomic():
            self.claim.end(outcome, **columns)
            db.after_commit(self._log)

    def _log(self) -> None:
        """Log one line for the attempt, with numbers and texts of this software and without personal data."""
        action = self.claim.action
        code = f" ({action.error_code})" if action.error_code else ""
        logger.info(
            "%s of account %s, booking %s: attempt #%s ended as %s, the action is %s%s",
            *(action, action.account_id, action.booking_id),
            *(self.claim.attempt.pk, self.claim.attempt.outcome, action.status, code),
        )

    def _end(
        self,
        outcome: Outcome,
        signal: Signal,
        view: RemoteView | None,
        answer: ActionAnswer | None = None,
        **columns: Any,
    ) -> None:
        action = self.claim.action
        payloads = (
            {payload["uid"]: payload for payload in answer.bookings} if answer else {}
        )
        if view:  # the view is later than the answer, and the answering server may lag
            payloads |= view.payloads
            if view.uid in view.payloads:
                columns["found"] = facts(view.booking)

        def end(_: mirror.Outcome | None = None) -> None:
            uid = columns.get("result_uid")
            if uid and action.booking is None:
                rows = Booking.objects.filter(account=action.account, uid=uid)
                columns["booking"] = rows.first()
            self.claim.end(outcome, ended_at=timezone.now(), **columns)
            held_slots.release(action)
            signals.send_after_commit(signal, BookingAction, action=action)
            db.after_commit(self._log)

        if not payloads:
            with db.atomic():
                end()
            return
        mirror.upsert(
            action.account,
            list(payloads.values()),
            asked_at=min(source.asked_at for source in (view, answer) if source),
            api_version=answer.api_version if answer else client.BOOKING_VERSION,
            source=BookingChange.Source.ACTION,
            then=end,
        )
