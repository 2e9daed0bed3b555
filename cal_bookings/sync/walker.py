"""The walk of one loop: from the first page of a list to the last, resumable at every page."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from cal_bookings import budget, client, db, mirror, sentences, servers
from cal_bookings.budget import advice
from cal_bookings.client import CalClient, Page
from cal_bookings.mirror import retries
from cal_bookings.models import Account, BookingChange, Mode, SyncRun, SyncState
from cal_bookings.sentences import Message
from cal_bookings.sync import (
    event_types,
    failures,
    lease,
    loops,
    ownership,
    pages,
    runs,
    vanished,
)
from cal_bookings.sync.checkpoint import Checkpoint

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """The argument of `on_page` after each page: the run so far, and the server's count of bookings, if it sent it."""

    run: SyncRun
    total: int | None


def walk(
    account: Account,
    mode: Mode = Mode.FULL,
    *,
    since: datetime | None = None,
    max_pages: int | None = None,
    max_wait: float | None = None,
    on_page: Callable[[Progress], None] | None = None,
) -> SyncRun:
    """Walk one loop of `account`, from its checkpoint if it has one, and return the record of the run.

    With `since` (aware; changes only) a new walk begins, which requests all updates from then on. After `max_pages`
    pages, or as many bookings requested singly, the run ends as paused, and the next run goes on. The run also ends as
    paused where the rate limit would let it wait longer than `max_wait` seconds.

    The walk commits per page; call it outside a transaction. An error of Cal.com or the network ends in a run whose
    `outcome` is failed and whose `error` names the cure; the checkpoint stays, so that the next call goes on from it.
    Raises LeaseTaken if another worker walks the loop, LeaseLost if another worker took over, CircuitOpen if the
    account is paused, ImproperlyConfigured if it has no usable credential, NoSuchLoop if it mirrors a team, whose list
    knows no filter on changes. Any other exception is recorded in the loop's state, which is due again after the pause
    of a failure, and raised.
    """
    if mode not in loops.modes(account):
        raise loops.NoSuchLoop(account, mode)
    priority = budget.Priority[mode.name]
    with budget.connect(account, priority=priority, max_wait=max_wait) as connection:
        held, state = lease.take(account, mode)
        with held:
            saved = None if since else Checkpoint.from_json(state.checkpoint)
            checkpoint = saved or loops.begin(account, state, since=since)
            begun = _Walk(account, state, held, connection, checkpoint, on_page, since)
            return begun.run(max_pages)


