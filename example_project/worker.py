"""The background work of the demo: bookings change on the fake Cal.com, webhooks are read, and actions are sent."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from threading import Event, Thread

from django.db import connection

from cal_bookings import outbox, signals, sync
from cal_bookings.models import Account, BookingAction, Mode, SyncRun, WebhookDelivery
from cal_bookings.testing import FakeCal
from cal_bookings.webhooks import processing

ROUND_SECONDS = 5
FULL_EVERY = 12  # rounds; some changes do not move Cal.com's time of update
LOOPS = {
    0: Mode.FULL,
    1: Mode.WINDOW,
}  # loop of a round; in all other rounds it is `changes`
DELIVERY_SECONDS = 1  # short, because a person is waiting
INBOX_SECONDS = 1  # pause before a delivery that has to wait is read again
DELIVERED = 100  # actions in one round
PATIENCE_SECONDS = 10


class Rounds(AbstractContextManager["Rounds"]):
    """Work that a thread repeats every `seconds`, from entering to leaving. `say` gets a line for each event."""

    seconds: float

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.ending = Event()
        self.thread = Thread(target=self._work, daemon=True)

    def round(self) -> None:
        """Do the work once; may raise."""
        raise NotImplementedError

    def __enter__(self) -> "Rounds":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.thread.join(PATIENCE_SECONDS)

    def try_round(self) -> None:
        """Do the work once. Never raises: an error must not stop the next round."""
        try:
            self.round()
        except Exception as error:  # noqa: BLE001 - no error may stop the rounds
            self.say(f"failed, next try in {self.seconds} s: {error!r}")

    def pause(self) -> None:
        """Wait for the next round."""
        self.ending.wait(self.seconds)

    def _work(self) -> None:
        try:
            self.pause()
            while not self.ending.is_set():
                self.try_round()
                self.pause()
        finally:
            connection.close()


class Worker(Rounds):
    """The rounds that change a booking on the fake Cal.com and then mirror the account, as Celery beat would."""

    seconds = ROUND_SECONDS

    def __init__(
        self, account: Account, cal: FakeCal, say: Callable[[str], None]
    ) -> None:
        super().__init__(say)
        self.account = account
        self.cal = cal
        self.random = Random()  # noqa: S311 - no secret hangs on it
        self.rounds = 0

    def round(self) -> None:
        self.rounds += 1
        self.say(f"on Cal.com: {self.cal.change_something(self.random)}")
        self.catch_up(LOOPS.get(self.rounds % FULL_EVERY, Mode.CHANGES))

    def catch_up(self, mode: Mode) -> None:
        """Walk once, and stop after a page if the demo ends."""
        try:
            run = sync.walk(self.account, mode, on_page=self._stop_if_ending)
        except _Ending:
            self.say("the walk ended before its last page")
            return
        self.say(describe_run(run))
        if mode == Mode.CHANGES and not run.created + run.updated:
            rest = (FULL_EVERY - self.rounds % FULL_EVERY) * ROUND_SECONDS
            self.say(
                f"  (the webhook was faster, or the change moves no time of update: the loop `full` looks at everything in {rest} s)"
            )

    def _stop_if_ending(self, progress: sync.Progress) -> None:
        if self.ending.is_set():
            raise _Ending


class Deliveries(Rounds):
    """The sender of due actions of the outbox to Cal.com, as `cal_push` or a Celery worker."""

    seconds = DELIVERY_SECONDS

    def round(self) -> None:
        for action_id in outbox.due(DELIVERED):
            action = outbox.deliver(action_id)
            if action:
                self.say(describe_action(action))


class Inbox(Rounds):
    """The reader of the bookings that webhooks name, as soon as a webhook arrives; a Celery worker does the same."""

    seconds = INBOX_SECONDS

    def __init__(self, account: Account, say: Callable[[str], None]) -> None:
        super().__init__(say)
        self.account = account
        self.arrived = Event()

    def __enter__(self) -> "Inbox":
        signals.delivery_received.connect(self._wake)
        super().__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        signals.delivery_received.disconnect(self._wake)
        super().__exit__(*details)

    def pause(self) -> None:
        """Wait for a delivery, or for the deliveries that are to be read again."""
        self.arrived.wait(self.seconds)
        self.arrived.clear()

    def round(self) -> None:
        processed = processing.process(self.account.pk)
        if processed.done:
            self.say(describe_processed(processed))

    def _wake(self, **_: object) -> None:
        self.arrived.set()


class _Ending(Exception):
    """The signal that the demo ends, and that no further page is read."""


def describe_run(run: SyncRun) -> str:
    """Return one line about a walk for a person."""
    if run.outcome != SyncRun.Outcome.COMPLETE:
        return f"the walk failed ({run.mode}): {run.error}"
    return f"mirrored ({run.mode}): {run.created:,} created, {run.updated:,} updated, {run.unchanged:,} unchanged"


def describe_processed(processed: processing.Processed) -> str:
    """Return one line about webhooks and their results for a person."""
    labels = dict(WebhookDelivery.Outcome.choices)
    became = (f"{n:,} {labels[outcome]}" for outcome, n in processed.outcomes.items())
    return f"by webhook: {', '.join(became)}"


def describe_action(action: BookingAction) -> str:
    """Return one line about an action and its result for a person."""
    line = f"in the admin: {action.get_kind_display()}: {action.booking}: {action.get_status_display()}"
    details = action.error_message or action.note
    return f"{line}. {details}" if details else line
