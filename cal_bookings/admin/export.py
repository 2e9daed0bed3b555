"""The selected bookings as a file: CSV for spreadsheets, iCalendar for calendars. Holds what its reader may see."""

import csv
import io
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cal_bookings.admin import privacy
from cal_bookings.models import Booking

EXPORTED = 10_000  # bookings in one file; built in memory, so that a failure is an error page and not half a file


class Exports(admin.ModelAdmin):
    """The two actions; both take what staff may view."""

    actions = ["export_csv", "export_ical"]

    @admin.action(description=_("Export as CSV"), permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        if not self._fits(request, queryset):
            return None
        file = io.StringIO()
        # With a byte order mark, by which Excel knows UTF-8.
        file.write("\N{BYTE ORDER MARK}")
        writer = csv.writer(file)
        people = privacy.may_see_people(request)
        writer.writerow(_header(people=people))
        for booking in queryset:
            writer.writerow(map(inert, _row(booking, people=people)))
        return _attachment(file.getvalue(), "text/csv; charset=utf-8", "bookings.csv")

    def has_export_ical_permission(self, request: HttpRequest) -> bool:
        """Whether iCalendar is offered: it needs a library (extra `ical`) that staff cannot install."""
        is_installed = find_spec("icalendar") is not None
        return is_installed and self.has_view_permission(request)

    @admin.action(description=_("Export as iCalendar"), permissions=["export_ical"])
    def export_ical(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        if not self._fits(request, queryset):
            return None
        from cal_bookings.admin import ical

        content = ical.calendar(queryset, people=privacy.may_see_people(request))
        return _attachment(content, "text/calendar; charset=utf-8", "bookings.ics")

    def _fits(self, request: HttpRequest, queryset: QuerySet) -> bool:
        if queryset.order_by()[: EXPORTED + 1].count() <= EXPORTED:
            return True
        told = gettext(
            "One file holds at most %d bookings: narrow the list with its filters, or select page by page."
        )
        self.message_user(request, told % EXPORTED, messages.ERROR)
        return False


def inert(value: Any) -> str:
    """Text that no spreadsheet takes for a formula: attendees choose their names, and staff open the file."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _header(*, people: bool) -> list[str]:
    names = ["uid", "status", "start", "end", "duration", "event type", "hosts"]
    names += ["account", "missing since"]
    return [*names, "title", "attendees", "location"] if people else names


def _row(booking: Booking, *, people: bool) -> Iterator[Any]:
    yield booking.uid
    yield booking.status
    yield timezone.localtime(booking.start).isoformat()
    yield timezone.localtime(booking.end).isoformat()
    yield booking.duration
    yield booking.event_type or ""
    yield _addresses(booking.hosts.all())
    yield booking.account
    yield booking.missing_since.isoformat() if booking.missing_since else ""
    if people:
        yield booking.title
        yield _addresses(booking.attendees.all())
        yield booking.location


def _addresses(people: Iterable[Any]) -> str:
    return ", ".join(
        f"{one.name} <{one.email}>" if one.email else str(one) for one in people
    )


def _attachment(content: str | bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
