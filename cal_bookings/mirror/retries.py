"""The repetition of transactions that lose a race to another writer."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError

from cal_bookings import backoff, db
from cal_bookings.mirror import refusals

#: The number of attempts at a transaction before its error is raised.
ATTEMPTS = 8

#: The seconds to wait before the second attempt, doubled at each further attempt up to the longest wait. Each wait is a
#: random part of that, because writers that collided once would otherwise collide again.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0

Result = TypeVar("Result")


def in_transaction(
    write: Callable[[], Result],
    *,
    attempts: int = ATTEMPTS,
    is_final: Callable[[Exception], bool] = refusals.is_final,
) -> Result:
    """Run `write` in a transaction and return its result. If another writer wins a race, repeat it from the start.

    Two writers that insert the same row, deadlocks, lock timeouts, SQLite's "database is locked" and a connection that
    was closed look alike enough to be treated alike: each leads to another attempt. After the last attempt, or inside a
    transaction of the caller's that the error has ended, or if `is_final(error)`, the error is raised.
    """
    for attempt in range(1, attempts):
        try:
            with db.atomic():
                return write()
        except (IntegrityError, OperationalError) as error:
            if db.is_doomed() or is_final(error):
                raise
        _pause(attempt)
    with db.atomic():
        return write()


def _pause(attempt: int) -> None:
    pause = backoff.seconds(
        attempt - 1, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE, spread=(0.1, 1.0)
    )
    time.sleep(pause)
