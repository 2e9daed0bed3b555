"""The refresh of a few bookings from Cal.com while a person waits for the page."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from cal_bookings import budget, client, mirror
from cal_bookings.admin import visibility
from cal_bookings.models import Account, Booking

REFRESHED = 10  # bookings at a time, with a request each
PATIENCE = 5  # seconds a person waits for a turn under the rate limit
PERMISSION = "cal_bookings.refresh_booking"


class RefreshMixin(admin.ModelAdmin):
    """A mixin with the action `refresh`, and with ``admin:cal_bookings_booking_refresh`` for a single booking."""

    def get_urls(self) -> list[URLPattern]:
        refresh = self.admin_site.admin_view(require_POST(self.refresh_view))
        name = "cal_bookings_booking_refresh"
        return [path("<int:pk>/refresh/", refresh, name=name), *super().get_urls()]

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def refresh_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_refresh_permission(request):
            raise PermissionDenied
        if not self.has_view_permission(request):
            raise PermissionDenied
        booking = self.get_queryset(request).filter(pk=pk).first()
        if booking is None:
            raise Http404
        self.refresh(request, [booking])
        url = reverse("admin:cal_bookings_booking_change", args=[pk])
        return HttpResponseRedirect(url)

    def refresh(self, request: HttpRequest, bookings: Sequence[Booking]) -> None:
        """Read each booking, account by account, and show the results as messages."""
        of_account: dict[int, list[str]] = defaultdict(list)
        for booking in bookings:
            of_account[booking.account_id].append(booking.uid)
        read = 0
        for account in Account.objects.filter(pk__in=of_account):
            uids = of_account[account.pk]
            try:
                read += _read(account, uids)
            except (client.CalError, budget.NotNow, ImproperlyConfigured) as error:
                message = visibility.explain(account, error, request)
                self.message_user(request, message, messages.ERROR)
        if read:
            message = ngettext(
                "%d booking was read again.", "%d bookings were read again.", read
            )
            self.message_user(request, message % read, messages.SUCCESS)


def _read(account: Account, uids: list[str]) -> int:
    with budget.connect(
        account, priority=budget.Priority.REFRESH, max_wait=PATIENCE
    ) as connection:
        for uid in uids:
            mirror.refresh(account, uid, connection=connection)
    return len(uids)


@admin.action(description=_("Refresh from Cal.com"), permissions=["refresh"])
def refresh(model_admin: RefreshMixin, request: HttpRequest, queryset: Any) -> None:
    bookings = list(queryset[: REFRESHED + 1])
    if len(bookings) > REFRESHED:
        message = gettext(
            "At most %d bookings are read again at a time: select fewer, or sync the account from the overview."
        )
        model_admin.message_user(request, message % REFRESHED, messages.ERROR)
        return
    model_admin.refresh(request, bookings)
