"""The attendees and the changes of bookings, as lists of their own and on the booking's page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from cal_bookings.admin import (
    formatting,
    visibility,
)
from cal_bookings.admin.base import (
    ReadOnlyAdmin,
    ReadOnlyInline,
)
from cal_bookings.admin.bookings import search
from cal_bookings.models import Attendee, BookingChange
from cal_bookings.privacy import impersonal_changes


class OfBookingAdmin(ReadOnlyAdmin):
    """The base of admins whose model has a `booking`. It loads only the booking's name, if the person may see it."""

    def get_queryset(self, request: HttpRequest) -> Any:
        booking = ["booking__start"]
        booking += ["booking__title"] if visibility.may_see_people(request) else []
        own = [field.attname for field in self.opts.concrete_fields]
        rows = super().get_queryset(request).select_related("booking").defer(None)
        return rows.only(*own, "booking", *booking)


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

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person has the permission to view.

        By Django's own rule, the permission to change would show people too.
        """
        return visibility.may_see_people(request)

    def search(
        self, request: HttpRequest, queryset: Any, text: str
    ) -> tuple[QuerySet, bool]:
        return search.attendees(queryset, text), False

    @admin.display(description=_("name"), ordering="name")
    def who(self, attendee: Attendee) -> str:
        # Cal.com can hide everything about an attendee, and an empty cell cannot be clicked.
        return str(attendee) or "?"

    @admin.display(description=_("start"))
    def start(self, attendee: Attendee) -> Any:
        return attendee.booking.start

    @admin.display(description=_("booking form"))
    def pretty_responses(self, attendee: Attendee) -> SafeString:
        return formatting.pretty(attendee.booking_fields_responses)

    @admin.display(description=_("metadata"))
    def pretty_metadata(self, attendee: Attendee) -> SafeString:
        return formatting.pretty(attendee.metadata)


@admin.register(BookingChange)
class BookingChangeAdmin(OfBookingAdmin):
    list_display = ["changed_at", "booking_name", "source", "__str__"]
    list_filter = ["source"]
    date_hierarchy = "changed_at"
    readonly_fields = ["booking_name", "what", "impersonal"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["booking_name", "changed_at", "source", _changes_for(request)]

    @admin.display(description=_("booking"), ordering="booking")
    def booking_name(self, change: BookingChange) -> str:
        return str(change.booking)

    @admin.display(description=_("changes"))
    def what(self, change: BookingChange) -> SafeString:
        return formatting.changes_table(change.changes)

    @admin.display(description=_("changes"))
    def impersonal(self, change: BookingChange) -> SafeString:
        return formatting.changes_table(impersonal_changes(change.changes))


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

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return visibility.may_see_people(request)

    def get_queryset(self, request: HttpRequest) -> Any:
        own = [field.attname for field in self.opts.concrete_fields]
        attendees = super().get_queryset(request).select_related("booking")
        return attendees.only(*own, "booking__start")

    @admin.display(description=_("start there"))
    def time_there(self, attendee: Attendee) -> Any:
        """Return the start in the attendee's own time zone, if that is known."""
        return formatting.start_in(attendee.booking.start, attendee.time_zone)


class ChangeInline(ReadOnlyInline):
    model = BookingChange
    verbose_name_plural = _("history")
    readonly_fields = ["what", "impersonal"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["changed_at", "source", _changes_for(request)]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer(None)

    @admin.display(description=_("changes"))
    def what(self, change: BookingChange) -> SafeString:
        return formatting.changes_table(change.changes)

    @admin.display(description=_("changes"))
    def impersonal(self, change: BookingChange) -> SafeString:
        return formatting.changes_table(impersonal_changes(change.changes))


def _changes_for(request: HttpRequest) -> str:
    """Return the name of the display with the changes that this person may see."""
    return "what" if visibility.may_see_people(request) else "impersonal"
