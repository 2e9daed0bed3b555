"""The script of faults in their order, which requests and deliveries share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar


@dataclass
class Step:
    """A fault that strikes `times` times, after it has spared `skip` times."""

    kind: str
    times: int
    skip: int


S = TypeVar("S", bound=Step)


class Script(Generic[S]):
    """The steps in the order in which they were planned. All threads may use it."""

    def __init__(self) -> None:
        self._planned: list[S] = []
        self._lock = Lock()

    def add(self, step: S) -> None:
        with self._lock:
            self._planned.append(step)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def take(self, meets: Callable[[S], bool]) -> S | None:
        """Return the first step that meets the event and is not used up, and count it."""
        with self._lock:
            for step in self._planned:
                if not meets(step):
                    continue
                if step.skip:
                    step.skip -= 1
                    continue
                step.times -= 1
                if not step.times:
                    self._planned.remove(step)
                return step
        return None
