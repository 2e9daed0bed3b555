"""The replacement of the key of an account in the database by another key of the same user or organization."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import (
    ImproperlyConfigured,
    PermissionDenied,
    ValidationError,
)
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import (
    sensitive_post_parameters,
    sensitive_variables,
)

from cal_bookings import budget, conf, db
from cal_bookings.admin.accounts import connection_form
from cal_bookings.models import Account, Host, SyncState
from cal_bookings.sync import ownership

PERMISSION = "cal_bookings.change_account"


class NewKeyForm(forms.Form):
    """The form of a new key, valid only if Cal.com accepts the key and it reaches the account's mirrored bookings."""

    api_key = connection_form.ApiKeyField()

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        self.owner: ownership.Owner | None = None

    @sensitive_variables()
    def clean_api_key(self) -> str:
        key: str = self.cleaned_data["api_key"].strip()
        connection_form.check_encryption()
        # This instance is never saved: a failure with the new key is no failure of the stored key.
        trial = Account(
            alias=self.account.alias,
            base_url=self.account.base_url,
            scope=self.account.scope,
            dialect=self.account.dialect,
            credentials={"API_KEY": key},
        )
        self.owner = connection_form.probe(trial)
        _check_owner(self.account, self.owner)
        if self.account.scope:
            connection_form.check_reach(trial)
        return key


class KeyReplacementMixin(admin.ModelAdmin):
    """A mixin that adds ``admin:cal_bookings_account_replace_key``, for people who may change accounts."""

    def get_urls(self) -> list[URLPattern]:
        guarded = sensitive_post_parameters("api_key")(self.replace_key_view)
        view = self.admin_site.admin_view(guarded)
        name = "cal_bookings_account_replace_key"
        return [path("<int:pk>/replace-key/", view, name=name), *super().get_urls()]

    @sensitive_variables("form")
    def replace_key_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        account = get_object_or_404(Account, pk=pk)
        page = reverse("admin:cal_bookings_account_change", args=[pk])
        if account.alias in conf.aliases():
            self.message_user(request, in_settings(account), messages.ERROR)
            return HttpResponseRedirect(page)
        form = NewKeyForm(account, request.POST or None)
        if form.is_valid() and form.owner:
            with db.atomic():
                _store(account, form.cleaned_data["api_key"], form.owner)
                user: Any = request.user
                LogEntry.objects.log_actions(
                    user.pk,
                    [account],
                    CHANGE,
                    _("Replaced the key."),
                    single_object=True,
                )
            message = _(
                "The new key of %(account)s is stored. It belongs to %(owner)s."
            )
            names = {"account": account, "owner": form.owner}
            self.message_user(request, message % names, messages.SUCCESS)
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media + form.media,
            "title": _("Replace the key of %s") % account,
            "account": account,
            "form": form,
        }
        template = "admin/cal_bookings/account/replace_key.html"
        return TemplateResponse(request, template, context)


def in_settings(account: Account) -> str:
    message = _(
        "The key of %(alias)s lives in the settings: %(place)s. Change it there."
    )
    place = f'CAL_BOOKINGS["ACCOUNTS"]["{account.alias}"]'
    return message % {"alias": account, "place": place}


def _check_owner(account: Account, owner: ownership.Owner) -> None:
    """Check that the bookings of this key are those of the account; else raise ValidationError."""
    organization = account.scope.get("organization")
    if organization is not None:
        if owner.organization_id != organization:
            message = _(
                "This key belongs to %(owner)s, who is not in organization %(organization)d, whose bookings %(account)s "
                "mirrors. Make the key as somebody of that organization."
            )
            names = {"owner": owner, "organization": organization, "account": account}
            raise ValidationError(message % names)
    elif not account.scope and not _is_owner(account, owner):
        message = _(
            "This key belongs to %(owner)s, but %(account)s mirrors the bookings of %(whose)s. Make the key on Cal.com "
            "signed in as that user; to mirror those of %(owner)s, add an account of its own."
        )
        whose = account.email or account.remote_id or _("another user")
        names = {"owner": owner, "account": account, "whose": whose}
        raise ValidationError(message % names)


def _is_owner(account: Account, owner: ownership.Owner) -> bool:
    if owner.remote_id is None:
        return False
    if account.remote_id is not None:
        return account.remote_id == owner.remote_id
    # An account connected without the admin has no stored owner; the owner of bookings hosts some of them.
    hosts = Host.objects.filter(account=account)
    return not hosts.exists() or hosts.filter(remote_id=owner.remote_id).exists()


@sensitive_variables()
def _store(account: Account, key: str, owner: ownership.Owner) -> None:
    account.store_credentials({**_kept(account), "API_KEY": key})
    account.remote_id, account.email = owner.remote_id, owner.email
    account.save(update_fields=["remote_id", "email"])
    if account.circuit_open_until and not account.is_paused_by_hand:
        budget.reset(account)
    failing = SyncState.objects.filter(account=account, failures__gt=0)
    failing.update(due_at=timezone.now())


def _kept(account: Account) -> Mapping[str, Any]:
    """Return the webhook secrets that are stored beside the credential."""
    try:
        stored = dict(account.credentials)
    except ImproperlyConfigured:
        return {}
    kept = ("WEBHOOK_SECRETS", "WEBHOOK_SECRET")
    return {name: stored[name] for name in kept if name in stored}
