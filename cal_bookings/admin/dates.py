"""Days, weeks and months in the current time zone and language, correct on days on which clocks change."""

import datetime as dt
from collections.abc import Sequence

from django.db.models import Case, IntegerField, Q, When
from django.utils import formats, timezone

from cal_bookings.admin.lookups import read_key

DAY = dt.timedelta(days=1)


def read(text: str) -> dt.date | None:
    """Return the day that an address or a form names in ISO 8601; None if there is no such day within reach."""
    try:
        return _within_reach(dt.date.fromisoformat(text))
    except ValueError:
        return None


def read_parts(year: str, month: str = "1", day: str = "1") -> dt.date | None:
    """Return the day that three numbers name; None if there is no such day within reach."""
    numbers = [read_key(text) for text in (year, month, day)]
    try:
        return _within_reach(dt.date(*[number or 0 for number in numbers]))
    except (ValueError, OverflowError):
        return None


def _within_reach(day: dt.date) -> dt.date | None:
    """Return `day`; None in the first and the last year, where the days before or after cannot be computed."""
    return day if dt.date.min.year < day.year < dt.date.max.year else None


def midnight(day: dt.date) -> dt.datetime:
    """Return the moment at which `day` begins in the current time zone."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def first_day_of_week(day: dt.date) -> dt.date:
    first = formats.get_format("FIRST_DAY_OF_WEEK")  # 0 is Sunday, 1 is Monday
    return day - (day.isoweekday() - int(first)) % 7 * DAY


def following(first: dt.date, count: int) -> list[dt.date]:
    """Return `count` days from `first` on."""
    return [first + n * DAY for n in range(count)]


def within(field: str, days: Sequence[dt.date]) -> Q:
    """Return the condition that `field` is on one of these consecutive days."""
    begin, end = midnight(days[0]), midnight(days[-1] + DAY)
    return Q((f"{field}__gte", begin), (f"{field}__lt", end))


def number_of_day(field: str, days: Sequence[dt.date]) -> Case:
    """Return the expression for the number, from 0, of the consecutive day on which `field` is.

    The boundaries are computed here, so the database needs no time zone tables, which MariaDB often lacks.
    """
    ends = [midnight(day + DAY) for day in days]
    return Case(
        *(When(Q((f"{field}__lt", end)), then=n) for n, end in enumerate(ends)),
        output_field=IntegerField(),
    )
