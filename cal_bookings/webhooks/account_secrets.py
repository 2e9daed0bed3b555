"""The secrets that sign an account's deliveries: those of the settings, or those that are kept encrypted in the database."""

import secrets

from django.utils import timezone

from cal_bookings import conf, db
from cal_bookings.models import Account, WebhookReceiver
from cal_bookings.models.webhooks import FORMER_ACCEPTED

_SECRETS = "SECRETS"
#: More former secrets than this are left by attempts that failed long ago.
_FORMER = 4


def are_in_settings(account: Account) -> bool:
    """Return whether the account's secrets are those of the settings, which this app cannot change."""
    return account.alias in conf.aliases()


def accepted(receiver: WebhookReceiver) -> list[str]:
    """Return the secrets that a delivery may be signed with, newest first.

    Raises ImproperlyConfigured if they cannot be decrypted. A secret that `rotate` replaced is accepted for a day more.
    """
    account = receiver.account
    if are_in_settings(account):
        return conf.webhook_secrets(conf.get("ACCOUNTS")[account.alias])
    given = conf.webhook_secrets(account.credentials) if account.credentials else []
    made = made_here(account)
    rotated_at = receiver.secrets_rotated_at
    if rotated_at and timezone.now() > rotated_at + FORMER_ACCEPTED:
        made = made[:1]
    return [*made, *given]


def made_here(account: Account) -> list[str]:
    """Return the secrets that this app made for the account, newest first."""
    stored = account.webhook_secrets
    return list(stored.get(_SECRETS, [])) if stored else []


def new() -> str:
    """Return a new secret of 256 random bits."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def add(receiver: WebhookReceiver, secret: str) -> None:
    """Accept `secret` from now on, as the newest secret, beside the former ones. One transaction.

    All of them are accepted until `retire_former` is called, because Cal.com may sign with any of them. The rows are
    locked and read again, so that two processes which add a secret at once lose neither. Raises ImproperlyConfigured if
    the site has no key to encrypt the secret with.
    """
    with db.atomic():
        locked = WebhookReceiver.objects.select_for_update()
        current = locked.select_related("account").get(pk=receiver.pk)
        account = receiver.account
        account.webhook_secrets = {_SECRETS: [secret, *accepted(current)[:_FORMER]]}
        account.save(update_fields=["webhook_secrets"])
        receiver.secrets_rotated_at = None
        receiver.save(update_fields=["secrets_rotated_at"])


def retire_former(receiver: WebhookReceiver) -> None:
    """Refuse all but the newest secret from a day on: Cal.com signs with the newest by now. One statement."""
    receiver.secrets_rotated_at = timezone.now()
    receiver.save(update_fields=["secrets_rotated_at"])
