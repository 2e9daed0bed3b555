"""The list and the pages of accounts."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import EmptyFieldListFilter
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from cal_bookings import budget, conf
from cal_bookings.admin import formatting
from cal_bookings.admin.accounts import connection_form
from cal_bookings.admin.accounts.connection_form import AccountForm
from cal_bookings.admin.accounts.key_replacement import PERMISSION as MAY_REPLACE
from cal_bookings.admin.accounts.key_replacement import KeyReplacementMixin
from cal_bookings.admin.accounts.pauses import PERMISSION as MAY_PAUSE
from cal_bookings.admin.accounts.pauses import (
    PauseMixin,
    back,
)
from cal_bookings.admin.accounts.webhook_buttons import WebhookMixin
from cal_bookings.admin.base import ReadOnlyAdmin
from cal_bookings.models import Account


@admin.register(Account)
class AccountAdmin(PauseMixin, WebhookMixin, KeyReplacementMixin, ReadOnlyAdmin):
    """The admin of accounts. It shows where a credential is kept, and reads no credential to show an account."""

    add_fieldsets = [(None, {"fields": ["alias", "base_url", "scope", "api_key"]})]

    list_display = [
        "alias",
        "is_active",
        "base_url",
        "credential_from",
        "email",
        "paused_until",
    ]
    list_filter = [
        "is_active",
        ("paused_at", EmptyFieldListFilter),
        ("circuit_open_until", EmptyFieldListFilter),
    ]
    search_fields = ["alias", "email"]
    fields = [
        "alias",
        "is_active",
        "base_url",
        "scope",
        "credential_from",
        "email",
        "remote_id",
        "dialect",
        "paused_until",
        "paused_at",
        "why_paused",
        "webhooks",
        "created_at",
        "its_bookings",
    ]
    readonly_fields = [
        "credential_from",
        "paused_until",
        "paused_at",
        "why_paused",
        "webhooks",
        "created_at",
        "its_bookings",
    ]

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        name = "cal_bookings_account_test"
        return [path("<int:pk>/test/", test, name=name), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_form(
        self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        if obj is None:
            return AccountForm
        return super().get_form(request, obj, *args, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else []

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask Cal.com for the owner of the account's credential, and show the owner."""
        if not request.user.has_perm("cal_bookings.sync_account"):
            raise PermissionDenied
        account = get_object_or_404(Account.objects.without_credentials(), pk=pk)
        if account.circuit_open_until and not account.is_paused_by_hand:
            budget.reset(account)  # the person who presses it wants a result now
        try:
            owner = connection_form.probe(account)
        except ValidationError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            message = gettext(
                "Cal.com answers: the credential of %(account)s is %(user)s's."
            )
            names = {"account": account, "user": owner}
            self.message_user(request, message % names, messages.SUCCESS)
        if account.is_paused_by_hand:
            message = gettext("%s stays paused.") % account
            self.message_user(request, message, messages.WARNING)
        return back(request, pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = (extra_context or {}) | {
            "may_sync": request.user.has_perm("cal_bookings.sync_account"),
            "may_pause": request.user.has_perm(MAY_PAUSE),
            "may_replace": request.user.has_perm(MAY_REPLACE),
            "aliases_of_settings": conf.aliases(),
        }
        return super().change_view(request, object_id, form_url, context)

    @method_decorator(sensitive_post_parameters("api_key"))
    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    def get_queryset(self, request: HttpRequest) -> Any:
        stored = ExpressionWrapper(~Q(credentials=""), output_field=BooleanField())
        accounts: Any = super().get_queryset(request)
        return accounts.without_credentials().annotate(stores_credential=stored)

    @admin.display(description=_("paused until"), ordering="circuit_open_until")
    def paused_until(self, account: Account) -> Any:
        return formatting.paused_until(account)

    @admin.display(description=_("paused because"))
    def why_paused(self, account: Account) -> str:
        return account.why_paused or "-"

    @admin.display(description=_("credential from"))
    def credential_from(self, account: Any) -> Any:
        if account.alias in conf.aliases():
            return _("settings")
        return _("database") if account.stores_credential else _("none")

    @admin.display(description=_("bookings"))
    def its_bookings(self, account: Account) -> SafeString:
        return formatting.bookings_link(_("Show"), account__id__exact=account.pk)
