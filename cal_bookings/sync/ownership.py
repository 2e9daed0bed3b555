"""The owner of a credential, whose bookings it lists: read once for each credential, before its bookings are mirrored.

Another user's key in an account that has bookings would mix the bookings of two users, and the same user in two
accounts would mirror everything twice. Both are refused with the cure.
"""

import json
import logging
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError

from cal_bookings import client, db
from cal_bookings.budget import advice
from cal_bookings.budget.naming import name_of
from cal_bookings.client import CalClient, ClientSecret
from cal_bookings.models import Account, SyncState
from cal_bookings.sentences import Message
from cal_bookings.sync import failures
from cal_bookings.sync.walk_texts import SyncText

logger = logging.getLogger(__name__)


class WrongOwner(ImproperlyConfigured):
    """The account's credential belongs to a user whose bookings it may not mirror; the message names the cure."""

    def __init__(self, explanation: Message) -> None:
        super().__init__(explanation.english)
        #: The text for people, in their language.
        self.explanation = explanation


@dataclass(frozen=True, slots=True)
class Owner:
    """The user to whom a credential belongs, as far as Cal.com names that user."""

    remote_id: int | None = None
    email: str = ""
    organization_id: int | None = None

    @classmethod
    def of(cls, user: dict[str, Any]) -> "Owner":
        """Read the response to ``GET /me``."""
        email = user.get("email")
        return cls(
            remote_id=_number(user.get("id")),
            email=email if isinstance(email, str) else "",
            organization_id=_number(user.get("organizationId")),
        )

    def __str__(self) -> str:
        return self.email or str(self.remote_id)


def ask(account: Account, connection: CalClient) -> Owner | None:
    """Return the credential's owner if the owner is news, else None; store nothing.

    The function makes one request for a credential that is new to the account. Cal.com may refuse to name the owner: a
    token without the scope for profiles gets a 403; then the owner has no id. If the request only fails, an account
    whose credential was replaced waits until it succeeds, and other accounts repeat it at their next walk. A platform's
    client is not asked about, because it acts as the organization's owner at the moment. Raises WrongOwner, and the
    `CalError`s that the list of bookings would meet as well.
    """
    if isinstance(account.credential, ClientSecret) or _is_known(account):
        return None
    try:
        owner = Owner.of(connection.me())
    except client.CalError as error:
        if not failures.is_alone(error) or _must_wait(account, error):
            raise
        if not isinstance(error, failures.REFUSALS):
            return None
        owner = Owner()
    if account.pk and account.bookings.exists():
        _refuse_another_user(account, owner)
    elif twin := twin_of(account, owner):
        raise WrongOwner(mirrored_twice(account, twin))
    return owner


def _must_wait(account: Account, error: client.CalError) -> bool:
    """Return whether another user's bookings might be mixed into the account's if their owner stayed unknown."""
    was_replaced = bool(account.pk and account.owner_key and account.bookings.exists())
    return was_replaced and not isinstance(error, failures.REFUSALS)


def settle(account: Account, connection: CalClient, state: SyncState) -> bool:
    """Find the owner as `ask` does, and store it; return whether the account mirrors another user from now on.

    In that case all loops of the account restart, except for `state`, whose walk is the caller's. Opens a transaction.
    """
    owner = ask(account, connection)
    if owner is None:
        return False
    moves = _is_another_user(account, owner)
    if owner.remote_id is not None:
        account.remote_id, account.email = owner.remote_id, owner.email
    account.owner_key = name_of(account.base_url, account.credential)
    columns = ["remote_id", "email", "owner_key", "source_key"]
    if moves:
        account.mirror_began_at = account.fully_mirrored_at = None
        columns += ["mirror_began_at", "fully_mirrored_at"]
    with db.atomic():
        _claim(account, source_key(account, owner))
        account.save(update_fields=columns)
        if moves:
            account.sync_states.exclude(pk=state.pk).begin_anew()
    return moves


def _claim(account: Account, key: str | None) -> None:
    """Make `key` the account's own, unless another active account has it. The unique column decides races."""
    others = Account.objects.exclude(pk=account.pk).filter(source_key=key)
    others.filter(is_active=False).update(source_key=None, owner_key="")
    try:
        with db.atomic():
            Account.objects.filter(pk=account.pk).update(source_key=key)
    except IntegrityError:
        twin = others.without_credentials().get()
        if not account.bookings.exists():
            raise WrongOwner(mirrored_twice(account, twin)) from None
        logger.warning("%s", mirrored_twice(account, twin).english)
        key = None
    account.source_key = key


def source_key(account: Account, owner: Owner) -> str | None:
    """Return a hash of what the account mirrors; None if that is not known.

    A team's list is the same for all its users.
    """
    if not account.scope and owner.remote_id is None:
        return None
    user = None if account.scope else owner.remote_id
    source = [account.base_url.rstrip("/"), account.scope, user]
    return blake2b(
        json.dumps(source, sort_keys=True).encode(), digest_size=16
    ).hexdigest()


def twin_of(account: Account, owner: Owner) -> Account | None:
    """Return another active account that mirrors the same bookings, if it exists, with one query."""
    key = source_key(account, owner)
    others = Account.objects.active().without_credentials().exclude(pk=account.pk)
    if not account.scope:
        others = others.filter(remote_id=owner.remote_id)
    twins = (
        other
        for other in others
        if key and source_key(other, Owner(other.remote_id)) == key
    )
    return next(twins, None)


def mirrored_twice(account: Account, twin: Account) -> Message:
    """Return the sentences that name both accounts and the cure."""
    return SyncText.MIRRORED_TWICE(
        account=str(account), twin=str(twin), base_url=account.base_url
    )


def _is_known(account: Account) -> bool:
    return account.owner_key == name_of(account.base_url, account.credential)


def _is_another_user(account: Account, owner: Owner) -> bool:
    """Return whether the account's bookings would be another user's; those of a team or organization stay the same."""
    ids = account.remote_id, owner.remote_id
    return not account.scope and None not in ids and ids[0] != ids[1]


def _refuse_another_user(account: Account, owner: Owner) -> None:
    if not _is_another_user(account, owner):
        return
    raise WrongOwner(
        SyncText.ANOTHER_USER(
            credential=advice.credential_of(account),
            account=str(account),
            owner=owner.remote_id,
            mirrored=account.remote_id,
        )
    )


def _number(value: Any) -> int | None:
    return value if type(value) is int else None
