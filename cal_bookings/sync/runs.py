"""The record of one stretch of a walk."""

import logging
from collections import Counter
from datetime import datetime

from django.utils import timezone

from cal_bookings.mirror import Outcome
from cal_bookings.models import Account, Mode, SyncRun
from cal_bookings.sync import drift

logger = logging.getLogger(__name__)

#: What a run counts.
COUNTS = (
    "pages",
    "requests",
    "seen",
    "created",
    "updated",
    "unchanged",
    "stale",
    "missing",
    "failed",
)


def begin(account: Account, mode: Mode) -> SyncRun:
    """Make a new run, and close those that never ended: their workers died."""
    now = timezone.now()
    SyncRun.objects.filter(
        account=account, mode=mode, outcome=SyncRun.Outcome.RUNNING
    ).update(
        outcome=SyncRun.Outcome.FAILED,
        finished_at=now,
        error="The worker died, or lost its lease.",
    )
    return SyncRun.objects.create(account=account, mode=mode, started_at=now)


def count(run: SyncRun, outcome: Outcome, changes_until: datetime | None) -> None:
    """Add what became of a page to the run's counts, its failures aside. Saves nothing."""
    run.seen += outcome.seen
    run.created += outcome.created
    run.updated += outcome.updated
    run.unchanged += outcome.unchanged
    run.stale += outcome.stale
    run.missing += outcome.missing
    run.drift = dict(Counter(run.drift) + drift.count(outcome, changes_until))


def close(run: SyncRun, outcome: SyncRun.Outcome, error: str, *, requests: int) -> None:
    """Save the run with its outcome."""
    run.outcome, run.error = outcome, error
    run.requests = requests
    run.finished_at = timezone.now()
    run.save()
    log(run)


def log(run: SyncRun) -> None:
    """Log one line for a run that has ended. Why it failed is for the walk's caller to report, once."""
    counts = ", ".join(f"{getattr(run, name)} {name}" for name in COUNTS)
    message = "%s (account %d), %s walk, run %d: %s; %s"
    logger.info(
        message, run.account, run.account_id, run.mode, run.pk, run.outcome, counts
    )
