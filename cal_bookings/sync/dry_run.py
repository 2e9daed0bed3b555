"""The preview of a walk, which changes nothing."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from cal_bookings import budget, client, db, mirror, sentences
from cal_bookings.budget import advice
from cal_bookings.client import CalClient
from cal_bookings.models import Account, BookingChange, Mode, SyncRun, SyncState
from cal_bookings.sync import failures, loops, ownership, pages, vanished
from cal_bookings.sync.checkpoint import Checkpoint
from cal_bookings.sync.walker import Progress


@dataclass
class Preview:
    """A run that was not saved, and the number of bookings that would change in each field."""

    run: SyncRun
    fields: Counter[str] = field(default_factory=Counter)


def preview(
    account: Account,
    mode: Mode = Mode.FULL,
    *,
    since: datetime | None = None,
    though_paused: bool = False,
    on_page: Callable[[Progress], None] | None = None,
) -> Preview:
    """Walk from the first page to the last, store each page and roll it back, and count what would change.

    `account` may be an account of `Account.objects.planned()`, which is not saved, or an account that was changed in
    memory only. The preview takes no lease, leaves no run and no checkpoint, sends no signal, and ends no pause: with
    `though_paused` it makes its requests all the same. The errors are those of `walk`: an error of Cal.com ends in a
    failed run that names the cure.
    """
    if mode not in loops.modes(account):
        raise loops.NoSuchLoop(account, mode)
    stored = Account.objects.filter(pk=account.pk).first()
    is_stored = stored is not None and _place(stored) == _place(account)
    states = SyncState.objects.filter(account=stored, mode=mode) if is_stored else []
    state = next(iter(states), SyncState(account=account, mode=mode))
    checkpoint = loops.begin(account, state, since=since)
    run = SyncRun(account=account, mode=mode, started_at=timezone.now())
    with budget.connect(
        # An account that is never saved, so that a failure at a server that the account does not mirror yet pauses
        # nothing.
        account if is_stored else _unsaved(account),
        priority=budget.Priority[mode.name],
        though_paused=though_paused,
    ) as connection:
        trial = _Trial(Preview(run), connection, on_page)
        try:
            ownership.ask(account, connection)
            trial.go(checkpoint)
            run.outcome = SyncRun.Outcome.COMPLETE
        except (client.CalError, ownership.WrongOwner) as error:
            run.outcome = SyncRun.Outcome.FAILED
            message = advice.explain(account, error, advice.Operation.WALK)
            sentences.write(run, "error", message)
        run.requests = connection.requests
    return trial.result


def _place(account: Account) -> tuple[str, dict[str, int]]:
    return account.base_url, account.scope


def _unsaved(account: Account) -> Account:
    return Account(alias=account.alias, base_url=account.base_url, scope=account.scope)


@contextmanager
def _undone(account: Account) -> Iterator[None]:
    """Open a transaction that is rolled back at its end, and in which `account` has a row."""
    is_new = account.pk is None
    with db.atomic():
        if is_new:
            Account.objects.bulk_create([account])
        yield
        transaction.set_rollback(True, using=db.alias())
    if is_new:
        account.pk, account._state.adding = None, True


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
        #: The hashes of the uids that were stored and rolled back. A walk that met them again would find them
        #: unchanged.
        self.known: set[int | None] = set()

    def go(self, checkpoint: Checkpoint) -> None:
        seen = array("q")
        account = self.run.account
        reader = pages.Pages(account, self.connection, learns=False)
        while checkpoint.filters:
            try:
                read = reader.read(checkpoint)
            except pages.DeadEnd as end:
                checkpoint = self._leave_list(checkpoint, end)
                continue
            for error in read.unreadable:
                self._count_unreadable(f"page {self.run.pages + 1}", error)
            page = read.page
            self.run.pages += 1
            outcome = self._try(page.payloads, page.asked_at, page.api_version)
            seen.extend(outcome.booking_ids)
            checkpoint = checkpoint.after(page.next, answered_at=page.answered_at)
            if self.on_page:
                self.on_page(Progress(self.run, page.total))
        if self.run.mode == Mode.FULL and account.pk and checkpoint.is_whole:
            seen = array("q", sorted(seen))
            for pk, uid in vanished.unseen(account, seen, checkpoint):
                self._ask_for(pk, uid)

    def _leave_list(self, checkpoint: Checkpoint, end: pages.DeadEnd) -> Checkpoint:
        self._count_unreadable(f"page {self.run.pages + 1} and all after it", end.error)
        return checkpoint.cut_off()

    def _count_unreadable(self, place: str, error: client.CalError) -> None:
        failures.count(self.run, place, "", error.unquoted)

    def _ask_for(self, pk: int, uid: str) -> None:
        asked_at = timezone.now()
        try:
            payloads = self.connection.get_booking(uid)
        except client.CalNotFound:
            self.run.missing += 1
        except client.CalError as error:
            if not failures.is_alone(error):
                raise
            failures.count(self.run, vanished.place(pk), uid, error.unquoted)
        else:
            self._try(payloads, asked_at, client.BOOKING_VERSION)

    def _try(
        self, payloads: list[Any], asked_at: datetime, api_version: str
    ) -> mirror.Outcome:
        fresh = [each for each in payloads if _uid_hash(each) not in self.known]
        with _undone(self.run.account):
            outcome = mirror.upsert(
                self.run.account,
                fresh,
                asked_at=asked_at,
                api_version=api_version,
                source=BookingChange.Source.WALK,
                may_lag=self.run.mode != Mode.FULL,
            )
        failed = {failure.place for failure in outcome.failures}
        self.known.update(
            _uid_hash(payload)
            for place, payload in enumerate(fresh)
            if place not in failed
        )
        self._count(outcome, repeated=len(payloads) - len(fresh))
        return outcome

    def _count(self, outcome: mirror.Outcome, *, repeated: int) -> None:
        self.run.seen += outcome.seen + repeated
        self.run.created += outcome.created
        self.run.updated += outcome.updated
        self.run.unchanged += outcome.unchanged + repeated
        self.run.stale += outcome.stale
        self.run.failed += len(outcome.failures)
        for _, fields in outcome.written:
            self.result.fields.update(fields)


def _uid_hash(payload: Any) -> int | None:
    uid = payload.get("uid") if isinstance(payload, dict) else None
    return hash(uid) if isinstance(uid, str) else None
