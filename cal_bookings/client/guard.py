"""The last moment before a request is written, in which its caller can still stop it.

Between the decision to send and the first byte lie the wait for a turn, the renewal of a token, and a new connection
with its handshakes. A guard is called after all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: A function that raises to stop the request.
Guard = Callable[[], None]

_guard: ContextVar[Guard | None] = ContextVar("cal_bookings_guard", default=None)


@contextmanager
def guarded(guard: Guard | None) -> Iterator[None]:
    """Call `guard` now, and in this thread before each write to a connection; its errors reach the caller."""
    token = _guard.set(guard)
    try:
        ask()
        yield
    finally:
        _guard.reset(token)


def ask() -> None:
    """Call the guard of this thread, if there is one."""
    guard = _guard.get()
    if guard is not None:
        guard()
