"""How stale ten thousand accounts get with so many workers: the product's own intervals, jitter, hand-out and budget.

    python -m benchmarks.scheduler_simulation --accounts 10000 --workers 40 60 80 100

Nothing is asked and nothing is stored: time is simulated, a request takes as long as it is said to take. Staleness is
what a change on Cal.com waits for until the mirror has it by the `changes` loop alone, without webhooks.
"""

import argparse
import heapq
import os
import random
import statistics
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from math import ceil

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
django.setup()

from cal_bookings import budget, conf  # noqa: E402
from cal_bookings.budget.window import (  # noqa: E402
    Bucket,
    Window,
)
from cal_bookings.models import Mode  # noqa: E402
from cal_bookings.sync import loops  # noqa: E402
from cal_bookings.tasks import BEAT_SCHEDULE  # noqa: E402
from cal_bookings.tasks.sync import MAX_WAIT  # noqa: E402

LOOK_EVERY = BEAT_SCHEDULE["cal_bookings.sync_accounts"]["schedule"]
PAGE = 100
#: Of the bookings of four years, those of the window of 67 days.
WINDOW_PART = 67 / (4 * 365)
#: A change to be seen every so many seconds, on each account.
SAMPLE_EVERY = 20


class MemoryStore:
    """One credential's budget, as the cache or the database would keep it."""

    def __init__(self) -> None:
        self.window: Window | None = None
        self.used = 0
        self.opening = False

    def claim(self, now: float) -> bool:
        if self.opening or (self.window and now < self.window.ends):
            return False
        self.opening = True
        return True

    def open(self, window: Window, used: int) -> None:
        self.window, self.used, self.opening = window, used, False

    def release(self) -> None:
        self.opening = False

    def read(self) -> tuple[Window | None, int, float]:
        return self.window, self.used, 0.0

    def take(self, window: Window, at_most: int) -> bool:
        if self.used >= at_most:
            return False
        self.used += 1
        return True

    def count_up(self, window: Window, used: int) -> None:
        self.used = max(self.used, used)

    def block(self, until: float) -> None:
        raise AssertionError("nobody answers 429 here")


@dataclass(slots=True)
class Loop:
    """One row of `SyncState`."""

    account: int
    mode: Mode
    pages: int
    due_at: float
    is_leased: bool = False
    lease_token: int = 0
    left: int = 0
    began: float = 0.0
    #: When the last complete walk began.
    seen_until: float = 0.0


@dataclass(slots=True)
class Told:
    staleness: list[float] = field(default_factory=list)
    requests: int = 0
    in_vain: int = 0
    busy: float = 0.0
    longest_queue: int = 0


