"""A credential's budget in the database, for sites without a shared cache: each step is one conditional UPDATE."""

from collections.abc import Collection
from datetime import UTC, datetime

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
        # No process opens a longer window; a clock was ahead.
        ahead = Q(opening_until__gt=_time(now + LONGEST_WAIT))
        passed = {name: _is_over(name, now) for name in _ENDS}
        free = self._row.filter(
            passed["opening_until"] | ahead, passed["ends_at"], passed["blocked_until"]
        )
        return bool(free.update(opening_until=_time(now + OPENING_SECONDS)))

    def open(self, window: Window, used: int) -> None:
        self._row.filter(_is_over("ends_at", window.began)).update(
            began_at=_time(window.began),
            ends_at=_time(window.ends),
            slots=window.slots,
            used=used,
            opening_until=None,
        )

    def release(self) -> None:
        self._row.update(opening_until=None)

    def read(self) -> Reading:
        row, _ = RateWindow.objects.get_or_create(key=self._key)
        return _reading(row)

    def take(self, window: Window, at_most: int) -> bool:
        free = self._of(window).filter(used__lt=at_most)
        return bool(free.update(used=F("used") + 1))

    def count_up(self, window: Window, used: int) -> None:
        self._of(window).filter(used__lt=used).update(used=used)

    def block(self, until: float) -> None:
        self._row.filter(_is_over("blocked_until", until)).update(
            blocked_until=_time(until)
        )

    def forget(self, after: float) -> None:
        ahead = Q(ends_at__gt=_time(after)) | Q(blocked_until__gt=_time(after))
        self._row.filter(ahead).update(**dict.fromkeys(_ENDS))

    def _of(self, window: Window) -> QuerySet[RateWindow]:
        """Return the row, if this is still its window."""
        return self._row.filter(began_at=_time(window.began))


#: The columns with the end of a window, of its opening and of a block; NULL means that there is none.
_ENDS = ("opening_until", "ends_at", "blocked_until")


def read_many(keys: Collection[str]) -> dict[str, Reading]:
    """Return the reading of each credential that has a row, with one query."""
    rows = RateWindow.objects.filter(key__in=keys)
    return {row.key: _reading(row) for row in rows}


def _reading(row: RateWindow) -> Reading:
    window = None
    if row.began_at and row.ends_at:
        began, ends = row.began_at.timestamp(), row.ends_at.timestamp()
        window = Window(began, ends, row.slots)
    blocked_until = row.blocked_until.timestamp() if row.blocked_until else 0.0
    return window, row.used, blocked_until


def _is_over(column: str, now: float) -> Q:
    return Q(**{column: None}) | Q(**{f"{column}__lte": _time(now)})


def _time(seconds: float) -> datetime:
    """Return the time of these seconds since the epoch, equal to a stored time that was converted to seconds."""
    return datetime.fromtimestamp(seconds, UTC)
