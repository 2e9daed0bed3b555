"""The account's subscription on Cal.com: made, mended, given another secret or address, and removed."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from cal_bookings import budget, client, conf, servers
from cal_bookings.client import (
    CalClient,
    ClientSecret,
    RemoteWebhook,
    Server,
    WebhookOwner,
    Webhooks,
)
from cal_bookings.models import Account, WebhookReceiver
from cal_bookings.webhooks import account_secrets, health

logger = logging.getLogger(__name__)

#: A person waits this many seconds for a turn under the rate limit.
PATIENCE = 10.0

#: What every server announces of bookings.
TRIGGERS = (
    "BOOKING_CREATED",
    "BOOKING_REQUESTED",
    "BOOKING_RESCHEDULED",
    "BOOKING_CANCELLED",
    "BOOKING_REJECTED",
    "BOOKING_PAYMENT_INITIATED",
    "BOOKING_PAID",
    "BOOKING_NO_SHOW_UPDATED",
)
#: Hosted Cal.com refuses none of these, self-hosted servers do.
_HOSTED_TRIGGERS = ("BOOKING_LOCATION_UPDATED", "BOOKING_REASSIGNED")

WHY_OFF = (
    "It was switched off, and is active again. A person may have done that on Cal.com, or Cal.com itself, after something in "
    "front of this site answered 410 (Gone) to a delivery."
)


@dataclass(frozen=True, slots=True)
class Ensured:
    """The result of `ensure`."""

    webhook: RemoteWebhook
    #: "created", "mended" or "unchanged".
    result: str
    #: Whether it had been switched off.
    was_off: bool = False


def default_owner(account: Account) -> WebhookOwner:
    """Return whose events cover what the account mirrors. Makes no request.

    Raises ImproperlyConfigured with the cure where no single subscription covers just that.
    """
    scope = account.scope
    if "team" in scope:
        raise ImproperlyConfigured(
            f'The account "{account}" mirrors a team, and Cal.com has no webhooks for a whole team: name each of its '
            "event types, with --event-type."
        )
    if "user" in scope:
        raise ImproperlyConfigured(
            f'The account "{account}" mirrors one user of an organization, whose webhooks announce the bookings of all '
            "its users: connect that user with a key of their own, or name their event types with --event-type."
        )
    if "organization" in scope:
        return WebhookOwner.organization(scope["organization"])
    credential = account.credential
    if isinstance(credential, ClientSecret):
        return WebhookOwner.oauth_client(credential.client_id)
    return WebhookOwner.user()


def event_type_owner(account: Account, event_type: int) -> WebhookOwner:
    """Return the owner for one event type, which is the team's if the account mirrors a team."""
    return WebhookOwner.event_type(event_type, team=account.scope.get("team"))


def address(account: Account) -> str:
    """Return the URL at which Cal.com delivers. Raises ImproperlyConfigured without the setting SITE_URL."""
    site = conf.get("SITE_URL")
    if not site:
        raise ImproperlyConfigured(
            'Set CAL_BOOKINGS["SITE_URL"] to the address at which Cal.com reaches this site, such as "https://example.com".'
        )
    return f"{site.rstrip('/')}{account.webhook_path()}"


def ensure(account: Account, owner: WebhookOwner, *, secret: str = "") -> Ensured:
    """Make the subscription, or mend it: active, with our address, secret and triggers, and without a template.

    `secret` is what Cal.com shall sign with, by default the newest secret of the account; a secret is made for an account
    of the database that has none. Makes one request for the list, and one more if something differs. Raises
    ImproperlyConfigured with the cure, and the errors of the client and the budget. Must not be called in a transaction.
    """
    with _connected(account) as connection:
        return _ensure(account, owner, connection, secret)


def listed(account: Account, owner: WebhookOwner) -> list[tuple[RemoteWebhook, bool]]:
    """Return the owner's subscriptions, each with whether it delivers to this account's receiver."""
    receiver = WebhookReceiver.objects.of(account)
    with _connected(account) as connection:
        return [
            (one, _is_ours(receiver, one))
            for one in connection.webhooks(owner).list_all()
        ]


def remove(account: Account, owner: WebhookOwner) -> int:
    """Remove the subscriptions that deliver to this account's receiver; return how many there were."""
    receiver = WebhookReceiver.objects.of(account)
    with _connected(account) as connection:
        webhooks = connection.webhooks(owner)
        ours = [one for one in webhooks.list_all() if _is_ours(receiver, one)]
        for one in ours:
            with contextlib.suppress(client.CalNotFound):  # somebody else was faster
                webhooks.delete(one.id)
    WebhookReceiver.objects.filter(account=account).update(expected_since=None)
    health.end_rest([account.pk])
    return len(ours)


def rotate_secret(account: Account, owner: WebhookOwner) -> Ensured:
    """Give the subscription a new secret, which is accepted before it is set there; accept the former for a day more.

    For accounts of the database. A failure leaves both accepted: `ensure` sets the new one. Raises as `ensure` does.
    """
    receiver = WebhookReceiver.objects.of(account)
    account_secrets.add(receiver, account_secrets.new())
    ensured = ensure(receiver.account, owner)
    account_secrets.retire_former(receiver)
    return ensured


