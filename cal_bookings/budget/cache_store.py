"""A credential's budget in the cache that all processes share: counters with `add` and `incr`, which are atomic."""

from collections.abc import Collection
from typing import Any

from django.core.cache import BaseCache

from cal_bookings.budget.window import (
    LONGEST_WAIT,
    Reading,
    Window,
)

#: The seconds that the first request of a window has to get its response; then another request may try.
OPENING_SECONDS = 2
#: The seconds by which entries outlive their subject: an entry that expired early would look like an unused budget.
_SPARE_SECONDS = 600
_LONGEST_SECONDS = int(LONGEST_WAIT) + _SPARE_SECONDS


class CacheStore:
    def __init__(self, cache: BaseCache, key: str) -> None:
        self._cache = cache
        self._window = _entry(key, "window")
        self._opening = _entry(key, "opening")
        self._blocked = _entry(key, "blocked")
        self._used = _entry(key, "used:")
        #: The counter of the window that this process saw last: it is read with the rest, in the same request to the
        #: cache.
        self._counter = self._used

    def claim(self, now: float) -> bool:
        if not self._cache.add(self._opening, 1, timeout=OPENING_SECONDS):
            return False
        if self._is_over(now):
            return True
        # Another process opened a window between our reading and our claim.
        self.release()
        return False

    def _is_over(self, now: float) -> bool:
        window, _, blocked_until = self.read()
        return blocked_until <= now and (window is None or window.ends <= now)

    def open(self, window: Window, used: int) -> None:
        if self._is_over(window.began):
            seconds = int(window.ends - window.began) + _SPARE_SECONDS
            # The counter is written first: a window without a counter counts as used up.
            self._cache.set(self._used + str(window.number), used, timeout=seconds)
            values = (window.began, window.ends, window.slots)
            self._cache.set(self._window, values, timeout=seconds)
        self.release()

    def release(self) -> None:
        self._cache.delete(self._opening)

    def read(self) -> Reading:
        entries: dict[str, Any] = self._cache.get_many(
            [self._window, self._blocked, self._counter]
        )
        window = Window(*entries[self._window]) if self._window in entries else None
        blocked_until = entries.get(self._blocked, 0.0)
        if window is None:
            return None, 0, blocked_until
        counter = self._used + str(window.number)
        if counter != self._counter:
            self._counter = counter
            entries[counter] = self._cache.get(counter, window.slots)
        return window, entries.get(counter, window.slots), blocked_until

    def take(self, window: Window, at_most: int) -> bool:
        counter = self._used + str(window.number)
        try:
            if self._cache.incr(counter) <= at_most:
                return True
            self._cache.decr(counter)
        except ValueError:
            # The counter was evicted: the number of used slots is not known any more.
            return False
        return False

    def count_up(self, window: Window, used: int) -> None:
        counter = self._used + str(window.number)
        known = self._cache.get(counter, used)
        # Two processes may add the same requests of somebody else, and then count a few too many.
        if used > known:
            self._cache.incr(counter, used - known)

    def block(self, until: float) -> None:
        _, _, blocked_until = self.read()
        if until > blocked_until:
            self._cache.set(self._blocked, until, timeout=_LONGEST_SECONDS)

    def forget(self, after: float) -> None:
        window, _, blocked_until = self.read()
        if max(blocked_until, window.ends if window else 0.0) > after:
            self._cache.delete_many([self._window, self._blocked, self._opening])


def read_many(cache: BaseCache, keys: Collection[str]) -> dict[str, Reading]:
    """Return the reading of each credential, empty where nothing is known, with two requests to the cache."""
    entries = [_entry(key, what) for key in keys for what in ("window", "blocked")]
    values: dict[str, Any] = cache.get_many(entries)
    windows = {
        key: Window(*values[entry])
        for key in keys
        if (entry := _entry(key, "window")) in values
    }
    counters = {
        key: _entry(key, f"used:{window.number}") for key, window in windows.items()
    }
    used: dict[str, int] = cache.get_many(counters.values())
    return {
        key: (
            window := windows.get(key),
            used.get(counters[key], window.slots) if window else 0,
            values.get(_entry(key, "blocked"), 0.0),
        )
        for key in keys
    }


def _entry(key: str, what: str) -> str:
    return f"cal_bookings:{key}:{what}"
