"""The form that connects an account. The key is tried, then stored encrypted, and never shown again."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from cal_bookings import budget, client, conf, servers
from cal_bookings.budget import advice
from cal_bookings.models import Account
from cal_bookings.models.encryption import fernet
from cal_bookings.sync import ownership

PATIENCE = 10  # seconds a person waits for a turn under the rate limit


T = TypeVar("T")


def probe(account: Account) -> ownership.Owner:
    """Return the owner of the account's credential. Makes one request; raises ValidationError with the cure."""
    return _ask(account, lambda connection: ownership.Owner.of(connection.me()))


def check_reach(account: Account) -> None:
    """Check that the account's credential reaches the bookings of its scope; else raise ValidationError.

    Makes one or two requests.
    """
    _ask(
        account,
        lambda connection: servers.list_bookings(
            account, connection, page_size=1, learns=False
        ),
    )


def check_encryption() -> None:
    """Check, before a key is sent anywhere, that it could be stored; else raise ValidationError."""
    try:
        fernet()
    except ImproperlyConfigured as error:
        raise ValidationError(str(error)) from None


def _ask(account: Account, question: Callable[[client.CalClient], T]) -> T:
    try:
        with budget.connect(
            account,
            priority=budget.Priority.ACTION,
            max_wait=PATIENCE,
            though_paused=account.is_paused_by_hand,
        ) as connection:
            return question(connection)
    except (client.CalError, budget.NotNow, ImproperlyConfigured, ValueError) as error:
        message = advice.explain(account, error, advice.Operation.QUESTION)
        raise ValidationError(str(message)) from None


class ApiKeyField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(
            label=_("API key"),
            widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
            help_text=_("It is tried before it is stored, and never shown again."),
        )


class AccountForm(forms.ModelForm):
    """The form of a new account. It is valid only if Cal.com accepts the key."""

    api_key = ApiKeyField()

    class Meta:
        model = Account
        fields = ["alias", "base_url", "scope"]
        help_texts = {
            "base_url": _(
                "https://api.cal.com/v2, https://api.cal.eu/v2, or that of your own server."
            ),
            "scope": _(
                'Which bookings: {} for those of the key\'s owner, or for example {"organization": 12, "team": 34}.'
            ),
        }

    def clean_alias(self) -> str:
        alias: str = self.cleaned_data["alias"]
        if alias in conf.aliases():
            raise ValidationError(_("The settings define an account of this name."))
        return alias

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"].rstrip("/")
        problem = conf.stored_base_url_problem(url)
        if problem:
            raise ValidationError(gettext("The base URL %s.") % problem)
        return url

    def clean_scope(self) -> dict[str, int]:
        scope: Any = self.cleaned_data["scope"] or {}
        known = conf.SCOPE_KEYS
        if not isinstance(scope, dict) or not known.issuperset(scope):
            raise ValidationError(
                gettext("Enter a JSON object whose keys are any of: %s.")
                % ", ".join(sorted(known))
            )
        if not all(type(number) is int for number in scope.values()):
            raise ValidationError(_("Use Cal.com's numeric ids as values."))
        return scope

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            self._try(cleaned)
        return cleaned

    @sensitive_variables()
    def _try(self, cleaned: dict[str, Any]) -> None:
        self.instance.alias = cleaned["alias"]
        self.instance.base_url = cleaned["base_url"]
        self.instance.scope = cleaned["scope"]
        self.instance.credentials = {"API_KEY": cleaned["api_key"].strip()}
        check_encryption()
        owner = probe(self.instance)
        if twin := ownership.twin_of(self.instance, owner):
            raise ValidationError(ownership.mirrored_twice(self.instance, twin).lazy)
        self.instance.remote_id, self.instance.email = owner.remote_id, owner.email
