"""The claim on an action: one worker at a time, anywhere in the cluster.

A claim is the lease of the action's row (`models.leases`). A worker that has lost its claim can no longer write, and
checks its claim before it sends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from cal_bookings import backoff, conf, db, sentences
from cal_bookings.client import CalClient
from cal_bookings.models import ActionAttempt, BookingAction, leases
from cal_bookings.outbox.remote_view import RemoteView

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 3600.0  # seconds
#: The longest time in seconds between a reading of Cal.com and the request that relies on it.
FRESH = 2.0  # seconds
#: The part of the settling time after which the effect of an unanswered action is first looked for.
_FIRST_READING = 1 / 120


class ClaimLost(Exception):
    """The claim ran out and another worker took the action: this worker sent and wrote nothing more."""


class NotInTime(Exception):
    """The moment to send the request has passed, and nothing was sent."""

    def __init__(self, *, is_pointless: bool) -> None:
        super().__init__()
        #: True if the action's deadline has passed; False if the reading or the lease is too old.
        self.is_pointless = is_pointless


@dataclass(slots=True)
class Claim:
    """The right to send an action and to write its outcome, as long as no other worker takes it over."""

    action: BookingAction
    attempt: ActionAttempt
    #: The connection, which is None until it is opened. The attempt counts its requests.
    connection: CalClient | None = None

    @property
    def is_sent(self) -> bool:
        """Return whether the request was announced, so that Cal.com may have carried it out."""
        return self.action.sent_at is not None

    @property
    def has_settled(self) -> bool:
        """Return whether the time has passed that Cal.com may need to carry out the request."""
        settles_at = self.action.settles_at
        return settles_at is None or settles_at <= timezone.now()

    def send(self, snapshot: dict[str, Any]) -> None:
        """Announce the request before it is sent, and renew the claim; raise ClaimLost if another worker has it.

        `snapshot` holds the facts of the booking to which the request is sent. After the announcement, every later
        worker knows that the action may have taken effect.
        """
        now = timezone.now()
        columns: dict[str, Any] = {
            "sent_at": now,
            "settles_at": now + settling(),
            "lease_until": leases.lease_end(),
            "error_code": "",
            **sentences.columns("error_message", ""),
            "found": snapshot,
        }
        self._write(**columns)
        self._know(columns)
        self.attempt.sent = True

    def may_be_sent(self, view: RemoteView) -> None:
        """Raise NotInTime unless the request may be written now.

        The deadline must lie ahead, the lease must last, and the reading must be fresh. A worker may have been paused
        since it read the booking, or have waited for a lock, a connection or another token.
        """
        now = timezone.now()
        if self.action.deadline <= now:
            raise NotInTime(is_pointless=True)
        lease_until = self.action.lease_until
        if view.age > FRESH or lease_until is None or lease_until <= now:
            raise NotInTime(is_pointless=False)

    def end(self, outcome: ActionAttempt.Outcome, **columns: Any) -> None:
        """Write the outcome and give the claim back; raise ClaimLost if it is lost. Needs a transaction."""
        attempt = self.attempt
        attempt.outcome, attempt.ended_at = outcome, timezone.now()
        attempt.requests = self.connection.requests if self.connection else 0
        self._write(lease_until=None, **columns)
        attempt.save()
        self._know(columns)

    def _know(self, columns: dict[str, Any]) -> None:
        for name, value in columns.items():
            setattr(self.action, name, value)

    def _write(self, **columns: Any) -> None:
        if not self.action.write_leased(**columns):
            raise ClaimLost(
                f"{self.action}: it took longer than its lease, and another worker went on with it."
            )


def claim(action_id: int) -> Claim | None:
    """Take an action that is due.

    Return None if the action is not due, if an earlier action of its lane is open, or if another worker was faster.
    Count the attempt and postpone the next attempt before anything is tried, so that a crash leads to a later attempt.
    This function must not be called in a transaction, because a request follows.
    """
    due = BookingAction.objects.due().filter(pk=action_id)
    ready = due.first_in_lane().filter(account__is_active=True)
    action = ready.select_related("account", "booking").first()
    if action is None:
        return None
    now = timezone.now()
    status = (
        BookingAction.Status.UNKNOWN if action.sent_at else BookingAction.Status.SENDING
    )
    columns = {
        "status": status,
        "attempts": action.attempts + 1,
        "next_attempt_at": next_reading(action, now)
        if action.sent_at
        else next_try(action, now, pause_after(action.attempts)),
    }
    with db.atomic(durable=True):
        if not action.take_lease(due, **columns):
            return None
        attempt = ActionAttempt.objects.create(action=action, worker=leases.worker())
    return Claim(action, attempt)


def pause_after(attempts: int) -> timedelta:
    """Return the pause after this number of attempts: it doubles up to an hour, and is partly random."""
    seconds = backoff.seconds(
        attempts, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE, spread=(0.5, 1.0)
    )
    return timedelta(seconds=seconds)


def next_try(action: BookingAction, now: datetime, pause: timedelta) -> datetime:
    """Return when to try an unsent action again: at its deadline it ends."""
    return min(now + pause, max(action.deadline, now))


def next_reading(action: BookingAction, now: datetime) -> datetime:
    """Return when to read again: after as long as the search has taken, but no later than the action settles."""
    if action.sent_at is None or action.settles_at is None or action.settles_at <= now:
        return now + pause_after(action.attempts)
    pause = max(now - action.sent_at, settling() * _FIRST_READING)
    return min(now + pause, action.settles_at)


def settling() -> timedelta:
    """Return how long after a lost answer Cal.com may still carry the action out."""
    return timedelta(seconds=conf.get("ACTION_SETTLE_SECONDS"))
