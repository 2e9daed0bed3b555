"""What a walk would change, without changing anything."""

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from cal_bookings import budget, client, conf, db, mirror, servers
from cal_bookings.budget import cures
from cal_bookings.client import CalClient
from cal_bookings.models import Account, BookingChange, Mode, SyncRun, SyncState
from cal_bookings.sync import failures, loops, vanished
from cal_bookings.sync.checkpoint import Checkpoint
from cal_bookings.sync.walk import Progress


@dataclass
class Preview:
    """A run that was not saved, and how many bookings would change in each field."""

    run: SyncRun
    fields: Counter[str] = field(default_factory=Counter)


def preview(
    account: Account,
    mode: Mode = Mode.FULL,
    *,
    since: datetime | None = None,
    on_page: Callable[[Progress], None] | None = None,
) -> Preview:
    """Walks from the first page to the last, stores each page and rolls it back: what is told is what would happen.

    Takes no lease, leaves no run and no checkpoint, sends no signal. Errors as in `walk`; what Cal.com does wrong
    ends in a run that is failed and names the cure.
    """
    if mode not in loops.modes(account):
        raise loops.NoSuchLoop(account, mode)
    state = SyncState.objects.filter(account=account, mode=mode).first()
    checkpoint = loops.begin(
        account, state or SyncState(account=account, mode=mode), since=since
    )
    run = SyncRun(account=account, mode=mode, started_at=timezone.now())
    with budget.connect(account, priority=budget.Priority[mode.name]) as connection:
        trial = _Trial(Preview(run), connection, on_page)
        try:
            trial.go(checkpoint)
            run.outcome = SyncRun.Outcome.COMPLETE
        except client.CalError as error:
            run.outcome = SyncRun.Outcome.FAILED
            run.error = cures.explain(account, error)
        run.requests = connection.requests
    return trial.result


class _Trial:
    def __init__(
        self,
        result: Preview,
        connection: CalClient,
        on_page: Callable[[Progress], None] | None,
    ) -> None:
        self.result = result
        self.run = result.run
        self.connection = connection
        self.on_page = on_page

    def go(self, checkpoint: Checkpoint) -> None:
        seen = array("q")
        account = self.run.account
        while checkpoint.filters:
            page = servers.list_bookings(
                account,
                self.connection,
                checkpoint.position,
                filters=checkpoint.filters[0],
                page_size=conf.get("PAGE_SIZE"),
                learns=False,
            )
            self.run.pages += 1
            outcome = self._try(page.payloads, page.asked_at, page.api_version)
            seen.extend(outcome.booking_ids)
            checkpoint = checkpoint.behind(page.next, answered_at=page.answered_at)
            if self.on_page:
                self.on_page(Progress(self.run, page.total))
        if self.run.mode == Mode.FULL:
            seen = array("q", sorted(seen))
            for _, uid in vanished.unseen(account, seen, checkpoint):
                self._ask_for(uid)

    def _ask_for(self, uid: str) -> None:
        asked_at = timezone.now()
        try:
            payloads = self.connection.get_booking(uid)
        except client.CalNotFound:
            self.run.missing += 1
        except client.CalError as error:
            if not failures.is_alone(error):
                raise
            failures.count(self.run, vanished.PLACE, uid, error.summary)
        else:
            self._try(payloads, asked_at, client.BOOKING_VERSION)

    def _try(
        self, payloads: list[Any], asked_at: datetime, api_version: str
    ) -> mirror.Outcome:
        with db.atomic():
            outcome = mirror.upsert(
                self.run.account,
                payloads,
                asked_at=asked_at,
                api_version=api_version,
                source=BookingChange.Source.WALK,
            )
            transaction.set_rollback(True, using=db.alias())
        self.run.seen += outcome.seen
        self.run.created += outcome.created
        self.run.updated += outcome.updated
        self.run.unchanged += outcome.unchanged + outcome.stale
        self.run.failed += len(outcome.failures)
        for _, fields in outcome.written:
            self.result.fields.update(fields)
        return outcome
