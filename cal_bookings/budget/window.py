"""The requests of one credential, paced so that Cal.com never has to answer 429.

Cal.com counts in fixed windows: 120 requests in the 60 s after the first request, by default; the next request blocks
the credential for 60 s. This module counts likewise, and lets the server say where its window stands: the first request
of a window goes alone, and its answer (the requests left, and the seconds) opens the window to all processes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from cal_bookings.budget.errors import BudgetExhausted
from cal_bookings.client import RateLimit

#: The default limit of an API key on Cal.com: requests, seconds.
DEFAULT_LIMIT = 120
DEFAULT_PERIOD = 60.0
#: The slots of a window without a limit.
UNLIMITED = 1_000_000
#: The block after a 429 that names no time.
DEFAULT_BLOCK = 60.0  # seconds
#: The longest wait that a server's number can mean in seconds; a larger number is in another unit.
LONGEST_WAIT = 3600.0  # seconds

#: The greatest length of a window or a block. A longer window or block was written by a clock that was ahead.
_FARTHEST = LONGEST_WAIT + 60.0  # seconds

#: The interval at which a waiting process looks again, because another process may have learnt something.
_LOOK_AGAIN = 1.0  # seconds
_OPENING = 0.05  # seconds, while another process opens the window
#: The margin between the server's clock and ours at the end of a window.
_EDGE = 0.02  # seconds
#: The part of a window after which all slots are released that were reserved, step by step, for more urgent requests.
_RELEASED_AT = 0.9


class Priority(IntEnum):
    """The order of requests when they are scarce: the smaller number goes first."""

    ACTION = 0
    REFRESH = 1
    CHANGES = 2
    WINDOW = 3
    FULL = 4

    @property
    def reserve(self) -> float:
        """Return the part of a window that is reserved for more urgent requests at its beginning."""
        return 0.05 * self


@dataclass(frozen=True, slots=True)
class Window:
    """A window of the server's rate limit. Times are seconds since the epoch, by our clock."""

    began: float
    #: The end of the window: the server's own window ends then or before.
    ends: float
    #: The number of requests that we allow ourselves in the window.
    slots: int

    @property
    def number(self) -> int:
        """Return the number that distinguishes the window from those before and after it."""
        return int(self.began * 1000)

    def open_slots(self, priority: Priority, now: float) -> int:
        """Return how many slots may be used at `now` for a request of this priority to be sent."""
        passed = (now - self.began) / (_RELEASED_AT * (self.ends - self.began))
        kept = priority.reserve * self.slots * (1 - min(1.0, max(0.0, passed)))
        return max(1, int(self.slots - kept))

    def next_slot_at(self, priority: Priority, used: int, now: float) -> float:
        """Return when the next slot is free for this priority after `used` slots; the end of the window if none is."""
        if used >= self.slots:
            return self.ends
        kept = priority.reserve * self.slots
        part = 1 - (self.slots - used - 1) / kept if kept else 0.0
        return max(now, self.began + part * _RELEASED_AT * (self.ends - self.began))


#: The last window, the number of its used slots, and the end of a block.
Reading = tuple[Window | None, int, float]


class Store(Protocol):
    """The shared knowledge of one credential's budget. Each method is atomic between processes."""

    def claim(self, now: float) -> bool:
        """Claim the first request of a new window; return False if a window is open, opening or blocked."""

    def open(self, window: Window, used: int) -> None:
        """Open the window that the response to the first request described. No effect if another window is open."""

    def release(self) -> None:
        """Give up the claim: the first request got no response, and another may try."""

    def read(self) -> Reading:
        """Return the window, its used slots and the end of a block."""

    def take(self, window: Window, at_most: int) -> bool:
        """Use one more slot, unless more than `at_most` would be used; return whether it was used."""

    def count_up(self, window: Window, used: int) -> None:
        """Note that at least `used` slots of this window are used, by this site or by others."""

    def block(self, until: float) -> None:
        """Allow no request before `until`. Never shortens a block."""

    def forget(self, after: float) -> None:
        """Drop the states that last beyond `after`, because a wrong clock wrote them."""


#: The greatest number of seconds that a request waits for its turn: None for no limit; a function is called each time.
MaxWait = float | Callable[[], float | None] | None


