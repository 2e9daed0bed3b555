"""The export of selected bookings as CSV or iCalendar. A file holds only what its reader may see."""

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cal_bookings.admin import visibility
from cal_bookings.models import Booking

EXPORTED = 10_000  # bookings in one file; built in memory, so that a failure is an error page and not half a file


class ExportMixin(admin.ModelAdmin):
    """A mixin with the two export actions, which need only the permission to view."""

    actions = ["export_csv", "export_ical"]

    @admin.action(description=_("Export as CSV"), permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        if not self._fits(request, queryset):
            return None
        file = io.StringIO()
        # The byte order mark lets Excel recognise UTF-8.
        file.write("\N{BYTE ORDER MARK}")
        writer = csv.writer(file)
        people = visibility.may_see_people(request)
        columns = visibility.visible(Booking, COLUMNS, request)
        writer.writerow(COLUMNS[name][0] for name in columns)
        for booking in queryset:
            cells = (COLUMNS[name][1](booking, people) for name in columns)
            writer.writerow(map(inert, cells))
        return _attachment(file.getvalue(), "text/csv; charset=utf-8", "bookings.csv")

    def has_export_ical_permission(self, request: HttpRequest) -> bool:
        """Return whether iCalendar is offered: its library (extra `ical`) may be missing, and staff cannot add it."""
        is_installed = find_spec("icalendar") is not None
        return is_installed and self.has_view_permission(request)

    @admin.action(description=_("Export as iCalendar"), permissions=["export_ical"])
    def export_ical(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        if not self._fits(request, queryset):
            return None
        from cal_bookings.admin.bookings import ical

        content = ical.calendar(queryset, people=visibility.may_see_people(request))
        return _attachment(content, "text/calendar; charset=utf-8", "bookings.ics")

    def _fits(self, request: HttpRequest, queryset: QuerySet) -> bool:
        if queryset.order_by()[: EXPORTED + 1].count() <= EXPORTED:
            return True
        message = gettext(
            "One file holds at most %d bookings: narrow the list with its filters, or select page by page."
        )
        self.message_user(request, message % EXPORTED, messages.ERROR)
        return False


def inert(value: Any) -> str:
    """Return text that no spreadsheet takes for a formula: attendees choose their names, and staff open the file.

    Spreadsheets of countries with a decimal comma separate cells by semicolons, and take the rest of a title
    after a semicolon for a cell of its own, even within quotes. In some, full-width signs begin a formula too.
    """
    text = _FORMULA.sub(r"\1'\2", str(value))
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) else text


#: The characters that may precede a formula in a cell: spaces of any kind, invisible characters, and quotes,
#: which a spreadsheet takes away.
_BLANK = r"[\s\"\x00-\x1f\xad\u200b-\u200f\u2060\ufeff]"
_FORMULA = re.compile(rf"(^|[;|\t\r\n])({_BLANK}*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def _local(moment: dt.datetime | None) -> str:
    return timezone.localtime(moment).isoformat() if moment else ""


def _addresses(people: Iterable[Any]) -> str:
    return ", ".join(
        f"{person.name} <{person.email}>" if person.email else str(person)
        for person in people
    )


def _hosts(booking: Booking, people: bool) -> str:  # noqa: FBT001 - as all cells
    """Return the names of the hosts, with their e-mail addresses if `people`."""
    hosts = booking.hosts.all()
    return _addresses(hosts) if people else ", ".join(map(str, hosts))


#: Heading and cell of each column of the file, by the field by which `privacy` judges who may see the column.
COLUMNS: dict[str, tuple[str, Callable[[Booking, bool], Any]]] = {
    "id": ("booking", lambda booking, _: booking.pk),
    "uid": ("uid", lambda booking, _: booking.uid),
    "status": ("status", lambda booking, _: booking.status),
    "start": ("start", lambda booking, _: _local(booking.start)),
    "end": ("end", lambda booking, _: _local(booking.end)),
    "duration": ("duration", lambda booking, _: booking.duration),
    "event_type": ("event type", lambda booking, _: booking.event_type or ""),
    "hosts": ("hosts", _hosts),
    "account": ("account", lambda booking, _: booking.account),
    "missing_since": (
        "missing since",
        lambda booking, _: _local(booking.missing_since),
    ),
    "title": ("title", lambda booking, _: booking.title),
    "attendees": ("attendees", lambda booking, _: _addresses(booking.attendees.all())),
    "location": ("location", lambda booking, _: booking.location),
}


def _attachment(content: str | bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
