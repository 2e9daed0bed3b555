"""The list and the pages of slot reservations, present and past."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from cal_bookings.admin.base import OfAccountAdmin
from cal_bookings.admin.filters import AccountFilter
from cal_bookings.models import SlotReservation


@admin.register(SlotReservation)
class SlotReservationAdmin(OfAccountAdmin):
    list_display = [
        "start",
        "duration",
        "account",
        "event_type_remote_id",
        "state",
        "until",
        "reserved_by",
        "action",
    ]
    list_filter = ["state", AccountFilter]
    date_hierarchy = "reserved_at"
    fields = [
        "account",
        "event_type_remote_id",
        ("start", "duration"),
        "state",
        "until",
        "reserved_by",
        "action",
        "uid",
        ("reserved_at", "ended_at"),
        ("attempts", "next_attempt_at"),
        "last_error",
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        # Users are not joined, because they may be in another database.
        rows = super().get_queryset(request)
        return rows.prefetch_related("reserved_by", "action")
