"""A credential's budget in the database, for sites without a shared cache: each step is one conditional UPDATE."""

from collections.abc import Collection

from django.db.models import F, Q, QuerySet

from cal_bookings.budget.cache_store import OPENING_SECONDS
from cal_bookings.budget.window import (
    LONGEST_WAIT,
    Reading,
    Window,
)
from cal_bookings.models import RateWindow


class DatabaseStore:
    def __init__(self, key: str) -> None:
        self._key = key

    @property
    def _row(self) -> QuerySet[RateWindow]:
        return RateWindow.objects.filter(key=self._key)

    def claim(self, now: float) -> bool:
        # Nobody opens a window for longer than that; a clock was ahead.
        free = Q(opening_until__lte=now) | Q(opening_until__gt=now + LONGEST_WAIT)
        over = self._row.filter(free, ends__lte=now, blocked_until__lte=now)
        return bool(over.update(opening_until=now + OPENING_SECONDS))

    def open(self, window: Window, used: int) -> None:
        over = self._row.filter(ends__lte=window.began)
        over.update(
            number=window.number,
            began=window.began,
            ends=window.ends,
            slots=window.slots,
            used=used,
            opening_until=0,
        )

    def release(self) -> None:
        self._row.update(opening_until=0)

    def read(self) -> Reading:
        row, _ = RateWindow.objects.get_or_create(key=self._key)
        return _reading(row)

    def take(self, window: Window, at_most: int) -> bool:
        free = self._row.filter(number=window.number, used__lt=at_most)
        return bool(free.update(used=F("used") + 1))

    def count_up(self, window: Window, used: int) -> None:
        self._row.filter(number=window.number, used__lt=used).update(used=used)

    def block(self, until: float) -> None:
        self._row.filter(blocked_until__lt=until).update(blocked_until=until)

    def forget(self, after: float) -> None:
        wrong = self._row.filter(Q(ends__gt=after) | Q(blocked_until__gt=after))
        wrong.update(ends=0, opening_until=0, blocked_until=0)


def read_many(keys: Collection[str]) -> dict[str, Reading]:
    """What `read` says of each credential of which anything is known. One query."""
    rows = RateWindow.objects.filter(key__in=keys)
    return {row.key: _reading(row) for row in rows}


def _reading(row: RateWindow) -> Reading:
    window = Window(row.began, row.ends, row.slots) if row.ends else None
    return window, row.used, row.blocked_until
