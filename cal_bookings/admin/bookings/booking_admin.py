"""The list and the page of bookings. Fields for staff come first; fields for developers are folded."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cal_bookings.admin import (
    formatting,
    visibility,
)
from cal_bookings.admin.base import OfAccountAdmin
from cal_bookings.admin.booking_actions import pages
from cal_bookings.admin.booking_actions.pages import (
    BookingActionsMixin,
    format_selection,
)
from cal_bookings.admin.bookings import (
    refresh,
    search,
)
from cal_bookings.admin.bookings.attendees_and_changes import (
    AttendeeInline,
    ChangeInline,
)
from cal_bookings.admin.bookings.booking_filters import (
    AbsentFilter,
    ActionFilter,
    EventTypeFilter,
    HostFilter,
    MissingFilter,
    PendingFilter,
    SeriesFilter,
    StatusFilter,
    WhenFilter,
)
from cal_bookings.admin.bookings.booking_list import BookingList
from cal_bookings.admin.bookings.export import ExportMixin
from cal_bookings.admin.bookings.refresh import RefreshMixin
from cal_bookings.admin.calendar.calendar_page import CalendarMixin
from cal_bookings.admin.filters import AccountFilter
from cal_bookings.admin.outbox import ActionInline
from cal_bookings.models import Booking, Host

NAMES_SHOWN = 3  # in a cell of the list; a seated booking may have hundreds
OTHERS_SHOWN = 20  # bookings of one appointment on the page of each


@admin.register(Booking)
class BookingAdmin(
    BookingActionsMixin, RefreshMixin, ExportMixin, CalendarMixin, OfAccountAdmin
):
    list_display = [
        "status_and_actions",
        "when",
        "name",
        "event_type",
        "host_names",
        "attendee_names",
        "account",
    ]
    list_filter = [
        WhenFilter,
        StatusFilter,
        PendingFilter,
        ActionFilter,
        AbsentFilter,
        MissingFilter,
        EventTypeFilter,
        HostFilter,
        AccountFilter,
        SeriesFilter,
    ]
    actions: list[Any] = [*ExportMixin.actions, *pages.LIST_ACTIONS, refresh.refresh]
    list_display_links = ["name"]
    sortable_by = ["status_and_actions", "when"]  # the columns with an index
    list_per_page = 50  # a row costs the server a millisecond, and fits on two screens
    date_hierarchy = "start"
    ordering = ["-start", "-pk"]
    search_fields = ["uid", "title", "attendees__name", "attendees__email"]
    inlines = [AttendeeInline, ActionInline, ChangeInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "title",
                    "status_badge",
                    "missing_since",
                    "when",
                    "duration",
                    "location_link",
                    "event_type",
                    "event_type_gone_at",
                    "host_links",
                    "description",
                    "pretty_responses",
                ]
            },
        ),
        (
            _("Reschedules and series"),
            {
                "fields": [
                    "other_bookings",
                    "rescheduling_reason",
                    "rescheduled_by_email",
                    "series",
                ]
            },
        ),
        (
            _("How it went"),
            {
                "fields": [
                    "cancellation_reason",
                    "cancelled_by_email",
                    "absent_host",
                    "rating",
                ]
            },
        ),
        (
            _("Mirror"),
            {
                "classes": ["collapse"],
                "fields": [
                    "account",
                    "on_cal_com",
                    "uid",
                    "remote_id",
                    "event_type_remote_id",
                    "ics_uid",
                    "appointment",
                    "remote_created_at",
                    "remote_updated_at",
                    "first_seen_at",
                    "mirrored_at",
                    "api_version",
                ],
            },
        ),
        (
            _("Payload"),
            {
                "classes": ["collapse"],
                "fields": ["pretty_guests", "pretty_metadata", "pretty_payload"],
            },
        ),
    ]
    readonly_fields = [
        "status_badge",
        "when",
        "on_cal_com",
        "location_link",
        "host_links",
        "pretty_responses",
        "other_bookings",
        "series",
        "appointment",
        "pretty_guests",
        "pretty_metadata",
        "pretty_payload",
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).select_related("event_type")
        hosts = visibility.narrowed(Host.objects.all(), request)
        return rows.defer("event_type__payload").prefetch_related(
            Prefetch("hosts", hosts)
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BookingList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        changelist.search_help_text = search.help_text(
            people=visibility.may_see_people(request)
        )
        return changelist

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Return names that make Django show the search box and autocompletion; `search` decides which rows match."""
        return self.search_fields

    def search(
        self, request: HttpRequest, queryset: Any, text: str
    ) -> tuple[QuerySet, bool]:
        people = visibility.may_see_people(request)
        return search.bookings(queryset, text, people=people), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        booking = self.get_object(request, object_id)
        context = {
            "staff_actions": self.actions_for(request),
            "selection": format_selection([booking] if booking else []),
            "may_refresh": request.user.has_perm("cal_bookings.refresh_booking"),
        }
        return super().change_view(
            request, object_id, form_url, (extra_context or {}) | context
        )

    @admin.display(description=_("title"))
    def name(self, booking: Booking) -> str:
        return str(booking)

    @admin.display(description=_("status"))
    def status_badge(self, booking: Booking) -> SafeString:
        return formatting.status_badge(booking.status)

    @admin.display(description=_("when"), ordering="start")
    def when(self, booking: Booking) -> SafeString:
        return formatting.when(booking)

    @admin.display(description=_("status"), ordering="status")
    def status_and_actions(self, booking: Any) -> SafeString:
        """Return the status, with the open actions and those that failed lately."""
        actions = format_html_join(
            "",
            "<br>{}",
            ((formatting.action_link(action),) for action in booking.shown_actions),
        )
        return format_html("{}{}", formatting.status_badge(booking.status), actions)

    @admin.display(description=_("hosts"))
    def host_names(self, booking: Booking) -> str:
        return _some(booking.hosts.all())

    @admin.display(description=_("attendees"))
    def attendee_names(self, booking: Booking) -> str:
        return _some(booking.attendees.all())

    @admin.display(description=_("hosts"))
    def host_links(self, booking: Booking) -> str:
        hosts = [
            (reverse("admin:cal_bookings_host_change", args=[host.pk]), host)
            for host in booking.hosts.all()
        ]
        return format_html_join(", ", '<a href="{}">{}</a>', hosts) or "-"

    @admin.display(description=_("location"))
    def location_link(self, booking: Booking) -> str:
        if not booking.location.startswith(("https://", "http://")):
            return booking.location or "-"
        return format_html(
            '<a href="{0}" rel="noopener noreferrer">{0}</a>', booking.location
        )

    @admin.display(description=_("appointment"))
    def other_bookings(self, booking: Booking) -> str:
        """Return the chain of reschedules, oldest first, with this booking in its place."""
        chain = Booking.objects.filter(
            account=booking.account_id, appointment=booking.appointment
        ).order_by("remote_created_at", "pk")
        rows = [
            (
                self._link(other) if other.pk != booking.pk else _this(other),
                formatting.status_badge(other.status),
                _when_made(other),
            )
            for other in chain.only("start", "status", "remote_created_at")[
                :OTHERS_SHOWN
            ]
        ]
        if len(rows) < 2:
            return "-"
        header = [gettext("start"), gettext("status"), gettext("booked at")]
        return formatting.table(header, rows)

    @admin.display(description=_("on Cal.com"))
    def on_cal_com(self, booking: Booking) -> str:
        page = formatting.page_on_cal_com(booking)
        if page is None:
            return "-"
        return format_html('<a href="{0}" rel="noopener noreferrer">{0}</a>', page)

    @admin.display(description=_("series"))
    def series(self, booking: Booking) -> str:
        if not booking.recurring_booking_uid:
            return "-"
        return formatting.bookings_link(
            _("All bookings of the series"), series=booking.pk
        )

    @admin.display(description=_("booking form"))
    def pretty_responses(self, booking: Booking) -> SafeString:
        return formatting.pretty(booking.booking_fields_responses)

    @admin.display(description=_("guests"))
    def pretty_guests(self, booking: Booking) -> SafeString:
        return formatting.pretty(booking.guests)

    @admin.display(description=_("metadata"))
    def pretty_metadata(self, booking: Booking) -> SafeString:
        return formatting.pretty(booking.metadata)

    @admin.display(description=_("payload"))
    def pretty_payload(self, booking: Booking) -> SafeString:
        return formatting.pretty(booking.payload)

    def _link(self, booking: Booking) -> SafeString:
        url = reverse("admin:cal_bookings_booking_change", args=[booking.pk])
        start = date_format(timezone.localtime(booking.start), "DATETIME_FORMAT")
        return format_html('<a href="{}">{}</a>', url, start)


def _this(booking: Booking) -> SafeString:
    start = date_format(timezone.localtime(booking.start), "DATETIME_FORMAT")
    return format_html('<strong aria-current="true">{}</strong>', start)


def _when_made(booking: Booking) -> str:
    if booking.remote_created_at is None:
        return "-"
    return formatting.day_and_time(timezone.localtime(booking.remote_created_at))


def _some(people: Iterable[Any]) -> str:
    names = [str(person) or "?" for person in people]
    more = len(names) - NAMES_SHOWN
    shown = ", ".join(names[:NAMES_SHOWN])
    if more <= 0:
        return shown or "-"
    return ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {
        "names": shown,
        "n": more,
    }
