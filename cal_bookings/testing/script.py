"""What goes wrong in which order: the part that faults of requests and of deliveries share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar


@dataclass
class Step:
    """Something that goes wrong `times` times, after it was spared `skip` times."""

    kind: str
    times: int
    skip: int


S = TypeVar("S", bound=Step)


class Script(Generic[S]):
    """Steps in the order in which they were planned. May be used from any thread."""

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
        """Return the first step that meets what happens and is not used up, and count it."""
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
