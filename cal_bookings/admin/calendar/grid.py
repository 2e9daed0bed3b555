"""Weeks and months of bookings, as tables made on the server. A cell shows a few bookings and leads to the rest.

A booking is on the day on which it starts, in the current time zone. The page grows with neither the number of
bookings nor that of hosts: one query counts the bookings of each cell, another reads the few that are shown.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import Count, F, IntegerField, Q, QuerySet, Value
from django.db.models import Window as WindowExpression
from django.db.models.functions import RowNumber
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from cal_bookings.admin import (
    dates,
    formatting,
    visibility,
)
from cal_bookings.admin.long_lists import DatedList
from cal_bookings.admin.lookups import DATE_PARTS
from cal_bookings.models import Booking, EventType, Host

PARAMETERS = ("date", "view", "by")
SHOWN = 4  # bookings in a cell
ROWS = 25  # hosts or event types on a page
GROUPS: dict[str, type[Host] | type[EventType]] = {
    "hosts": Host,
    "event_type": EventType,
}


class FilteredBookings(DatedList):
    """The list's filters without its pages: `queryset` holds the bookings that match."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Return the filters of the list without its dates, because the calendar has dates of its own."""
        kept: dict[str, Any] = super().get_filters_params(params)
        own = (*PARAMETERS, *(f"start__{part}" for part in DATE_PARTS))
        return {name: value for name, value in kept.items() if name not in own}

    def get_results(self, request: HttpRequest) -> None:
        """Read no rows, because the calendar makes its own queries."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a calendar shows: a week, or the whole weeks that a month touches."""

    view: str
    chosen: dt.date

    @classmethod
    def asked_for(cls, query: Mapping[str, str]) -> "Period":
        chosen = dates.read(query.get("date", "")) or timezone.localdate()
        return cls("month" if query.get("view") == "month" else "week", chosen)

    @property
    def days(self) -> list[dt.date]:
        if self.view == "week":
            first = dates.first_day_of_week(self.chosen)
            return dates.following(first, 7)
        first = dates.first_day_of_week(self.chosen.replace(day=1))
        weeks = -(-(self.next - first).days // 7)
        return dates.following(first, 7 * weeks)

    @property
    def next(self) -> dt.date:
        if self.view == "week":
            return self.chosen + 7 * dates.DAY
        return (self.chosen.replace(day=1) + 31 * dates.DAY).replace(day=1)

    @property
    def previous(self) -> dt.date:
        if self.view == "week":
            return self.chosen - 7 * dates.DAY
        return (self.chosen.replace(day=1) - dates.DAY).replace(day=1)

    def __str__(self) -> str:
        if self.view == "month":
            return date_format(self.chosen, "YEAR_MONTH_FORMAT")
        first, *_rest, last = (date_format(day, "DATE_FORMAT") for day in self.days)
        return f"{first} \N{EN DASH} {last}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A booking in a cell."""

    url: str
    time: str
    start: str
    text: str
    status: str
    status_text: str


@dataclass(frozen=True, slots=True)
class Cell:
    day: dt.date
    entries: list[Entry]
    more: int
    more_url: str
    is_today: bool
    is_outside: bool


@dataclass(frozen=True, slots=True)
class Row:
    heading: str
    cells: list[Cell]


class Calendar:
    """The calendar of `bookings` that the template shows."""

    def __init__(
        self, bookings: QuerySet[Booking], period: Period, request: HttpRequest
    ) -> None:
        self.period = period
        self.by = "event_type" if request.GET.get("by") == "event_type" else "hosts"
        self.people = visibility.may_see_people(request)
        self.query = request.GET
        self.days = period.days
        self.bookings = self._numbered_by_day(bookings)

    @property
    def rows(self) -> list[Row]:
        if self.period.view == "month":
            return self._weeks()
        return [self._group_row(key, name) for key, name in self.page]

    @cached_property
    def page(self) -> Page:
        """Return a page of the week's hosts or event types, by name; the row of bookings without them comes last."""
        keys = {key for key, _day in self._counts}
        groups = GROUPS[self.by].objects.in_bulk([key for key in keys if key])
        named = sorted(
            ((key, str(group)) for key, group in groups.items()),
            key=lambda pair: (pair[1].casefold(), pair[0]),
        )
        if None in keys:
            nobody = _("No host") if self.by == "hosts" else _("No event type")
            named.append((None, nobody))
        return Paginator(named, ROWS).get_page(self.query.get("p"))

    @property
    def heading(self) -> Iterator[dict[str, Any]]:
        """Yield the days of the week as columns, with their dates if there is only one row of days."""
        week = self.period.view == "week"
        today = timezone.localdate()
        for day in self.days[:7]:
            name = date_format(day, "D")
            if week:
                name = f"{name} {date_format(day, 'j M')}"
            yield {"text": name, "is_today": week and day == today}

    @property
    def time_zone(self) -> str:
        return timezone.get_current_timezone_name()

    def _numbered_by_day(self, bookings: QuerySet[Booking]) -> Any:
        shown = bookings.filter(dates.within("start", self.days))
        day = dates.number_of_day("start", self.days)
        plain = shown.order_by().prefetch_related(None).select_related(None)
        return plain.annotate(day=day, group=self._group)

    @property
    def _group(self) -> Any:
        if self.period.view == "month":
            return Value(None, output_field=IntegerField(null=True))
        return F(self.by)

    @cached_property
    def _counts(self) -> dict[tuple[int | None, int], int]:
        counted = self.bookings.values("group", "day").annotate(n=Count("pk"))
        return {(row["group"], row["day"]): row["n"] for row in counted}

    @cached_property
    def _entries(self) -> dict[tuple[int | None, int], list[Entry]]:
        bookings = self.bookings
        if self.period.view == "week":
            keys = [key for key, _name in self.page]
            known = Q(group__in=[key for key in keys if key is not None])
            bookings = bookings.filter(
                known | Q(group__isnull=True) if None in keys else known
            )
        place = WindowExpression(
            RowNumber(), partition_by=[F("group"), F("day")], order_by=["start", "pk"]
        )
        first = bookings.annotate(place=place).filter(place__lte=SHOWN)
        names = ["pk", "start", "end", "status", "group", "day"]
        names += ["title"] if self.people else ["event_type__title", "event_type__slug"]
        entries = defaultdict(list)
        for row in first.order_by("start", "pk").values(*names):
            entries[row["group"], row["day"]].append(self._entry(row))
        return entries

    def _entry(self, row: dict[str, Any]) -> Entry:
        start = timezone.localtime(row["start"])
        return Entry(
            url=reverse("admin:cal_bookings_booking_change", args=[row["pk"]]),
            time=date_format(start, "TIME_FORMAT"),
            start=start.isoformat(),
            text=_text(row),
            status=formatting.status_class(row["status"]),
            status_text=str(formatting.status_text(row["status"])),
        )

    def _group_row(self, key: int | None, name: str) -> Row:
        return Row(name, [self._cell(key, n) for n in range(len(self.days))])

    def _weeks(self) -> list[Row]:
        weeks = range(0, len(self.days), 7)
        return [
            Row(
                _("Week of %(day)s") % {"day": date_format(self.days[first], "j M")},
                [self._cell(None, first + n) for n in range(7)],
            )
            for first in weeks
        ]

    def _cell(self, key: int | None, number: int) -> Cell:
        day = self.days[number]
        entries = self._entries.get((key, number), [])
        month = self.period.view == "month"
        return Cell(
            day=day,
            entries=entries,
            more=self._counts.get((key, number), 0) - len(entries),
            more_url=self._list_of(key, day),
            is_today=day == timezone.localdate(),
            is_outside=month and day.month != self.period.chosen.month,
        )

    def _list_of(self, key: int | None, day: dt.date) -> str:
        """Return the address of the list of a cell's bookings, with the filters of the calendar."""
        query = self.query.copy()
        for name in (*PARAMETERS, "p"):
            query.pop(name, None)
        for part in DATE_PARTS:
            query[f"start__{part}"] = str(getattr(day, part))
        if self.period.view == "week":
            lookup = f"{self.by}__id__exact" if key else f"{self.by}__isnull"
            query[lookup] = str(key or True)
        return f"{reverse('admin:cal_bookings_booking_changelist')}?{query.urlencode()}"


def _text(row: Mapping[str, Any]) -> str:
    """Return the title if it was read, else the name of the event type; the primary key if there is neither."""
    names = ("title", "event_type__title", "event_type__slug")
    text = next((row[name] for name in names if row.get(name)), "")
    return text or str(Booking(pk=row["pk"]))


def pages(calendar: Calendar, changelist: ChangeList) -> Iterator[dict[str, Any]]:
    """Yield the links to the other pages of the week's hosts or event types."""
    here = calendar.page
    for number in here.paginator.page_range:
        url = changelist.get_query_string({"p": number})
        yield {"text": number, "url": url, "current": number == here.number}


def links(calendar: Calendar, changelist: ChangeList) -> Iterator[dict[str, Any]]:
    """Yield the links to other parts of the calendar, which keep the filters."""
    period = calendar.period

    def link(text: str, *, current: bool = False, **parameters: Any) -> dict[str, Any]:
        query = changelist.get_query_string(parameters)
        return {"text": text, "url": query, "current": current}

    week, month = period.view == "week", period.view == "month"
    today = timezone.localdate()
    yield link(_("Previous"), date=period.previous)
    yield link(_("Today"), date=today, current=today == period.chosen)
    yield link(_("Next"), date=period.next)
    yield link(_("Week"), view="week", current=week)
    yield link(_("Month"), view="month", current=month)
    if week:
        yield link(_("By host"), by="hosts", current=calendar.by == "hosts")
        yield link(
            _("By event type"), by="event_type", current=calendar.by == "event_type"
        )
