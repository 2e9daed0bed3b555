"""Days, weeks and months as staff see them: in the current time zone and language, right where clocks change."""

import datetime as dt
from collections.abc import Sequence

from django.db.models import Case, IntegerField, Q, When
from django.utils import formats, timezone

from cal_bookings.admin.lookups import read_key

DAY = dt.timedelta(days=1)


def read(text: str) -> dt.date | None:
    """The day that an address or a form names in ISO 8601; None if there is no such day within reach."""
    try:
        return _within_reach(dt.date.fromisoformat(text))
    except ValueError:
        return None


def read_parts(year: str, month: str = "1", day: str = "1") -> dt.date | None:
    """The same of a day that is named by three numbers."""
    numbers = [read_key(text) for text in (year, month, day)]
    try:
        return _within_reach(dt.date(*[number or 0 for number in numbers]))
    except (ValueError, OverflowError):
        return None


def _within_reach(day: dt.date) -> dt.date | None:
    """None for the first and the last year: what is before and after their days cannot be computed."""
    return day if dt.date.min.year < day.year < dt.date.max.year else None


def midnight(day: dt.date) -> dt.datetime:
    """When `day` begins here."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def first_day_of_week(day: dt.date) -> dt.date:
    first = formats.get_format("FIRST_DAY_OF_WEEK")  # 0 is Sunday, 1 is Monday
    return day - (day.isoweekday() - int(first)) % 7 * DAY


def following(first: dt.date, count: int) -> list[dt.date]:
    """So many days from `first` on."""
    return [first + n * DAY for n in range(count)]


def within(field: str, days: Sequence[dt.date]) -> Q:
    """On one of these consecutive days."""
    begin, end = midnight(days[0]), midnight(days[-1] + DAY)
    return Q((f"{field}__gte", begin), (f"{field}__lt", end))


def number_of_day(field: str, days: Sequence[dt.date]) -> Case:
    """Which of these consecutive days, from 0, for a `field` that is within them.

    The boundaries are computed here, so the database needs no time zones of its own; MariaDB often has none.
    """
    ends = [midnight(day + DAY) for day in days]
    return Case(
        *(When(Q((f"{field}__lt", end)), then=n) for n, end in enumerate(ends)),
        output_field=IntegerField(),
    )
