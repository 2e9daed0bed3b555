"""The buttons that pause and resume the requests of an account by hand."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cal_bookings import budget, db
from cal_bookings.models import Account

PERMISSION = "cal_bookings.pause_account"


class PauseMixin(admin.ModelAdmin):
    """A mixin that adds ``admin:cal_bookings_account_pause`` and ``_resume``, to which the buttons post."""

    def get_urls(self) -> list[URLPattern]:
        return [
            self._button("pause", self.pause_view),
            self._button("resume", self.resume_view),
            *super().get_urls(),
        ]

    def _button(self, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
        wrapped = self.admin_site.admin_view(require_POST(view))
        return path(f"<int:pk>/{name}/", wrapped, name=f"cal_bookings_account_{name}")

    def pause_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        account = _asked_for(request, pk)
        if account.is_paused_by_hand:
            message = _("%s was paused already.") % account
        else:
            person = request.user.get_username()
            with db.atomic():
                budget.pause(account, by=person)
                _log(request, account, _("Paused: no more requests to Cal.com."))
            message = _("%s is paused: no requests to Cal.com until it is resumed.")
            message %= account
        self.message_user(request, message, messages.SUCCESS)
        return back(request, pk)

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        account = _asked_for(request, pk)
        if not (account.circuit_open_until or account.is_paused_by_hand):
            message = _("%s was not paused.") % account
        else:
            with db.atomic():
                budget.reset(account)
                _log(request, account, _("Resumed: requests to Cal.com again."))
            message = (
                _("%s is resumed: what is due is walked and sent again.") % account
            )
        self.message_user(request, message, messages.SUCCESS)
        return back(request, pk)


def back(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Return a redirect to the page whose button was pressed."""
    if request.POST.get("from") == "overview":
        return HttpResponseRedirect(reverse("admin:cal_bookings_overview"))
    page = reverse("admin:cal_bookings_account_change", args=[pk])
    return HttpResponseRedirect(page)


def _asked_for(request: HttpRequest, pk: int) -> Account:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    accounts = Account.objects.without_credentials()
    return get_object_or_404(accounts, pk=pk)


def _log(request: HttpRequest, account: Account, message: str) -> None:
    user: Any = request.user
    LogEntry.objects.log_actions(
        user.pk, [account], CHANGE, message, single_object=True
    )