class _Walk:
    def __init__(
        self,
        account: Account,
        state: SyncState,
        held: lease.Lease,
        connection: CalClient,
        checkpoint: Checkpoint,
        on_page: Callable[[Progress], None] | None,
        since: datetime | None,
    ) -> None:
        self.since = since
        self.account = account
        self.state = state
        self.mode = Mode(state.mode)
        self.lease = held
        self.connection = connection
        self.on_page = on_page
        self.pages = pages.Pages(account, connection)
        self.record = runs.begin(account, self.mode)
        self._set_out(checkpoint)

    def run(self, max_pages: int | None) -> SyncRun:
        try:
            self._settle_owner()
            outcome = self._go_on(max_pages)
        except (client.CalError, ownership.WrongOwner) as error:
            self._fail(error)
        except budget.BudgetExhausted as error:
            self._close(self._pause(error.seconds))
        except budget.CircuitOpen as error:
            # The account was paused by hand meanwhile; a due loop waits until the account is resumed.
            message = advice.explain(self.account, error, advice.Operation.WALK)
            self._close(self._pause(), error=message)
        except Exception as error:
            self._break_off(error)
            raise
        except BaseException as error:
            # Ctrl-C, for example; the lease is given back on the way out.
            with suppress(DatabaseError):
                self._close(SyncRun.Outcome.FAILED, error=type(error).__name__)
            raise
        else:
            self._close(outcome)
        return self.record

    def _set_out(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        runs.resume(self.record, checkpoint)

    def _settle_owner(self) -> None:
        """Find the owner of the bookings. If the owner has changed, the bookings are read from the first page on."""
        if ownership.settle(self.account, self.connection, self.state):
            self.state.watermark = None
            self._set_out(loops.begin(self.account, self.state, since=self.since))
            self.lease.save(watermark=None, checkpoint=self.checkpoint.to_json())

    def _go_on(self, max_pages: int | None) -> SyncRun.Outcome:
        """Walk to the end, or as many steps as allowed."""
        left = max_pages or 2**63
        if self.mode == Mode.FULL:
            mirror.note_parser_version(self.account)
        for step in self._steps():
            if not left:
                return self._pause()
            left -= 1
            step()
        if self.mode == Mode.FULL:
            mirror.join_split_appointments(self.account)
            self._complete_full()
        return SyncRun.Outcome.COMPLETE

    def _steps(self) -> Iterator[Callable[[], None]]:
        """Yield the remaining steps of the walk, a page or less each; a step is chosen when the last step is done."""
        while self.checkpoint.filters:
            yield self._walk_page
        if self.mode != Mode.FULL:
            return
        self._mirror_event_types()
        # If the pages could not all be read, the bookings that they did not show would be most of the mirror.
        if self.checkpoint.is_whole:
            if not self.checkpoint.has_unseen:
                self._collect_unseen()
            for pk, uid in vanished.remaining(self.state, self.checkpoint):
                yield partial(self._check, pk, uid)
        while mirror.is_rederivation_due(self.account):
            yield self._rederive

    def _walk_page(self) -> None:
        """Store the next page, or turn to the next list where this list cannot be read any further."""
        try:
            self._store(self._ask())
        except pages.DeadEnd as end:
            self._leave_list(end)
        self._mirror_event_types()

    def _ask(self) -> pages.Read:
        """Return the next page. A checkpoint that is no longer valid is given up, and the walk restarts, once.

        A checkpoint is invalid if the server no longer takes it, or if somebody edited the account's scope in the
        database.
        """
        resumed = self.checkpoint.position is not None and self.record.pages == 0
        try:
            read = self.pages.read(self.checkpoint)
        except (client.CalRefused, client.CalDialectChanged, client.OtherWalk):
            if not resumed:
                raise
            logger.warning(
                "%s: the checkpoint is no longer valid, the walk restarts",
                self.account,
            )
            self._set_out(loops.begin(self.account, self.state))
            read = self.pages.read(self.checkpoint)
        self._note_never_updated(read.page)
        if self.mode == Mode.FULL and not self.checkpoint.pages:
            servers.learn_change_filters(self.account, self.connection, read.page)
        return read

    def _leave_list(self, end: pages.DeadEnd) -> None:
        place = f"page {self.checkpoint.pages + 1} and all after it"
        self._count_failure(place, "", end.error.unquoted)
        self.checkpoint = self.checkpoint.cut_off()
        self._save(self.checkpoint)

    def _note_never_updated(self, page: Page) -> None:
        """Record that the server lists bookings without a time of update, with one UPDATE."""
        if not self.account.lists_never_updated and any(
            map(pages.was_never_updated, page.payloads)
        ):
            self.account.lists_never_updated = True
            self.account.save(update_fields=["lists_never_updated"])

    def _store(self, read: pages.Read) -> None:
        """Store the page and the next checkpoint in one transaction, in which the last page also ends the walk."""
        page = read.page
        following = self.checkpoint.after(page.next, answered_at=page.answered_at)

        def save_checkpoint(outcome: mirror.Outcome) -> None:
            if self.mode == Mode.FULL:
                vanished.remember(
                    self.state, self.checkpoint.pages, outcome.booking_ids
                )
            failed = len(outcome.failures) + len(read.unreadable)
            done = following.with_failures(failed)
            self._save(done.with_counts(runs.counts(outcome)))

        outcome = mirror.upsert(
            self.account,
            page.payloads,
            asked_at=page.asked_at,
            api_version=page.api_version,
            source=BookingChange.Source.WALK,
            may_lag=self.mode != Mode.FULL,
            then=save_checkpoint,
        )
        for error in read.unreadable:
            self._count_failure(f"page {following.pages}", "", error.unquoted)
        self.checkpoint = replace(following, failed=self.checkpoint.failed)
        self.record.pages += 1
        self._count(outcome)
        if self.on_page:
            self.on_page(Progress(self.record, page.total))

    def _save(self, following: Checkpoint) -> None:
        """Save the checkpoint after a page, or the end of the walk."""
        if following.filters or self.mode == Mode.FULL:
            self.lease.save(checkpoint=following.to_json())
        else:
            self.lease.release(**loops.completed(self.mode, following))

    def _mirror_event_types(self) -> None:
        """Mirror the event types once in a full walk, after its first page.

        Before the first page, a response would close the circuit of a credential that reaches the event types and not
        the list, so that its pauses would never grow.
        """
        if self.mode != Mode.FULL or self.checkpoint.has_event_types:
            return
        outcome = event_types.mirror_event_types(self.account, self.connection)
        for failure in outcome.failures:
            self._count_failure(
                f"event type {failure.place + 1}", failure.uid, failure.error
            )
        self.checkpoint = replace(self.checkpoint, has_event_types=True)
        self.lease.save(checkpoint=self.checkpoint.to_json())

    def _collect_unseen(self) -> None:
        unseen = vanished.collect(self.account, self.state, self.checkpoint)
        self.checkpoint = replace(self.checkpoint, has_unseen=True)

        def keep() -> None:
            vanished.keep(self.state, unseen)
            self.lease.save(checkpoint=self.checkpoint.to_json())

        retries.in_transaction(keep)

    def _check(self, pk: int, uid: str) -> None:
        try:
            outcome = vanished.check(self.account, pk, uid, self.connection)
        except client.CalError as error:
            if not failures.is_alone(error):
                raise
            self._count_failure(vanished.place(pk), uid, error.unquoted)
        else:
            self._count(outcome)
        self.checkpoint = replace(self.checkpoint, checked=pk)
        self.lease.save(checkpoint=self.checkpoint.to_json())

    # The bookings that did not change, and that a newer parser reads in another way

    def _rederive(self) -> None:
        outcome = mirror.rederive_batch(self.account) or mirror.Outcome()
        for failure in outcome.failures:
            place = f"booking {failure.place}, derived again"
            failures.count(self.record, place, failure.uid, failure.error)
        self.lease.save()

    def _complete_full(self) -> None:
        def complete() -> None:
            vanished.forget(self.state)
            loops.open_loops(self.account, self.checkpoint)
            self.lease.release(**loops.completed(self.mode, self.checkpoint))

        retries.in_transaction(complete)

    def _count(self, outcome: mirror.Outcome) -> None:
        runs.count(self.record, outcome, self.checkpoint.changes_until)
        self.checkpoint = self.checkpoint.with_counts(runs.counts(outcome))
        for failure in outcome.failures:
            place = f"page {self.checkpoint.pages}, booking {failure.place + 1}"
            self._count_failure(place, failure.uid, failure.error)

    def _count_failure(self, place: str, uid: str, error: str) -> None:
        failures.count(self.record, place, uid, error)
        self.checkpoint = self.checkpoint.with_failures(1)

    def _pause(self, seconds: float = 0) -> SyncRun.Outcome:
        """Give the lease back; the walk goes on in `seconds`."""
        columns: dict[str, Any] = {
            "due_at": timezone.now() + timedelta(seconds=seconds)
        }
        if self._got_on():
            columns |= {"failures": 0, **sentences.columns("last_error", "")}
        self.lease.release(**columns)
        return SyncRun.Outcome.PAUSED

    def _fail(self, error: client.CalError | ownership.WrongOwner) -> None:
        message = advice.explain(self.account, error, advice.Operation.WALK)
        in_a_row = 1 if self._got_on() else self.state.failures + 1
        columns = loops.failed(self.mode, in_a_row, message)
        is_resumed = self.checkpoint.pages and not self.record.pages
        if is_resumed and isinstance(error, client.CalUnexpected):
            # The server responds oddly to the very place from which the walk would go on. The walk restarts, but not
            # soon, because everything before that place is read again.
            columns |= {"checkpoint": {}, "due_at": loops.later()}
        self.lease.release(**columns)
        self._close(SyncRun.Outcome.FAILED, error=message)

    def _break_off(self, error: Exception) -> None:
        """Record an unforeseen exception, as far as the database still works."""
        if isinstance(error, lease.LeaseLost):
            return  # the record is another worker's to write
        failures.log_stack(error)
        db.reconnect()
        message = failures.unexpected(error)
        in_a_row = 1 if self._got_on() else self.state.failures + 1
        with suppress(DatabaseError, lease.LeaseLost):
            self.lease.release(**loops.failed(self.mode, in_a_row, message))
            failures.mark_recorded(error)
            self._close(SyncRun.Outcome.FAILED, error=message)

    def _got_on(self) -> bool:
        """Return whether this run stored anything: then earlier and later failures are not in a row."""
        return bool(self.record.pages or self.record.seen or self.record.missing)

    def _close(self, outcome: SyncRun.Outcome, *, error: Message | str = "") -> None:
        runs.close(self.record, outcome, error, requests=self.connection.requests)
