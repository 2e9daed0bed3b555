"""The demo's background worker: things happen on the fake Cal.com, and are mirrored a little later."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from threading import Event, Thread

from django.db import connection

from cal_bookings import sync
from cal_bookings.models import Account, Mode, SyncRun
from cal_bookings.testing import FakeCal

ROUND_SECONDS = 5
FULL_EVERY = 12  # rounds; some changes leave Cal.com's time of update as it was
PATIENCE_SECONDS = 10


class Worker(AbstractContextManager["Worker"]):
    """Works in a thread from entering to leaving. `say` gets a line for each change and each walk."""

    def __init__(
        self, account: Account, cal: FakeCal, say: Callable[[str], None]
    ) -> None:
        self.account = account
        self.cal = cal
        self.say = say
        self.random = Random()  # noqa: S311 - no secret hangs on it
        self.ending = Event()
        self.thread = Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Worker":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.thread.join(PATIENCE_SECONDS)

    def change(self) -> None:
        """Somebody does something on Cal.com."""
        self.say(f"on Cal.com: {self.cal.change_something(self.random)}")

    def catch_up(self, mode: Mode) -> None:
        """One walk. Never raises: whatever one sync meets, the next one is to be tried."""
        try:
            run = sync.walk(self.account, mode, on_page=self._stop_if_ending)
            self.say(told(run))
        except _Ending:
            self.say("sync: ended before its last page")
        except Exception as error:  # noqa: BLE001 - see above
            self.say(f"sync failed, the next one is tried all the same: {error!r}")

    def _work(self) -> None:
        rounds = 0
        try:
            while not self.ending.wait(ROUND_SECONDS):
                rounds += 1
                self.change()
                self.catch_up(Mode.CHANGES if rounds % FULL_EVERY else Mode.FULL)
        finally:
            connection.close()

    def _stop_if_ending(self, progress: sync.Progress) -> None:
        if self.ending.is_set():
            raise _Ending


class _Ending(Exception):
    """Somebody waits for the end: no further page."""


def told(run: SyncRun) -> str:
    """One line for a person."""
    if run.outcome != SyncRun.Outcome.COMPLETE:
        return f"sync failed ({run.mode}): {run.error}"
    return f"mirrored ({run.mode}): {run.created:,} created, {run.updated:,} updated, {run.unchanged:,} unchanged"
