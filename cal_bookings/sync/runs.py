"""The record of one stretch of a walk."""

import logging
from collections import Counter
from datetime import datetime

from django.utils import timezone

from cal_bookings import sentences
from cal_bookings.mirror import Outcome
from cal_bookings.models import Account, Mode, SyncRun
from cal_bookings.sentences import Message
from cal_bookings.sync import drift
from cal_bookings.sync.checkpoint import Checkpoint
from cal_bookings.sync.walk_texts import SyncText

logger = logging.getLogger(__name__)

#: The counts of bookings by result.
OF_BOOKINGS = ("seen", "created", "updated", "unchanged", "stale", "missing")
#: The names of all counts of a run.
COUNTS = ("pages", "requests", *OF_BOOKINGS, "failed")


def begin(account: Account, mode: Mode) -> SyncRun:
    """Make a new run, and close those that never ended: their workers died."""
    now = timezone.now()
    SyncRun.objects.filter(
        account=account, mode=mode, outcome=SyncRun.Outcome.RUNNING
    ).update(
        outcome=SyncRun.Outcome.FAILED,
        finished_at=now,
        **sentences.columns("error", SyncText.WORKER_DIED()),
    )
    return SyncRun.objects.create(account=account, mode=mode, started_at=now)


def counts(outcome: Outcome) -> dict[str, int]:
    """Return the numbers of bookings by result, under the names of a run's columns."""
    return {name: getattr(outcome, name) for name in OF_BOOKINGS}


def resume(run: SyncRun, checkpoint: Checkpoint) -> None:
    """Note the counts of earlier runs of the walk that goes on from `checkpoint`. Saves nothing."""
    run.before = None
    if checkpoint.pages:
        done = {"pages": checkpoint.pages, "failed": checkpoint.failed}
        run.before = dict(checkpoint.counts) | done


def resumed_from(run: SyncRun) -> int | None:
    """Return the number of the page, from 1, with which the run went on; None if it began the walk."""
    return run.before["pages"] + 1 if run.before else None


def whole(run: SyncRun) -> dict[str, int]:
    """Return the counts of the whole walk, earlier runs included; requests are counted by run only."""
    names = [name for name in COUNTS if name != "requests"]
    before = run.before or {}
    return {name: before.get(name, 0) + getattr(run, name) for name in names}


def count(run: SyncRun, outcome: Outcome, changes_until: datetime | None) -> None:
    """Add the outcome of a page to the run's counts, its failures aside. Saves nothing."""
    for name, number in counts(outcome).items():
        setattr(run, name, getattr(run, name) + number)
    run.drift = dict(Counter(run.drift) + drift.count(outcome, changes_until))


def close(
    run: SyncRun,
    outcome: SyncRun.Outcome,
    error: Message | str,
    *,
    requests: int,
) -> None:
    """Save the run with its outcome."""
    run.outcome = outcome
    sentences.write(run, "error", error)
    run.requests = requests
    run.finished_at = timezone.now()
    run.save()
    log(run)


def log(run: SyncRun) -> None:
    """Log one line for a run that has ended. The walk's caller reports once why the run failed."""
    counted = ", ".join(f"{getattr(run, name)} {name}" for name in COUNTS)
    if run.before:
        counted += f"; resumed from page {resumed_from(run)}"
    message = "%s (account %d), %s walk, run %d: %s; %s"
    logger.info(
        message, run.account, run.account_id, run.mode, run.pk, run.outcome, counted
    )
