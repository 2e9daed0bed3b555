"""Workers and a server's rate limit in virtual time: minutes pass in milliseconds, and every run is the same."""

import heapq
import math
from itertools import count
from threading import Event, Thread

from cal_bookings.client import RateLimit


class VirtualTime:
    """Threads of which one runs at a time: whoever sleeps hands over to the one that wakes first."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self._sleepers: list[tuple[float, int, Event]] = []
        self._order = count()
        self._errors: list[BaseException] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        event = Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), event))
        self._wake_next()
        event.wait()

    def run(self, *workers) -> None:
        """Runs the workers until all have returned; raises what one of them raised."""
        threads = []
        for work in workers:
            event = Event()
            heapq.heappush(self._sleepers, (self.now, next(self._order), event))
            threads.append(Thread(target=self._live, args=(work, event)))
            threads[-1].start()
        self._wake_next()
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive()
        if self._errors:
            raise self._errors[0]

    def _live(self, work, event: Event) -> None:
        event.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._errors.append(error)
        finally:
            self._wake_next()

    def _wake_next(self) -> None:
        if self._sleepers:
            self.now, _, event = heapq.heappop(self._sleepers)
            event.set()


class Throttle:
    """Cal.com's: a window from the first request on, a block of its own length beyond the limit."""

    def __init__(self, clock, *, limit: int = 120, period: float = 60) -> None:
        self.clock = clock
        self.limit = limit
        self.period = period
        self.ends = self.blocked_until = 0.0
        self.hits = 0
        self.accepted: list[float] = []
        self.refused = 0

    def request(self) -> tuple[RateLimit, int]:
        now = self.clock()
        if now < self.blocked_until:
            self.refused += 1
            return self._said(0, self.blocked_until), 429
        if now >= self.ends:
            self.ends, self.hits = now + self.period, 0
        self.hits += 1
        if self.hits > self.limit:
            self.refused += 1
            self.blocked_until = now + self.period
            return self._said(0, self.blocked_until), 429
        self.accepted.append(now)
        return self._said(self.limit - self.hits, self.ends), 200

    def accepted_before(self, moment: float) -> int:
        return sum(at < moment for at in self.accepted)

    def _said(self, remaining: int, until: float) -> RateLimit:
        # Rounded up, as on the wire.
        seconds = math.ceil(until - self.clock())
        return RateLimit(self.limit, remaining, seconds, "default")
