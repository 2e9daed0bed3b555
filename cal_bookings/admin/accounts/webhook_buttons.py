"""The webhooks on an account's page: their state, and the buttons that subscribe, test, rotate and remove."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from cal_bookings import budget, client
from cal_bookings.admin.accounts.pauses import back
from cal_bookings.budget import advice
from cal_bookings.models import Account
from cal_bookings.webhooks import (
    account_secrets,
    refusals,
    subscriptions,
    summary,
    trials,
)

PERMISSION = "cal_bookings.change_account"

_RESULTS = {
    "created": gettext_lazy("%s is subscribed to Cal.com's webhooks."),
    "mended": gettext_lazy("The webhook of %s is mended."),
    "unchanged": gettext_lazy("The webhook of %s is as it should be."),
}


class WebhookMixin(admin.ModelAdmin):
    """A mixin that adds ``admin:cal_bookings_account_webhooks``, to which the buttons post."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.webhooks_view))
        name = "cal_bookings_account_webhooks"
        return [path("<int:pk>/webhooks/", view, name=name), *super().get_urls()]

    def webhooks_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do what the pressed button names. Makes requests to Cal.com; "test" makes a request to this site."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        account = get_object_or_404(Account, pk=pk)
        buttons: dict[str, Callable[[Account], str]] = {
            "ensure": _ensure,
            "test": _test,
            "rotate": _rotate,
            "remove": _remove,
        }
        work = buttons.get(request.POST.get("webhooks", ""))
        if work:
            self._do(request, account, work)
        return back(request, pk)

    def _do(
        self, request: HttpRequest, account: Account, work: Callable[[Account], str]
    ) -> None:
        try:
            result = work(account)
        except trials.TrialFailed as error:
            self.message_user(request, str(error), messages.ERROR)
        except (client.CalError, budget.NotNow, ImproperlyConfigured) as error:
            question = advice.Operation.QUESTION
            # The server's words are not shown: an account of the database may name a server that is not Cal.com.
            message = advice.explain(account, error, question)
            self.message_user(request, str(message), messages.ERROR)
        else:
            _log(request, account, result)
            self.message_user(request, result, messages.SUCCESS)

    @admin.display(description=gettext_lazy("webhooks"))
    def webhooks(self, account: Account) -> str:
        """Return a sentence each on received, waiting and refused deliveries. Makes a few queries."""
        found = summary.of(account)
        sentences = [_arrivals(found)]
        if found.waiting:
            sentences.append(
                ngettext("%d delivery waits.", "%d deliveries wait.", found.waiting)
                % found.waiting
            )
        if found.refused >= refusals.MANY:
            sentence = _(
                "%d deliveries were refused in the last hours, because of their signature: the secret on Cal.com is another "
                "one, or something in front of this site changes the body."
            )
            sentences.append(sentence % found.refused)
        return " ".join(sentences)


def _arrivals(found: summary.Summary) -> str:
    if found.last_received_at is None:
        return _("Nothing has arrived yet.") if found.is_expected else _("Not used.")
    sentence = _("The last delivery arrived at %(time)s UTC.")
    return sentence % {"time": f"{found.last_received_at:%Y-%m-%d %H:%M:%S}"}


def _owner(account: Account) -> client.WebhookOwner:
    return subscriptions.default_owner(account)


def _ensure(account: Account) -> str:
    return _result(account, subscriptions.ensure(account, _owner(account)))


def _test(account: Account) -> str:
    trials.run(account)
    return _("A test delivery for %s arrived through the public address.") % account


def _rotate(account: Account) -> str:
    if account_secrets.are_in_settings(account):
        raise ImproperlyConfigured(
            _("The secret of this account lives in the settings: run %s.")
            % f"manage.py cal_webhooks rotate --account {account}"
        )
    subscriptions.rotate_secret(account, _owner(account))
    return _("%s has a new webhook secret.") % account


def _remove(account: Account) -> str:
    count = subscriptions.remove(account, _owner(account))
    if not count:
        return _("No webhook of %s was found on Cal.com.") % account
    sentence = ngettext(
        "%(count)d webhook of %(account)s is removed.",
        "%(count)d webhooks of %(account)s are removed.",
        count,
    )
    return sentence % {"count": count, "account": account}


def _result(account: Account, ensured: subscriptions.Ensured) -> str:
    sentence = str(_RESULTS[ensured.result]) % account
    return f"{sentence} {subscriptions.WHY_OFF}" if ensured.was_off else sentence


def _log(request: HttpRequest, account: Account, message: str) -> None:
    user: Any = request.user
    LogEntry.objects.log_actions(
        user.pk, [account], CHANGE, message, single_object=True
    )
