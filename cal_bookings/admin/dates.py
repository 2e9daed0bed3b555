"""Days, weeks and months as staff see them: in the current time zone and language, right where clocks change."""

import datetime as dt
from collections.abc import Sequence

from django.db.models import Case, IntegerField, Q, When
from django.utils import formats, timezone

DAY = dt.timedelta(days=1)


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
