"""The lists and the pages of event types and hosts."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from cal_bookings.admin import formatting
from cal_bookings.admin.base import OfAccountAdmin
from cal_bookings.admin.filters import AccountFilter
from cal_bookings.models import EventType, Host


@admin.register(EventType)
class EventTypeAdmin(OfAccountAdmin):
    list_display = ["__str__", "slug", "length_minutes", "remote_id", "account"]
    list_filter = [AccountFilter]
    search_fields = ["title", "slug"]
    ordering = ["slug", "pk"]
    fields = [
        "title",
        "slug",
        "length_minutes",
        "account",
        "remote_id",
        "mirrored_at",
        "its_bookings",
        "pretty_payload",
    ]
    readonly_fields = ["mirrored_at", "its_bookings", "pretty_payload"]

    @admin.display(description=_("bookings"))
    def its_bookings(self, event_type: EventType) -> SafeString:
        return formatting.bookings_link(_("Show"), event_type__id__exact=event_type.pk)

    @admin.display(description=_("payload"))
    def pretty_payload(self, event_type: EventType) -> SafeString:
        return formatting.pretty(event_type.payload)


@admin.register(Host)
class HostAdmin(OfAccountAdmin):
    list_display = ["__str__", "email", "username", "time_zone", "account"]
    list_filter = [AccountFilter]
    search_fields = ["name", "email", "username"]
    ordering = ["name", "pk"]
    fields = [
        "name",
        "email",
        "username",
        "time_zone",
        "account",
        "remote_id",
        "mirrored_at",
        "its_bookings",
    ]
    readonly_fields = ["mirrored_at", "its_bookings"]

    @admin.display(description=_("bookings"))
    def its_bookings(self, host: Host) -> SafeString:
        return formatting.bookings_link(_("Show"), hosts__id__exact=host.pk)