class Simulation:
    def __init__(self, asked: argparse.Namespace, workers: int) -> None:
        self.asked = asked
        self.workers = workers
        self.now = 0.0
        self.told = Told()
        self.random = random.Random(1)  # noqa: S311 - the same for every number of workers
        self.stores = [MemoryStore() for _ in range(asked.accounts)]
        self.due: list[tuple[float, int, Loop]] = []
        #: Messages: a loop, and the number of its last lease.
        self.queue: deque[tuple[Loop, int]] = deque()
        self.idle = workers
        self.events: list[tuple[float, int, Iterator[float] | None]] = []
        self.number = count()
        self.loops = list(self._loops())
        for loop in self.loops:
            self._schedule(loop)

    def _loops(self) -> Iterator[Loop]:
        """In the middle of things: due at some time of their interval; a few accounts are large."""
        sizes = [self.random.lognormvariate(0, 1.5) for _ in range(self.asked.accounts)]
        scale = self.asked.bookings / sum(sizes)
        for account, size in enumerate(sizes):
            bookings = size * scale
            for mode in Mode:
                part = {Mode.CHANGES: 0, Mode.WINDOW: WINDOW_PART, Mode.FULL: 1}[mode]
                pages = max(1, ceil(bookings * part / PAGE))
                due_at = self.random.uniform(0, conf.interval(mode))
                yield Loop(account, mode, pages, due_at)

    def run(self) -> Told:
        self._later(0.0, None)
        end = self.asked.minutes * 60
        while self.events and self.events[0][0] < end:
            self.now, _, walk = heapq.heappop(self.events)
            if walk is None:
                self._hand_out()
                self._later(LOOK_EVERY, None)
            else:
                self._go_on(walk)
            self._start()
        for loop in self.loops:
            if loop.mode == Mode.CHANGES:
                self._sample(loop, until=end, done=end)
        return self.told

    # The scheduler: sync_accounts

    def _schedule(self, loop: Loop) -> None:
        heapq.heappush(self.due, (loop.due_at, next(self.number), loop))

    def _hand_out(self) -> None:
        while self.due and self.due[0][0] <= self.now:
            due_at, _, loop = heapq.heappop(self.due)
            if due_at != loop.due_at or loop.is_leased:
                continue
            self._enqueue(loop)
        self.told.longest_queue = max(self.told.longest_queue, len(self.queue))

    def _enqueue(self, loop: Loop) -> None:
        self._release(loop, conf.get("LEASE_SECONDS"))
        self.queue.append((loop, loop.lease_token))

    def _release(self, loop: Loop, seconds: float) -> None:
        loop.due_at, loop.is_leased = self.now + seconds, False
        self._schedule(loop)

    # The workers: sync_account

    def _later(self, seconds: float, walk: Iterator[float] | None) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.number), walk))

    def _start(self) -> None:
        while self.idle and self.queue:
            self.idle -= 1
            self._go_on(self._stretch(*self.queue.popleft()))

    def _go_on(self, walk: Iterator[float]) -> None:
        seconds = next(walk, None)
        if seconds is None:
            self.idle += 1
            return
        self.told.busy += seconds
        self._later(seconds, walk)

    def _stretch(self, loop: Loop, ticket: int) -> Iterator[float]:
        """A task; yields how long it takes until it does the next thing."""
        if loop.is_leased or loop.lease_token != ticket:
            self.told.in_vain += 1
            return
        loop.is_leased = True
        loop.lease_token += 1
        if not loop.left:
            loop.left, loop.began = loop.pages, self.now
        bucket = Bucket(
            self.stores[loop.account],
            priority=budget.Priority[loop.mode.name],
            max_wait=0,
            clock=lambda: self.now,
        )
        for _ in range(min(loop.left, conf.get("PAGES_PER_TASK"))):
            pause = yield from self._turn(bucket)
            if pause:
                self._release(loop, pause)
                return
            yield self.asked.latency * self.random.uniform(0.5, 1.5)
            bucket.heard(None, 200)
            yield self.asked.page_seconds
            self.told.requests += 1
            loop.left -= 1
        self._finish(loop)

    def _turn(self, bucket: Bucket) -> Iterator[float]:
        """Waits for the next request; answers how long it would take if that is too long."""
        waited = 0.0
        while True:
            try:
                bucket.wait()
            except budget.BudgetExhausted as error:
                if waited + error.seconds > MAX_WAIT:
                    return error.seconds
                waited += error.seconds
                yield error.seconds
            else:
                return 0.0

    def _finish(self, loop: Loop) -> None:
        if loop.left:
            self._enqueue(loop)
            return
        if loop.mode == Mode.CHANGES:
            self._sample(loop, until=loop.began, done=self.now)
        loop.seen_until = loop.began
        self._release(loop, loops.pause(loop.mode))

    def _sample(self, loop: Loop, *, until: float, done: float) -> None:
        """What changed since the last walk, at any time, has waited until now."""
        begin = max(loop.seen_until, self.asked.warm_up * 60)
        if loop.seen_until:
            changes = (until - begin) / SAMPLE_EVERY
            number = int(changes + self.random.random()) if changes > 0 else 0
            for _ in range(number):
                self.told.staleness.append(done - self.random.uniform(begin, until))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.scheduler_simulation")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--bookings", type=int, default=100_000_000, help="of all")
    parser.add_argument("--workers", type=int, nargs="+", default=[20, 40, 60, 80, 120])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--warm-up", type=float, default=10, help="minutes not counted")
    parser.add_argument(
        "--latency", type=float, default=0.25, help="of a request, seconds"
    )
    parser.add_argument(
        "--page-seconds", type=float, default=0.02, help="of work on an answer"
    )
    return parser.parse_args()


def main() -> None:
    asked = read_arguments()
    print(
        f"{asked.accounts:,} accounts, {asked.bookings:,} bookings; a request takes {asked.latency} s, its answer "
        f"{asked.page_seconds} s of work; what is due is handed out every {LOOK_EVERY:g} s"
    )
    titles = ("workers", "busy", "requests/s", "p50 s", "p99 s", "max s", "queue")
    print(*(f"{title:>10}" for title in titles))
    for workers in asked.workers:
        told = Simulation(asked, workers).run()
        seconds = asked.minutes * 60
        hundredths = statistics.quantiles(told.staleness, n=100)
        print(
            f"{workers:10}",
            f"{told.busy / seconds / workers:10.0%}",
            f"{told.requests / seconds:10.0f}",
            *(f"{value:10.0f}" for value in (hundredths[49], hundredths[98])),
            f"{max(told.staleness):10.0f}",
            f"{told.longest_queue:10}",
            flush=True,
        )


if __name__ == "__main__":
    main()
