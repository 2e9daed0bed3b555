"""Small bar charts as SVG, made on the server. A table beside each has the numbers for people who cannot see it."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.functional import Promise

WIDTH, HEIGHT = 600, 120  # of the drawing, in its own units


@dataclass(frozen=True, slots=True)
class Series:
    """A series of counts, and its look: `css_class` is a class of admin.css."""

    name: str | Promise
    css_class: str
    counts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    css_class: str
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of stacked counts by day. The `days` are consecutive, and numbered from 0 in the series."""

    title: str | Promise
    days: Sequence[dt.date]
    series: Sequence[Series]
    today: dt.date
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def bars(self) -> Iterator[Bar]:
        step, highest = WIDTH / len(self.days), self.highest
        for n, day in enumerate(self.days):
            top = float(HEIGHT)
            for series in self.series:
                count = series.counts.get(n, 0)
                size = HEIGHT * count / highest if highest else 0
                if not size:
                    continue
                top -= size
                title = f"{date_format(day, 'DATE_FORMAT')}: {count} {series.name}"
                x = n * step + step * 0.1
                yield Bar(x, top, step * 0.8, size, series.css_class, title)

    @property
    def highest(self) -> int:
        """The greatest sum of a day."""
        sums = (
            sum(series.counts.get(n, 0) for series in self.series)
            for n in range(len(self.days))
        )
        return max(sums, default=0)

    @property
    def today_at(self) -> float | None:
        """Return the position of today; None if today is the last day."""
        if self.today in self.days[:-1]:
            return self.days.index(self.today) * WIDTH / len(self.days)
        return None

    @property
    def rows(self) -> Iterator[tuple[str, list[int]]]:
        for n, day in enumerate(self.days):
            yield (
                date_format(day, "DATE_FORMAT"),
                [series.counts.get(n, 0) for series in self.series],
            )
