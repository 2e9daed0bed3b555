"""The page of the overview, and its button."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cal_bookings import conf
from cal_bookings.admin.accounts.pauses import PERMISSION as MAY_PAUSE
from cal_bookings.admin.sync_health.overview import Overview
from cal_bookings.models import Account, SyncState


class OverviewMixin(admin.ModelAdmin):
    """A mixin that adds ``admin:cal_bookings_overview``, for people who may view sync states."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        sync_now = wrap(require_POST(self.sync_now_view))
        return [
            path("overview/", wrap(self.overview_view), name="cal_bookings_overview"),
            path("overview/sync-now/<int:pk>/", sync_now, name="cal_bookings_sync_now"),
            *super().get_urls(),
        ]

    def overview_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": _("Overview"),
            "overview": Overview(),
            "may_sync": request.user.has_perm("cal_bookings.sync_account"),
            "has_workers": conf.get("WORKER") is not None,
            "may_test": request.user.has_perm("cal_bookings.view_account"),
            "may_pause": request.user.has_perm(MAY_PAUSE),
            "may_see_actions": request.user.has_perm("cal_bookings.view_bookingaction"),
        }
        return TemplateResponse(request, "admin/cal_bookings/overview.html", context)

    def sync_now_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make all loops of the account due."""
        if not request.user.has_perm("cal_bookings.sync_account"):
            raise PermissionDenied
        account = get_object_or_404(
            Account.objects.active().without_credentials(), pk=pk
        )
        SyncState.objects.filter(account=account).update(due_at=timezone.now())
        message = _(
            "All loops of %(account)s are due now: the next free worker walks them."
        )
        level = messages.SUCCESS
        if conf.get("WORKER") is None:
            message = _(
                "This site has no workers: run manage.py cal_sync --account %(account)s."
            )
            level = messages.WARNING
        if account.is_paused_by_hand:
            message = _(
                "All loops of %(account)s are due, but it is paused: they are walked when it is resumed."
            )
            level = messages.WARNING
        self.message_user(request, message % {"account": account}, level)
        return HttpResponseRedirect(reverse("admin:cal_bookings_overview"))
