"""The list and the pages of webhook deliveries."""

from typing import ClassVar

from django.contrib import admin

from cal_bookings.admin.base import OfAccountAdmin
from cal_bookings.admin.filters import AccountFilter
from cal_bookings.models import WebhookDelivery


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(OfAccountAdmin):
    list_display = [
        "received_at",
        "trigger",
        "uid",
        "state",
        "outcome",
        "attempts",
        "receipts",
        "processed_at",
        "account",
    ]
    list_filter = ["state", "outcome", AccountFilter]
    search_fields = ["uid"]
    ordering = ["-pk"]
    sortable_by: ClassVar[list[str]] = []
    fields = [
        "account",
        ("trigger", "version"),
        "uid",
        "old_uid",
        "seat_uid",
        "mark",
        "rejection_reason",
        ("happened_at", "received_at"),
        ("receipts", "last_received_at"),
        ("state", "outcome"),
        ("attempts", "next_attempt_at", "processed_at"),
        "error",
    ]
