"""The accounts whose bookings are mirrored: a Cal.com credential, its server, and the facts learnt of that server."""

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

#: The columns with the facts learnt of a server, and the value of each while it is not known.
LEARNT = {
    "dialect": "",
    "dialect_expires_at": None,
    "server": "",
    "has_change_filters": False,
    "change_filters_checked_at": None,
}
#: The columns with the owner of the mirrored bookings, and the value of each before Cal.com was asked.
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
        """Return the rows without reading their credentials from the database, for lists, which never show them."""
        return self.defer("credentials", "webhook_secrets")

    def configured(self) -> Self:
        """Return the active accounts; make or correct the rows of the accounts that the settings define.

        Opens a transaction only for an account whose server or scope has changed.
        """
        for alias in conf.aliases():
            self.model.objects.mirror_settings(conf.account(alias))
        return self.active()

    def planned(self) -> "list[Account]":
        """Return the accounts that `configured` would return, without a write, for a dry run.

        A new account of the settings is not saved; an account whose server or scope the settings have changed
        changes in memory only.
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

        Call it after changing an alias in the settings: otherwise the app takes `new_alias` for another account and
        mirrors everything twice. An account `new_alias` without bookings is deleted; if it has bookings, that is a
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
            # The credential belongs to the alias: save() encrypts it again for the new alias.
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
    the column `credentials`, which holds the same keys (``{"API_KEY": …}``) encrypted.
    """

    alias = models.SlugField(_("alias"), max_length=100, unique=True)
    base_url = models.CharField(
        _("base URL"), max_length=500, default=conf.DEFAULT_BASE_URL
    )
    scope = models.JSONField(_("scope"), default=dict, blank=True)
    credentials = EncryptedJSONField(
        _("credentials"), default=dict, blank=True, editable=False
    )
    #: The secrets that `cal_webhooks` made for an account of the database: {"SECRETS": [newest first]}.
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
    #: The key of the credential whose owner was requested; empty if no owner was.
    owner_key = models.CharField(max_length=64, blank=True, editable=False)
    #: A hash of server, scope and user: two accounts with the same hash would mirror everything twice.
    source_key = models.CharField(  # noqa: DJ001 - many have none, and it is unique
        max_length=64, null=True, unique=True, editable=False, default=None
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    #: The number of the stored credential: each new credential adds 1.
    credentials_revision = models.PositiveIntegerField(default=0, editable=False)
    #: The time until which a worker may exchange the tokens.
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
        """The credential from the settings if they define this alias, else from the database.

        Raises ImproperlyConfigured with the cure if neither has a credential, or if it cannot be read or used.
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
        """Return whether the account has no credential on purpose; False if its credential cannot be read."""
        try:
            return isinstance(self.credential, Anonymous)
        except ImproperlyConfigured:
            return False

    def webhook_path(self) -> str:
        """Return the path on this site at which Cal.com delivers the account's webhooks. The first call makes the path.

        At most three statements. Raises NoReverseMatch if the site does not include `cal_bookings.urls`.
        """
        receivers = apps.get_model("cal_bookings", "WebhookReceiver")
        return reverse(
            "cal_bookings:webhook", args=[receivers.objects.of(self).path_id]
        )

    def sealed(self, credentials: Mapping[str, Any]) -> Sealed:
        """Encrypt a credential for this account; the result is a value for `QuerySet.update(credentials=…)`."""
        return seal(credentials, (self._meta.label_lower, "credentials", self.alias))

    def store_credentials(self, credentials: Mapping[str, Any]) -> None:
        """Store another credential, encrypted. A worker that exchanges the old credential's tokens discards its result.

        Runs one statement, no transaction. The keys are those of an account in the settings, and beside ACCESS_TOKEN:
        REFRESH_TOKEN, CLIENT_ID, CLIENT_SECRET, and MANAGED_USER (true) for the tokens of a managed user.
        """
        Account.objects.filter(pk=self.pk).update(
            credentials=self.sealed(credentials),
            credentials_revision=F("credentials_revision") + 1,
            credentials_lease_until=None,
        )
        self.refresh_from_db(fields=["credentials", "credentials_revision"])

    def move_to(self, base_url: str, scope: dict[str, int]) -> None:
        """Mirror another server, or another scope, from now on. Opens a transaction.

        The facts learnt of the old server are forgotten, and bookings that the new server already has are history.
        """
        self.relocate(base_url, scope)
        for name, closed in CLOSED_CIRCUIT.items():
            setattr(self, name, closed)
        columns = ["base_url", "scope", *LEARNT, *NO_OWNER, *CLOSED_CIRCUIT]
        with db.atomic():
            self.save(update_fields=columns)
            self.sync_states.begin_anew()

    def relocate(self, base_url: str, scope: dict[str, int]) -> None:
        """Set server and scope, and forget the facts learnt of the former ones. Changes only the instance."""
        self.base_url, self.scope = base_url, scope
        for name, unknown in {**LEARNT, **NO_OWNER}.items():
            setattr(self, name, unknown)
        self.mirror_began_at = self.fully_mirrored_at = None

    def begin_anew(self) -> None:
        """Mirror the owner of the account's credential from the beginning. Opens a transaction.

        Call it after storing a credential of another user on purpose. The earlier bookings stay in the mirror.
        """
        self.relocate(self.base_url, self.scope)
        with db.atomic():
            self.save(update_fields=[*LEARNT, *NO_OWNER])
            self.sync_states.begin_anew()

    def _is_restricted_to_public(self) -> bool:
        """Return whether the server must be on the public internet.

        Raises ImproperlyConfigured if the base URL of an account in the database may not be used.
        """
        if self.alias in conf.aliases():
            return False
        problem = conf.stored_base_url_problem(self.base_url)
        if problem:
            raise ImproperlyConfigured(
                f'The base URL of the Cal.com account "{self.alias}" {problem}.'
            )
        return conf.is_restricted_to_public(self.base_url)

    def connect(self, **hooks: Any) -> CalClient:
        """Return a client for this account, without a request budget; callers use `budget.connect`.

        Makes no request. The caller closes the client, a context manager. `hooks` are those of CalClient. Raises
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
