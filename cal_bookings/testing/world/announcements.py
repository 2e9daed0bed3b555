"""The events that subscribers are notified of, and the lock of the world: while it is held, nobody is notified.

A receiver may read from the fake before it answers, so a delivery with the lock held would wait for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from types import TracebackType
from typing import Any, Protocol


@dataclass(frozen=True)
class Announcement:
    """An event that is the trigger of a webhook."""

    trigger: str
    uid: str
    #: The parts of the payload beyond the booking: the fields of `deliveries.booking_parts.Scene`.
    about: dict[str, Any]


Job = Callable[[], None]


class Listener(Protocol):
    """The protocol of the object that notifies the subscribers."""

    @property
    def announces_early(self) -> bool:
        """Return whether a cancellation is announced before it is committed."""

    def hear(self, event: Announcement) -> Job | None:
        """Return the work for an event once the lock is free. Called with the lock held."""


class AnnouncingLock:
    """A reentrant lock that does some jobs when it is free again, in the thread that held it."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._depth = 0
        self._jobs: list[Job] = []

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        jobs: list[Job] = []
        if not self._depth:
            jobs, self._jobs = self._jobs, []
        self._lock.release()
        for job in jobs:
            job()

    def after_release(self, job: Job | None) -> None:
        """Do a job when the lock is free again. Called with the lock held."""
        if job:
            self._jobs.append(job)
