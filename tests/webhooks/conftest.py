"""An account whose webhooks are signed with one secret, and somebody who delivers them."""

import json
from typing import Any

import pytest
from django.test import Client

from cal_bookings.client import sign
from cal_bookings.models import Account
from tests.webhooks.recorded import SECRET


class Sender:
    """Delivers to one account as Cal.com does."""

    def __init__(self, account: Account) -> None:
        self.client = Client(raise_request_exception=True)
        self.path = account.webhook_path()

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> Any:
        return self.client.post(
            self.path, body, content_type="application/json", headers=headers or {}
        )

    def deliver(self, body: bytes, *, secret: str = SECRET, version: str = "") -> Any:
        """Post a signed body."""
        headers = {"X-Cal-Signature-256": sign(body, secret)}
        if version:
            headers["X-Cal-Webhook-Version"] = version
        return self.post(body, headers)

    def announce(self, trigger: str, **payload: Any) -> Any:
        return self.deliver(body(trigger, **payload))


def body(trigger: str, created_at: str = "2026-11-20T19:51:20.097Z", **payload: Any):
    content = {"triggerEvent": trigger, "createdAt": created_at, "payload": payload}
    return json.dumps(content).encode()


@pytest.fixture
def account(db, settings) -> Account:
    settings.CAL_BOOKINGS = {
        "ACCOUNTS": {"default": {"API_KEY": "cal_key", "WEBHOOK_SECRET": SECRET}},
        "WORKER": None,
    }
    return Account.objects.configured().get()


@pytest.fixture
def sender(account) -> Sender:
    return Sender(account)
