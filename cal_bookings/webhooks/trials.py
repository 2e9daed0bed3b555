"""A trial: a signed delivery of our own, sent through the public address of the site and looked for in the inbox."""

import json
import secrets
from hashlib import sha256

from cal_bookings import client, conf
from cal_bookings.client import Cause
from cal_bookings.models import Account, WebhookDelivery, WebhookReceiver
from cal_bookings.webhooks import account_secrets, bodies, subscriptions

_OF_STATUS = {
    401: "The site does not accept the signature. Either it has not loaded the newest secret yet, or something in front of it "
    "changes the body or drops the header {header}.",
    403: "Something in front of the site refuses the request: a firewall or a login. Let POST requests to {path} through.",
    404: "The site does not know the address. Check that SITE_URL leads to this site, that its URLs include "
    "cal_bookings.urls, and that it uses the same database as this command.",
    405: "The address is answered by something else than the receiver: check SITE_URL.",
    413: "Something in front of the site refuses the size of the body.",
    503: "The site could not store the delivery: its log says why.",
}
_OF_CAUSE = {
    Cause.NAME: "The name in SITE_URL is unknown here: check it, and the name servers.",
    Cause.CONNECTION: "Nothing accepts connections at the address in SITE_URL: check it, and that the site runs.",
    Cause.CERTIFICATE: "The certificate of the site is not trusted, and Cal.com will not trust it either.",
    Cause.TLS: "The site does not speak TLS at this port: check SITE_URL.",
    Cause.TIMEOUT: "The site did not answer in time.",
}


class TrialFailed(Exception):
    """The delivery did not arrive; the message names the cure."""


def run(account: Account, *, secret: str = "") -> None:
    """Deliver a test to the account's receiver through SITE_URL, and find it in the inbox.

    The test is signed with `secret`, by default the newest secret of the account. Raises TrialFailed with the cure, and
    ImproperlyConfigured. Must not be called in a transaction: the site answers from another process.
    """
    url = subscriptions.address(account)
    receiver = WebhookReceiver.objects.of(account)
    known = [secret] if secret else account_secrets.accepted(receiver)
    if not known:
        raise TrialFailed(
            f'The account "{account}" has no webhook secret: run `manage.py cal_webhooks ensure` first.'
        )
    body = _body()
    _check(_deliver(url, body, known[0]), account.webhook_path())
    arrived = WebhookDelivery.objects.filter(
        account=account, body_hash=sha256(body).hexdigest()
    )
    if not arrived.exists():
        raise TrialFailed(
            "The delivery was accepted, but is not in this database: SITE_URL leads to a site with another one."
        )


def _body() -> bytes:
    content = {"triggerEvent": bodies.TEST, "payload": {"nonce": secrets.token_hex(16)}}
    return json.dumps(content).encode()


def _deliver(url: str, body: bytes, secret: str) -> int:
    try:
        return client.deliver_trial(
            url,
            body,
            secret=secret,
            signature_header=conf.get("WEBHOOK_SIGNATURE_HEADER"),
            timeout=conf.get("TIMEOUT"),
        )
    except client.CalUnavailable as error:
        cure = _OF_CAUSE.get(error.cause, "") if error.cause else ""
        raise TrialFailed(f"{error.message}. {cure}".strip()) from None


def _check(status: int, path: str) -> None:
    if status == 200:
        return
    cure = _OF_STATUS.get(status, "")
    if 300 <= status < 400:
        cure = (
            "Cal.com follows no redirects: set SITE_URL to the address that the redirect leads to, and let POST requests "
            "to {path} pass any login."
        )
    header = conf.get("WEBHOOK_SIGNATURE_HEADER")
    told = cure.format(path=path, header=header)
    raise TrialFailed(f"The test delivery was answered with {status}. {told}".strip())
