"""The list and the pages of actions in the outbox, with two buttons."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from cal_bookings import outbox, sentences
from cal_bookings.admin import (
    formatting,
    visibility,
)
from cal_bookings.admin.base import (
    OfAccountAdmin,
    ReadOnlyInline,
)
from cal_bookings.admin.booking_actions.forms import ACTIONS
from cal_bookings.admin.filters import AccountFilter, ChosenFilter
from cal_bookings.models import ActionAttempt, Booking, BookingAction

ERROR_LENGTH = 100  # characters in a list
RETRIABLE = (BookingAction.Status.FAILED, BookingAction.Status.WITHDRAWN)


def may_act(request: HttpRequest, action: BookingAction) -> bool:
    """Return whether this person may view bookings and do what the action does.

    Kinds that the admin itself never queues need the permission to change actions.
    """
    offered = ACTIONS.get(action.kind)
    codename = offered.permission if offered else "cal_bookings.change_bookingaction"
    return request.user.has_perms(["cal_bookings.view_booking", codename])


class AttemptInline(ReadOnlyInline):
    model = ActionAttempt
    verbose_name_plural = _("attempts")
    fields = [
        "began_at",
        "ended_at",
        "outcome",
        "sent",
        "http_status",
        "error_text",
        "request_id",
        "worker",
    ]

    readonly_fields = ["error_text"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("cal_bookings.view_bookingaction")

    @admin.display(description=_("error"))
    def error_text(self, attempt: ActionAttempt) -> str:
        return sentences.shown(attempt, "error_message") or "-"


@admin.register(BookingAction)
class BookingActionAdmin(OfAccountAdmin):
    list_display = [
        "name",
        "badge",
        "booking_link",
        "requested_by",
        "enqueued_at",
        "attempts",
        "short_error",
        "account",
    ]
    list_display_links = ["name"]
    list_filter = ["status", "kind", AccountFilter, ChosenFilter]
    sortable_by = ["name"]
    ordering = ["-pk"]
    inlines = [AttemptInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "kind",
                    "badge",
                    "booking_link",
                    "requested_by",
                    "pretty_parameters",
                    "error_text",
                    "note_text",
                    "seen_and_found",
                ]
            },
        ),
        (
            _("Delivery"),
            {
                "fields": [
                    "enqueued_at",
                    "next_attempt_at",
                    "deadline",
                    "attempts",
                    "sent_at",
                    "ended_at",
                    "result_uid",
                    "error_code",
                    "account",
                ]
            },
        ),
    ]
    readonly_fields = [
        "badge",
        "booking_link",
        "pretty_parameters",
        "error_text",
        "note_text",
        "seen_and_found",
    ]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        withdraw = wrap(require_POST(self.withdraw_view))
        requeue = wrap(require_POST(self.requeue_view))
        name = "cal_bookings_bookingaction"
        return [
            path("<int:pk>/withdraw/", withdraw, name=f"{name}_withdraw"),
            path("<int:pk>/requeue/", requeue, name=f"{name}_requeue"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).prefetch_related("requested_by")
        rows = visibility.narrowed(
            rows.select_related("booking__event_type"), request, "booking"
        )
        bulky = [f"booking__{name}" for name in Booking.BULKY]
        return rows.defer(*bulky, "booking__event_type__payload")

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._press(request, pk, outbox.withdraw, gettext("Withdrawn."))

    def requeue_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        def requeue(action: BookingAction) -> BookingAction:
            return outbox.requeue(action, requested_by=request.user)

        return self._press(request, pk, requeue, gettext("Queued again."))

    def _press(
        self,
        request: HttpRequest,
        pk: int,
        deed: Callable[[BookingAction], BookingAction],
        message: str,
    ) -> HttpResponse:
        action = get_object_or_404(self.get_queryset(request), pk=pk)
        if not (self.has_view_permission(request) and may_act(request, action)):
            raise PermissionDenied
        try:
            action = deed(action)
        except outbox.Refused as refusal:
            people = visibility.may_see_people(request)
            reason = visibility.refusal_text(refusal, people=people)
            self.message_user(request, reason, messages.ERROR)
        else:
            self.log_change(request, action, message)
            self.message_user(request, message, messages.SUCCESS)
        url = reverse("admin:cal_bookings_bookingaction_change", args=[action.pk])
        return HttpResponseRedirect(url)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        action = self.get_object(request, object_id)
        status = action.status if action and may_act(request, action) else ""
        context = {
            "may_withdraw": status == BookingAction.Status.QUEUED,
            "may_requeue": status in RETRIABLE,
        }
        return super().change_view(
            request, object_id, form_url, (extra_context or {}) | context
        )

    @admin.display(description=_("action"), ordering="pk")
    def name(self, action: BookingAction) -> str:
        return str(action)

    @admin.display(description=_("status"))
    def badge(self, action: BookingAction) -> SafeString:
        return formatting.action_badge(action)

    @admin.display(description=_("booking"))
    def booking_link(self, action: BookingAction) -> str:
        if action.booking is None:
            return "-"
        return formatting.booking_link(action.booking)

    @admin.display(description=_("error"))
    def short_error(self, action: BookingAction) -> str:
        return Truncator(self.error_text(action)).chars(ERROR_LENGTH)

    @admin.display(description=_("error"))
    def error_text(self, action: BookingAction) -> str:
        return sentences.shown(action, "error_message") or "-"

    @admin.display(description=_("note"))
    def note_text(self, action: BookingAction) -> str:
        return sentences.shown(action, "note") or "-"

    @admin.display(description=_("parameters"))
    def pretty_parameters(self, action: BookingAction) -> SafeString:
        return formatting.pretty(action.parameters)

    @admin.display(description=_("seen and found"))
    def seen_and_found(self, action: BookingAction) -> str:
        """Return both versions of the booking side by side, with the differences marked."""
        return formatting.side_by_side(action.seen, action.found)


class ActionInline(ReadOnlyInline):
    model = BookingAction
    fields = [
        "badge",
        "kind",
        "requested_by",
        "enqueued_at",
        "attempts",
        "error_text",
    ]
    readonly_fields = ["badge", "error_text"]
    show_change_link = True
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("requested_by")

    @admin.display(description=_("status"))
    def badge(self, action: BookingAction) -> SafeString:
        return formatting.action_badge(action)

    @admin.display(description=_("error"))
    def error_text(self, action: BookingAction) -> str:
        return sentences.shown(action, "error_message") or "-"
