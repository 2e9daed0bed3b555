"""Two writers who are first to make the same row: one of them is refused, and finds the row when it tries again."""

from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError

from cal_bookings import db

#: How often a transaction is tried that loses a race.
ATTEMPTS = 3

Answer = TypeVar("Answer")


def in_transaction(write: Callable[[], Answer]) -> Answer:
    """What `write` answers, called in a transaction; once more from its beginning where that lost a race."""
    for _ in range(ATTEMPTS - 1):
        try:
            with db.atomic():
                return write()
        except (IntegrityError, OperationalError):
            continue
    with db.atomic():
        return write()
