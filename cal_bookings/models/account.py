"""Whose bookings we mirror: a Cal.com credential, where it is valid, and what is known of its server."""

from collections.abc import Mapping
from typing import Any, Self

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cal_bookings import conf, db
from cal_bookings.client import (
    LIST_VERSION,
    Anonymous,
    CalClient,
    Credential,
    Dialect,
    Server,
)
from cal_bookings.models.encryption import EncryptedJSONField, Sealed, seal
from cal_bookings.models.mirror_beginning import MirrorBeginning
from cal_bookings.models.pauses import CLOSED_CIRCUIT, Pausable

#: What was learnt of a server, and its value while it is not known.
LEARNT = {
    "dialect": "",
    "dialect_expires_at": None,
    "server": "",
    "has_change_filters": False,
    "change_filters_checked_at": None,
}
#: Whose bookings the account mirrors, while nobody has asked Cal.com.
NO_OWNER: dict[str, Any] = {
    "remote_id": None,
    "email": "",
    "owner_key": "",
    "source_key": None,
}


class AccountQuerySet(models.QuerySet["Account"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def without_credentials(self) -> Self:
        """Rows whose credential is not even read from the database: for lists, which never show it."""
        return self.defer("credentials", "webhook_secrets")

    def configured(self) -> Self:
        """Return the active accounts; make or correct the rows of those that the settings define.

        Opens a transaction only for one whose server or scope has changed.
        """
        for alias in conf.aliases():
            self.model.objects.mirror_settings(conf.account(alias))
        return self.active()

    def planned(self) -> "list[Account]":
        """Return what `configured` would, without writing anything: for a dry run.

        An account that the settings define for the first time is not saved; one whose server or scope they have changed
        is changed in memory only.
        """
        rows = {row.alias: row for row in self.model.objects.all()}
        for alias in conf.aliases():
            entry = conf.account(alias)
            row = rows.setdefault(alias, self.model(alias=alias))
            if (row.base_url, row.scope) != (entry.base_url, entry.scope):
                row.relocate(entry.base_url, entry.scope)
        return [rows[alias] for alias in sorted(rows) if rows[alias].is_active]

    def rename(self, alias: str, new_alias: str) -> "Account":
        """Rename the account `alias`, which keeps its bookings, loops and actions. Opens a transaction.

        For an alias that was changed in the settings: without it, the app takes `new_alias` for another account and
        mirrors everything twice. An account `new_alias` that has no bookings yet is deleted; one that has bookings is a
        ValueError. Raises Account.DoesNotExist if there is no account `alias`.
        """
        with db.atomic():
            account = self.get(alias=alias)
            other = self.filter(alias=new_alias).first()
            if other and other.bookings.exists():
                raise ValueError(
                    f'The account "{new_alias}" has bookings of its own: delete it first, or keep both.'
                )
            if other:
                other.delete()
            account.alias = new_alias
            # The credential belongs to the alias: it is encrypted again for the new one.
            account.save(update_fields=["alias", "credentials", "webhook_secrets"])
        return account

    def mirror_settings(self, entry: conf.AccountSettings) -> "Account":
        account, made = self.get_or_create(
            alias=entry.alias,
            defaults={"base_url": entry.base_url, "scope": entry.scope},
        )
        if not made and (account.base_url, account.scope) != (
            entry.base_url,
            entry.scope,
        ):
            account.move_to(entry.base_url, entry.scope)
        return account


class Account(MirrorBeginning, Pausable):
    """A Cal.com credential and the bookings it can see.

    The credential comes from ``CAL_BOOKINGS["ACCOUNTS"][alias]`` or, for accounts that the site's users connect, from
    `credentials`: the same keys (``{"API_KEY": …}``), encrypted.
    """

    alias = models.SlugField(_("alias"), max_length=100, unique=True)
    base_url = models.CharField(
        _("base URL"), max_length=500, default=conf.DEFAULT_BASE_URL
    )
    scope = models.JSONField(_("scope"), default=dict, blank=True)
    credentials = EncryptedJSONField(
        _("credentials"), default=dict, blank=True, editable=False
    )
    #: Those that `cal_webhooks` made for an account of the database: {"SECRETS": [newest first]}.
    webhook_secrets = EncryptedJSONField(
        _("webhook secrets"), default=dict, blank=True, null=True, editable=False
    )
    is_active = models.BooleanField(_("active"), default=True)
    dialect = models.CharField(
        _("dialect"),
        max_length=20,
        blank=True,
        help_text=_("How this server pages its lists; learnt, empty until then."),
    )
    dialect_expires_at = models.DateTimeField(
        _("dialect expires at"),
        null=True,
        blank=True,
        help_text=_(
            "Set while the preferred list version is not available. Then it is tried again."
        ),
    )
    list_version = models.CharField(
        _("list version"),
        max_length=20,
        blank=True,
        choices=[(version, version) for version in LIST_VERSION.values()],
        help_text=_(
            "The API version in which bookings are listed. Empty: whichever the server answers."
        ),
    )
    server = models.CharField(
        _("server"),
        max_length=20,
        blank=True,
        choices=[
            (Server.HOSTED, _("hosted")),
            (Server.SELF_HOSTED, _("self-hosted")),
        ],
        help_text=_("The kind of Cal.com server; learnt, empty until then."),
    )
    lists_never_updated = models.BooleanField(
        _("lists bookings without a time of update"),
        default=False,
        help_text=_(
            "Learnt. Such bookings may be missed by the filter on updates, so the changes loop asks for new ones too."
        ),
    )
    has_change_filters = models.BooleanField(
        _("team list filters by change"),
        default=False,
        help_text=_(
            "Learnt. Only then does an account that mirrors a team have the changes loop."
        ),
    )
    change_filters_checked_at = models.DateTimeField(
        _("filters by change tried at"), null=True, blank=True
    )
    remote_id = models.BigIntegerField(_("Cal.com user id"), null=True, blank=True)
    email = models.CharField(_("e-mail"), max_length=320, blank=True)
    #: Names the credential whose owner was asked for; empty if none was.
    owner_key = models.CharField(max_length=64, blank=True, editable=False)
    #: A hash of server, scope and user: two accounts with the same one would mirror everything twice.
    source_key = models.CharField(  # noqa: DJ001 - many have none, and it is unique
        max_length=64, null=True, unique=True, editable=False, default=None
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    #: Which of the credentials that were ever stored: grows with each.
    credentials_revision = models.PositiveIntegerField(default=0, editable=False)
    #: A worker exchanges the tokens until then.
    credentials_lease_until = models.DateTimeField(null=True, editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        permissions = [
            ("sync_account", "Can sync account now"),
            ("pause_account", "Can pause and resume account"),
        ]
        ordering = ["alias"]

    def __str__(self) -> str:
        return self.alias

    @property
    def forced_dialect(self) -> Dialect | None:
        """The list dialect that LIST_VERSION or the column `list_version` prescribes; None if neither does."""
        version = conf.list_version(self.alias) or self.list_version
        return next((d for d, known in LIST_VERSION.items() if known == version), None)

    @property
    def credential(self) -> Credential:
        """The credential of the settings if they define this alias, else that of the database.

        Raises ImproperlyConfigured with the cure if neither has one, or if what is stored cannot be read or used.
        """
        if self.alias in conf.aliases():
            return conf.account_credential(self.alias)
        if not self.credentials:
            raise ImproperlyConfigured(
                f'The Cal.com account "{self.alias}" has no credential: add it to CAL_BOOKINGS["ACCOUNTS"], store one on '
                "the account, or deactivate it in the admin. If you renamed it in the settings, rename it here as well: "
                f'Account.objects.rename("{self.alias}", "the new alias").'
            )
        return conf.credential(
            self.credentials, of=f'The Cal.com account "{self.alias}"'
        )

    @property
    def is_anonymous(self) -> bool:
        """Whether the account goes without a credential on purpose; not where the one it has cannot be read."""
        try:
            return isinstance(self.credential, Anonymous)
        except ImproperlyConfigured:
            return False

    def webhook_path(self) -> str:
        """Return the path on this site at which Cal.com delivers the account's webhooks; makes it at the first call.

        At most three statements. Raises NoReverseMatch if the site does not include `cal_bookings.urls`.
        """
        receivers = apps.get_model("cal_bookings", "WebhookReceiver")
        return reverse(
            "cal_bookings:webhook", args=[receivers.objects.of(self).path_id]
        )

    def sealed(self, credentials: Mapping[str, Any]) -> Sealed:
        """Encrypt a credential for this account, as `QuerySet.update(credentials=…)` takes it."""
        return seal(credentials, (self._meta.label_lower, "credentials", self.alias))

    def store_credentials(self, credentials: Mapping[str, Any]) -> None:
        """Store another credential, encrypted; a worker that exchanges tokens of the old one discards its result.

        One statement, no transaction. The keys are those of an account in the settings, and beside ACCESS_TOKEN:
        REFRESH_TOKEN, CLIENT_ID, CLIENT_SECRET, and MANAGED_USER (true) for the tokens of a managed user.
        """
        Account.objects.filter(pk=self.pk).update(
            credentials=self.sealed(credentials),
            credentials_revision=F("credentials_revision") + 1,
            credentials_lease_until=None,
        )
        self.refresh_from_db(fields=["credentials", "credentials_revision"])

    def move_to(self, base_url: str, scope: dict[str, int]) -> None:
        """Mirror another server, or another part of it, from now on. Opens a transaction.

        What was learnt of the old one no longer holds, and what the new one already has is history.
        """
        self.relocate(base_url, scope)
        for name, closed in CLOSED_CIRCUIT.items():
            setattr(self, name, closed)
        columns = ["base_url", "scope", *LEARNT, *NO_OWNER, *CLOSED_CIRCUIT]
        with db.atomic():
            self.save(update_fields=columns)
            self.sync_states.begin_anew()

    def relocate(self, base_url: str, scope: dict[str, int]) -> None:
        """Set server and scope, and forget what was learnt of those before. In memory only."""
        self.base_url, self.scope = base_url, scope
        for name, unknown in {**LEARNT, **NO_OWNER}.items():
            setattr(self, name, unknown)
        self.mirror_began_at = self.fully_mirrored_at = None

    def begin_anew(self) -> None:
        """Mirror the owner of the account's credential from the beginning. Opens a transaction.

        For a credential of another user that was put in on purpose. The bookings of before stay in the mirror.
        """
        self.relocate(self.base_url, self.scope)
        with db.atomic():
            self.save(update_fields=[*LEARNT, *NO_OWNER])
            self.sync_states.begin_anew()

    def _is_restricted_to_public(self) -> bool:
        """Check the base URL of an account in the database once more, where it is used. Raises ImproperlyConfigured."""
        if self.alias in conf.aliases():
            return False
        problem = conf.stored_base_url_problem(self.base_url)
        if problem:
            raise ImproperlyConfigured(
                f'The base URL of the Cal.com account "{self.alias}" {problem}.'
            )
        return conf.is_restricted_to_public(self.base_url)

    def connect(self, **hooks: Any) -> CalClient:
        """Return a client for this account, without a budget: `budget.connect` is what you want.

        Makes no request; close it (it is a context manager). `hooks` are those of CalClient. Raises
        ImproperlyConfigured with the cure if the account's credential, base URL or scope cannot be used.
        """
        try:
            return CalClient(
                self.base_url,
                self.credential,
                scope=conf.scope(self.scope),
                has_change_filters=self.has_change_filters,
                timeout=conf.get("TIMEOUT"),
                public_only=self._is_restricted_to_public(),
                **hooks,
            )
        except ValueError as error:
            raise ImproperlyConfigured(
                f'The Cal.com account "{self.alias}" cannot be used: {error}'
            ) from None
