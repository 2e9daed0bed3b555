"""The page of the calendar: its address, its permission, and the list's filters beside the calendar."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from cal_bookings.admin.bookings.booking_filters import is_about_dates
from cal_bookings.admin.calendar.grid import (
    Calendar,
    FilteredBookings,
    Period,
    links,
    pages,
)


class CalendarMixin(admin.ModelAdmin):
    """A mixin that adds ``admin:cal_bookings_booking_calendar``."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.calendar_view)
        name = "cal_bookings_booking_calendar"
        return [path("calendar/", view, name=name), *super().get_urls()]

    def calendar_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            filtered = self._filtered(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(request.path)
        period = Period.asked_for(request.GET)
        calendar = Calendar(filtered.queryset, period, request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": _("Calendar: %(period)s") % {"period": period},
            "calendar": calendar,
            "cl": filtered,
            "links": list(links(calendar, filtered)),
            "pages": list(pages(calendar, filtered)),
            "list_query": filtered.get_query_string(remove=["date", "view", "by"]),
        }
        template = "admin/cal_bookings/booking/calendar.html"
        return TemplateResponse(request, template, context)

    def _filtered(self, request: HttpRequest) -> Any:
        declared = self.get_list_filter(request)
        filters = [item for item in declared if not is_about_dates(item)]
        asked: Any = {
            "list_display": self.list_display,
            "list_display_links": self.list_display_links,
            "list_filter": filters,
            "date_hierarchy": None,
            "search_fields": self.search_fields,
            "list_select_related": False,
            "list_per_page": self.list_per_page,
            "list_max_show_all": self.list_max_show_all,
            "list_editable": (),
            "model_admin": self,
            "sortable_by": [],
            "search_help_text": "",
        }
        return FilteredBookings(request, self.model, **asked)