def rotate_address(account: Account, owner: WebhookOwner) -> Ensured:
    """Give the receiver a new address; accept the former address for a day more. Raises as `ensure` does."""
    WebhookReceiver.objects.of(account).move()
    return ensure(account, owner)


@contextlib.contextmanager
def _connected(account: Account) -> Iterator[CalClient]:
    with budget.connect(
        account, priority=budget.Priority.ACTION, max_wait=PATIENCE
    ) as connection:
        yield connection


def _ensure(
    account: Account, owner: WebhookOwner, connection: CalClient, secret: str
) -> Ensured:
    server = servers.kind_of(account, connection)
    url = address(account)
    _check_address(account, url, server)
    wanted = _wanted(url, server, secret or _secret(account))
    webhooks = connection.webhooks(owner)
    found = _found(account, webhooks)
    if found is None:
        ensured = _create(account, webhooks, wanted)
    else:
        ensured = _mend(webhooks, found, wanted)
    receiver = WebhookReceiver.objects.filter(account=account, expected_since=None)
    receiver.update(expected_since=timezone.now())
    return ensured


def _found(account: Account, webhooks: Webhooks) -> RemoteWebhook | None:
    receiver = WebhookReceiver.objects.of(account)
    return next((one for one in webhooks.list_all() if _is_ours(receiver, one)), None)


def _create(account: Account, webhooks: Webhooks, wanted: dict[str, Any]) -> Ensured:
    try:
        return Ensured(webhooks.create(wanted), "created")
    except client.CalRefused:
        # Another process may have subscribed since: Cal.com refuses the same URL twice [rec 010].
        found = _found(account, webhooks)
        if found is None:
            raise
        return _mend(webhooks, found, wanted)


def _mend(webhooks: Webhooks, found: RemoteWebhook, wanted: dict[str, Any]) -> Ensured:
    wanted = wanted | {"triggers": sorted({*wanted["triggers"], *found.triggers})}
    shown = {
        "active": found.active,
        "subscriberUrl": found.subscriber_url,
        "triggers": sorted(found.triggers),
        "secret": found.secret,
        # A server that does not show the version has one only.
        "version": found.version or wanted["version"],
    }
    changes = {name: value for name, value in wanted.items() if shown[name] != value}
    if found.payload_template:
        changes["payloadTemplate"] = None
    if not changes:
        return Ensured(found, "unchanged")
    mended = webhooks.update(found.id, changes)
    return Ensured(mended, "mended", was_off=not found.active)


def _wanted(url: str, server: Server, secret: str) -> dict[str, Any]:
    hosted = _HOSTED_TRIGGERS if server == Server.HOSTED else ()
    return {
        "active": True,
        "subscriberUrl": url,
        "triggers": [*TRIGGERS, *hosted],
        "secret": secret,
        "version": client.PAYLOAD_VERSION,
    }


def _secret(account: Account) -> str:
    """Return the newest secret; make a secret for an account of the database that has none."""
    receiver = WebhookReceiver.objects.of(account)
    known = account_secrets.accepted(receiver)
    if known:
        return known[0]
    secret = account_secrets.new()
    if account_secrets.are_in_settings(account):
        raise ImproperlyConfigured(
            f'The account "{account}" has no webhook secret. Add "WEBHOOK_SECRETS": ["{secret}"] to '
            f'CAL_BOOKINGS["ACCOUNTS"]["{account}"], load it into the site, and try again. This secret was made just now.'
        )
    account_secrets.add(receiver, secret)
    return secret


def _is_ours(receiver: WebhookReceiver, webhook: RemoteWebhook) -> bool:
    """Return whether the webhook delivers to this receiver, at its present or its former address, on any host."""
    path_id = urlsplit(webhook.subscriber_url).path.rstrip("/").rpartition("/")[2]
    return path_id in {receiver.path_id, receiver.former_path_id} - {None, ""}


def _check_address(account: Account, url: str, server: Server) -> None:
    """Raise ImproperlyConfigured for an address at which hosted Cal.com does not deliver.

    A Cal.com on this machine or in a private network reaches such addresses, or says itself that it does not.
    """
    if server != Server.HOSTED or conf.is_private(
        urlsplit(account.base_url).hostname or ""
    ):
        return
    parts = urlsplit(url)
    place = 'CAL_BOOKINGS["SITE_URL"]'
    if conf.is_private(parts.hostname or ""):
        raise ImproperlyConfigured(
            f"{place} names {parts.hostname}, which Cal.com cannot reach from the internet: use the public address of this "
            "site. For a trial on your machine, a tunnel gives you one."
        )
    if parts.scheme != "https":
        raise ImproperlyConfigured(
            f"{place} is a plain http:// address, and Cal.com delivers over https only: use the https:// address of this site."
        )
