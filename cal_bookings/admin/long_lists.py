"""Lists of any length: counted only so far, and with years, months and days to go further."""

import calendar
import datetime as dt
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Max, Min, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from cal_bookings.admin import (
    dates,
    visibility,
)
from cal_bookings.admin.lookups import DATE_PARTS
from cal_bookings.models import Attendee, BookingAction

BULKY = ["payload", "description", "metadata", "booking_fields_responses", "guests"]

FAILED_LATELY = dt.timedelta(days=7)


class DatedList(ChangeList):
    """Its date hierarchy costs two look-ups in an index; Django's own reads every row to see which days have any.

    An address that no filter understands leads back to the list, where Django would fail with some of them.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        asked_for = self.get_filters_params()
        if any("\0" in value for values in asked_for.values() for value in values):
            raise IncorrectLookupParameters("No database takes a NUL.")
        if self.date_hierarchy:
            self._check_date(asked_for)
        return super().get_filters(request)

    def _check_date(self, asked_for: dict[str, Any]) -> None:
        names = {part: f"{self.date_hierarchy}__{part}" for part in DATE_PARTS}
        given = {
            part: asked_for[name][-1]
            for part, name in names.items()
            if name in asked_for
        }
        if given and dates.read_parts(**{"year": "", **given}) is None:
            raise IncorrectLookupParameters("There is no such date.")

    def date_links(self) -> dict[str, Any]:
        """What Django's template of the date hierarchy shows."""
        year, month, day = map(self._chosen, ["year", "month", "day"])
        if year is None:
            years = [self._link(str(y), y) for y in self._years()]
            return {"show": len(years) > 1, "back": None, "choices": years}
        if month is None:
            choices = [self._month(year, number) for number in range(1, 13)]
            return {
                "show": True,
                "back": self._link(_("All dates")),
                "choices": choices,
            }
        if day is None:
            last = calendar.monthrange(year, month)[1]
            choices = [self._day(year, month, number) for number in range(1, last + 1)]
            return {
                "show": True,
                "back": self._link(str(year), year),
                "choices": choices,
            }
        here = {"title": self._day(year, month, day)["title"]}
        return {"show": True, "back": self._month(year, month), "choices": [here]}

    def _chosen(self, part: str) -> int | None:
        value = self.params.get(f"{self.date_hierarchy}__{part}")
        return int(value) if value else None

    def _years(self) -> range:
        name = str(self.date_hierarchy)
        found = self.model._default_manager.aggregate(first=Min(name), last=Max(name))
        if found["first"] is None:
            return range(0)
        first, last = (timezone.localtime(found[end]) for end in ("first", "last"))
        return range(first.year, last.year + 1)

    def _month(self, year: int, month: int) -> dict[str, str]:
        text = date_format(dt.date(year, month, 1), "YEAR_MONTH_FORMAT")
        return self._link(text, year, month)

    def _day(self, year: int, month: int, day: int) -> dict[str, str]:
        text = date_format(dt.date(year, month, day), "MONTH_DAY_FORMAT")
        return self._link(text, year, month, day)

    def _link(self, text: str, *parts: int) -> dict[str, str]:
        prefix = f"{self.date_hierarchy}__"
        names = [prefix + part for part in ("year", "month", "day")]
        query = self.get_query_string(dict(zip(names, parts, strict=False)), [prefix])
        return {"title": capfirst(text), "link": query}


class BookingList(DatedList):
    """Loads what the list shows; the booking's page loads everything."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet:
        """The bookings of the page with what its columns show, which depends on who looks."""
        queryset = super().get_queryset(request, *args, **kwargs)
        queryset = queryset.defer(*BULKY).prefetch_related(
            Prefetch("actions", _unfinished_and_failed(), to_attr="shown_actions")
        )
        if not visibility.may_see_people(request):
            return queryset
        shown = ["booking", "position", "name", "email", "display_email"]
        attendees = Attendee.objects.only(*shown, "phone_number")
        return queryset.prefetch_related(Prefetch("attendees", attendees))

    @property
    def calendar_query(self) -> str:
        """The filters that the calendar has too."""
        return self.get_query_string(remove=["when", "start__", "q", "o"])


def _unfinished_and_failed() -> QuerySet:
    """Open ones, and those that failed in the last week: who looks at the list wants to know."""
    failed = Q(
        status=BookingAction.Status.FAILED, ended_at__gte=timezone.now() - FAILED_LATELY
    )
    shown = BookingAction.objects.filter(
        Q(status__in=BookingAction.OPEN) | failed
    ).order_by("pk")
    return shown.only("booking", "kind", "status")
