"""What belongs to a booking: its attendees and its changes, as lists of their own and on the booking's page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from cal_bookings.admin import display, privacy, search
from cal_bookings.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from cal_bookings.models import Attendee, BookingChange


class OfBookingAdmin(ReadOnlyAdmin):
    """For models with a `booking`: loads no more of it than its name."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        booking = ["booking__uid", "booking__title", "booking__start"]
        own = [field.attname for field in self.opts.concrete_fields]
        return (
            super()
            .get_queryset(request)
            .select_related("booking")
            .only(*own, "booking", *booking)
        )


@admin.register(Attendee)
class AttendeeAdmin(OfBookingAdmin):
    list_display = ["who", "email", "phone_number", "absent", "booking", "start"]
    list_filter = ["absent"]
    search_fields = ["name", "email"]
    search_help_text = _("An e-mail address or its beginning, or words of the name.")
    ordering = ["-pk"]
    fields = [
        "name",
        "email",
        "display_email",
        "phone_number",
        "time_zone",
        "language",
        "absent",
        "booking",
        "seat_uid",
        "pretty_responses",
        "pretty_metadata",
    ]
    readonly_fields = ["pretty_responses", "pretty_metadata"]

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet, bool]:
        return search.attendees(queryset, search_term), False

    @admin.display(description=_("name"), ordering="name")
    def who(self, attendee: Attendee) -> str:
        # Cal.com can hide everything about an attendee, and an empty cell cannot be clicked.
        return str(attendee) or "?"

    @admin.display(description=_("start"))
    def start(self, attendee: Attendee) -> Any:
        return attendee.booking.start

    @admin.display(description=_("booking form"))
    def pretty_responses(self, attendee: Attendee) -> SafeString:
        return display.pretty(attendee.booking_fields_responses)

    @admin.display(description=_("metadata"))
    def pretty_metadata(self, attendee: Attendee) -> SafeString:
        return display.pretty(attendee.metadata)


@admin.register(BookingChange)
class BookingChangeAdmin(OfBookingAdmin):
    list_display = ["changed_at", "booking", "source", "__str__"]
    list_filter = ["source"]
    date_hierarchy = "changed_at"
    fields = ["booking", "changed_at", "source", "what"]
    readonly_fields = ["what", "uid", "impersonal"]

    def get_list_display(self, request: HttpRequest) -> Any:
        if privacy.may_see_people(request):
            return self.list_display
        return ["changed_at", "uid", "source", "__str__"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if privacy.may_see_people(request):
            return self.fields
        return ["uid", "changed_at", "source", "impersonal"]

    @admin.display(description=_("booking"))
    def uid(self, change: BookingChange) -> str:
        return change.booking.uid

    @admin.display(description=_("changes"))
    def what(self, change: BookingChange) -> SafeString:
        return display.changes_table(change.changes)

    @admin.display(description=_("changes"))
    def impersonal(self, change: BookingChange) -> SafeString:
        return display.changes_table(privacy.impersonal_changes(change.changes))


class AttendeeInline(ReadOnlyInline):
    model = Attendee
    fields = [
        "name",
        "email",
        "phone_number",
        "time_there",
        "time_zone",
        "absent",
        "seat_uid",
    ]
    readonly_fields = ["time_there"]
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        own = [field.attname for field in self.opts.concrete_fields]
        attendees = super().get_queryset(request).select_related("booking")
        return attendees.only(*own, "booking__start")

    @admin.display(description=_("start there"))
    def time_there(self, attendee: Attendee) -> Any:
        """The start in the attendee's own time zone, if we know it."""
        return display.start_in(attendee.booking.start, attendee.time_zone)


class ChangeInline(ReadOnlyInline):
    model = BookingChange
    verbose_name_plural = _("history")
    fields = ["changed_at", "source", "what"]
    readonly_fields = ["what", "impersonal"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if privacy.may_see_people(request):
            return self.fields
        return ["changed_at", "source", "impersonal"]

    @admin.display(description=_("changes"))
    def what(self, change: BookingChange) -> SafeString:
        return display.changes_table(change.changes)

    @admin.display(description=_("changes"))
    def impersonal(self, change: BookingChange) -> SafeString:
        return display.changes_table(privacy.impersonal_changes(change.changes))
