"""The renewal of tokens that run out: one worker exchanges them once, however many workers meet the refusal.

A refresh token works once. The worker that exchanges it takes a lease on the account's row, and the others wait for the
stored result; both new tokens are stored by one UPDATE, before either is used.
"""

import time
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from cal_bookings import client, conf
from cal_bookings.budget.naming import name_of
from cal_bookings.client import CalUnauthorized, CalUnavailable, Credential, Tokens
from cal_bookings.models import Account
from cal_bookings.models.leases import is_free

#: The seconds of the lease, longer than the request to the token endpoint may take.
_LEASE = timedelta(seconds=60)
_LOOK_AGAIN = 0.2  # seconds


def can_renew(account: Account) -> bool:
    """Return whether the account is kept in the database with a refresh token. Reads its credentials."""
    return account.alias not in conf.aliases() and bool(
        account.credentials.get("REFRESH_TOKEN")
    )


def renew(account: Account, refused: Credential, error: CalUnauthorized) -> Credential:
    """Return the credential that works after `refused` was refused with `error`; `account` then has it too.

    The function makes one request, outside any transaction, unless another worker made it. Raises CalUnauthorized if
    the refresh token is not accepted either; the other errors of the client change nothing, so that a later try may
    succeed.
    """
    give_up_at = timezone.now() + _LEASE
    while timezone.now() < give_up_at:
        account.refresh_from_db(fields=["credentials", "credentials_revision"])
        if not can_renew(account):
            raise error
        if account.credential != refused:
            return account.credential
        if _claim(account):
            return _exchange(account)
        time.sleep(_LOOK_AGAIN)
    raise CalUnavailable("another worker has not come back with new tokens")


def _claim(account: Account) -> bool:
    row = Account.objects.filter(
        is_free("credentials_lease_until"),
        pk=account.pk,
        credentials_revision=account.credentials_revision,
    )
    return bool(row.update(credentials_lease_until=timezone.now() + _LEASE))


def _exchange(account: Account) -> Credential:
    row = Account.objects.filter(
        pk=account.pk, credentials_revision=account.credentials_revision
    )
    try:
        tokens = _ask(account)
    except BaseException:
        row.update(credentials_lease_until=None)
        raise
    fresh = account.credentials | {
        "ACCESS_TOKEN": tokens.access_token,
        "REFRESH_TOKEN": tokens.refresh_token,
    }
    refused, account.credentials = account.credential, fresh
    if account.owner_key == name_of(account.base_url, refused):
        # The tokens are new and the user is the same: the owner need not be read again.
        account.owner_key = name_of(account.base_url, account.credential)
    stored = row.update(
        credentials=account.sealed(fresh),
        owner_key=account.owner_key,
        credentials_revision=F("credentials_revision") + 1,
        credentials_lease_until=None,
    )
    if not stored:
        # Somebody stored another credential meanwhile: that credential is wanted.
        account.refresh_from_db(fields=["credentials", "credentials_revision"])
        return account.credential
    account.credentials_revision += 1
    return account.credential


def _ask(account: Account) -> Tokens:
    stored = account.credentials
    ask = (
        client.refresh_managed_user_tokens
        if stored.get("MANAGED_USER")
        else client.refresh_oauth_tokens
    )
    return ask(
        account.base_url,
        client_id=stored.get("CLIENT_ID", ""),
        client_secret=stored.get("CLIENT_SECRET", ""),
        refresh_token=stored["REFRESH_TOKEN"],
        timeout=conf.get("TIMEOUT"),
        public_only=conf.is_restricted_to_public(account.base_url),
    )