class Bucket:
    """The turn-taking of one client: `wait` before each request, `heard` or `refused` after its response."""

    #: The number of requests in a window if Cal.com does not name it.
    default_limit = DEFAULT_LIMIT

    def __init__(
        self,
        store: Store,
        *,
        priority: Priority,
        limit: int | None = None,
        max_wait: MaxWait = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the `limit`, the most requests per window even if the server allows more."""
        self._store = store
        self._priority = priority
        self._limit = limit
        self._max_wait = max_wait
        self._clock = clock
        self._sleep = sleep
        self._opening_since: float | None = None
        self._window: Window | None = None
        #: The least number of used slots in this window.
        self._used = 0
        #: True if the last answer was about another limit.
        self._is_other = False

    def wait(self) -> None:
        """Wait until the next request may be sent; raise BudgetExhausted if that takes longer than `max_wait`."""
        self.close()
        began, max_wait = self._clock(), self._max_wait
        if callable(max_wait):
            max_wait = max_wait()
        while pause := self._take_turn():
            waited = self._clock() - began
            if max_wait is not None and waited + pause > max_wait:
                raise BudgetExhausted(pause)
            self._sleep(min(pause, _LOOK_AGAIN))

    def heard(self, said: RateLimit | None, status: int) -> None:
        """Learn from a response; `said` is its statement on the rate limit, if it has one."""
        self._is_other = said is not None and self._is_of_another(said)
        if status == 429:
            return
        if self._is_other:
            self.close()
        elif self._opening_since is not None:
            self._open(self._opening_since, said)
        elif said is not None and self._window is not None:
            used = (said.limit or self.default_limit) - said.remaining
            if used > self._used:  # others have used slots too
                self._store.count_up(self._window, used)

    def refused(self, retry_after: float | None) -> None:
        """Note that the last response was a 429: no process makes a request before the block is over."""
        if not self._is_other:
            seconds = _sane(retry_after, DEFAULT_BLOCK)
            self._store.block(self._clock() + seconds + _EDGE)
        self.close()

    def close(self) -> None:
        """Leave the first request of a window to another process, if our request got no response."""
        if self._opening_since is not None:
            self._opening_since = None
            self._store.release()

    def _is_of_another(self, said: RateLimit) -> bool:
        """Return whether a response is about another limit than the limit that is kept here."""
        return said.is_of_an_endpoint

    def _take_turn(self) -> float:
        """Take a slot and return 0, or return the seconds until a slot may be free."""
        now = self._clock()
        window, used, blocked_until = self._store.read()
        if max(blocked_until, window.ends if window else 0.0) > now + _FARTHEST:
            self._store.forget(now + _FARTHEST)
            return _OPENING
        if blocked_until > now:
            return blocked_until - now
        if window is None or now >= window.ends:
            if not self._store.claim(now):
                return _OPENING
            self._window, self._opening_since = None, now
            return 0.0
        self._window = window
        allowed = window.open_slots(self._priority, now)
        if used < allowed and self._store.take(window, allowed):
            self._used = used + 1
            return 0.0
        return max(window.next_slot_at(self._priority, used, now) - now, _EDGE)

    def _open(self, since: float, said: RateLimit | None) -> None:
        limit = (said.limit if said else None) or self._limit or self.default_limit
        used = max(1, limit - said.remaining) if said else 1
        period = _sane(said.reset_seconds if said else None, DEFAULT_PERIOD)
        # The server's window began before its answer, and therefore ends before ours.
        ends = self._clock() + period + _EDGE
        allowed = min(limit, self._limit or limit)
        slots = max(1, allowed - _margin(allowed))
        self._store.open(Window(since, ends, slots), used)
        self._opening_since = None


def _margin(limit: int) -> int:
    """Return the number of slots that stay unused, for a request that is delayed into the next window."""
    return max(1, limit // 100)


def _sane(seconds: float | None, otherwise: float) -> float:
    if seconds is None or not 0 <= seconds <= LONGEST_WAIT:
        return otherwise
    return seconds


class EndpointBucket(Bucket):
    """The turn-taking for requests that Cal.com counts towards a limit of their own, such as changes of a location.

    A server whose responses name the credential's own limit has no such limit: then all may pass until the next look.
    """

    default_limit = 5

    def heard(self, said: RateLimit | None, status: int) -> None:
        if said is not None and self._is_of_another(said) and status != 429:
            self._open_wide()
        super().heard(said, status)

    def _is_of_another(self, said: RateLimit) -> bool:
        return not said.is_of_an_endpoint

    def _open_wide(self) -> None:
        if self._opening_since is not None:
            ends = self._clock() + DEFAULT_PERIOD
            self._store.open(Window(self._opening_since, ends, UNLIMITED), 1)
            self._opening_since = None
