"""The fallback of a cache that is down: the database takes over for as long as the failure lasts."""

import logging
import time
from collections.abc import Callable
from typing import ClassVar, TypeVar

from cal_bookings.budget.window import (
    Reading,
    Store,
    Window,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")


class FallbackStore:
    """The first store, and the second store where the first fails.

    Between the stores, processes may disagree for a while; each answer of the server brings them together.
    """

    _SAY_AGAIN = 60.0  # seconds
    _said_at: ClassVar[float] = -_SAY_AGAIN

    def __init__(self, first: Store, second: Store) -> None:
        self._first = first
        self._second = second

    def claim(self, now: float) -> bool:
        return self._try(lambda store: store.claim(now))

    def open(self, window: Window, used: int) -> None:
        self._try(lambda store: store.open(window, used))

    def release(self) -> None:
        self._try(lambda store: store.release())

    def read(self) -> Reading:
        return self._try(lambda store: store.read())

    def take(self, window: Window, at_most: int) -> bool:
        return self._try(lambda store: store.take(window, at_most))

    def count_up(self, window: Window, used: int) -> None:
        self._try(lambda store: store.count_up(window, used))

    def block(self, until: float) -> None:
        self._try(lambda store: store.block(until))

    def forget(self, after: float) -> None:
        self._try(lambda store: store.forget(after))

    def _try(self, ask: Callable[[Store], T]) -> T:
        try:
            return ask(self._first)
        except Exception as error:  # noqa: BLE001 - each cache has errors of its own
            self.say(error)
            return ask(self._second)

    @classmethod
    def say(cls, error: Exception) -> None:
        if time.monotonic() - cls._said_at < cls._SAY_AGAIN:
            return
        cls._said_at = time.monotonic()
        logger.warning(
            "The cache does not work (%s): the request budget is kept in the database meanwhile",
            type(error).__name__,
        )
