"""The buttons on an account's page: subscribe, test, rotate, remove, for those who may change accounts."""

import pytest
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from cal_bookings.models import Account, WebhookDelivery, WebhookReceiver
from cal_bookings.webhooks import account_secrets, refusals
from tests.privacy.canaries import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cal, settings):
    cache.clear()
    cal.webhooks.allows_private = True
    settings.CAL_BOOKINGS = {
        "ENCRYPTION_KEYS": [Fernet.generate_key()],
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "SITE_URL": "https://example.com",
        "WORKER": None,
    }
    stored = {"API_KEY": cal.api_key}
    return Account.objects.create(alias="desk", base_url=cal.url, credentials=stored)


@pytest.fixture
def staff(client):
    client.force_login(person("view_account", "change_account"))
    return client


def press(client, account, button):
    """What the page says after the button was pressed."""
    url = reverse("admin:cal_bookings_account_webhooks", args=[account.pk])
    page = client.post(url, {"webhooks": button}, follow=True)
    return [str(message) for message in page.context["messages"]]


def subscribed(cal):
    return [*cal.webhooks.subscriptions.of("userId", 1)]


def page(client, account):
    url = reverse("admin:cal_bookings_account_change", args=[account.pk])
    return client.get(url).content.decode()


def test_subscribe_and_remove(staff, account, cal):
    assert press(staff, account, "ensure") == [
        "desk is subscribed to Cal.com's webhooks."
    ]
    assert press(staff, account, "ensure") == [
        "The webhook of desk is as it should be."
    ]
    assert len(subscribed(cal)) == 1

    assert press(staff, account, "remove") == ["1 webhook of desk is removed."]
    assert subscribed(cal) == []


def test_replace_the_secret(staff, account, cal):
    press(staff, account, "ensure")
    before = subscribed(cal)[0].secret

    assert press(staff, account, "rotate") == ["desk has a new webhook secret."]
    assert subscribed(cal)[0].secret != before


def test_the_secret_of_the_settings_is_replaced_by_hand(staff, account, cal, settings):
    entry = {"API_KEY": cal.api_key, "BASE_URL": cal.url, "WEBHOOK_SECRET": "s"}
    settings.CAL_BOOKINGS |= {"ACCOUNTS": {"desk": entry}}

    (told,) = press(staff, account, "rotate")

    assert "manage.py cal_webhooks rotate --account desk" in told


def test_what_is_in_the_way_is_said(staff, account, cal, settings):
    settings.CAL_BOOKINGS |= {"SITE_URL": ""}

    (told,) = press(staff, account, "ensure")

    assert "SITE_URL" in told


def test_a_test_that_does_not_arrive_says_why(staff, account, settings):
    settings.CAL_BOOKINGS |= {"SITE_URL": "http://127.0.0.1:9"}
    account_secrets.add(WebhookReceiver.objects.of(account), "secret")

    (told,) = press(staff, account, "test")

    assert "Nothing accepts connections" in told


def test_the_page_says_what_is_known_and_no_secret(staff, account, cal):
    press(staff, account, "ensure")
    assert "Nothing has arrived yet." in page(staff, account)

    WebhookDelivery.objects.create(
        account=account, body_hash="1", last_received_at=timezone.now()
    )
    for _ in range(refusals.MANY):
        refusals.count(account.pk)
    shown = page(staff, account)

    assert "The last delivery arrived at" in shown
    assert "1 delivery waits." in shown
    assert "were refused in the last hours" in shown
    assert subscribed(cal)[0].secret not in shown
    assert WebhookReceiver.objects.get().path_id not in shown


def test_who_may_only_view_has_no_buttons(client, account):
    client.force_login(person("view_account"))
    url = reverse("admin:cal_bookings_account_webhooks", args=[account.pk])

    assert client.post(url, {"webhooks": "ensure"}).status_code == 403
    assert url not in page(client, account)


def test_an_unknown_button_does_nothing(staff, account, cal):
    assert press(staff, account, "format") == []
    assert subscribed(cal) == []


def test_the_overview_names_refused_deliveries(client, account):
    client.force_login(person("view_syncstate"))
    for _ in range(refusals.MANY):
        refusals.count(account.pk)

    shown = client.get(reverse("admin:cal_bookings_overview")).content.decode()

    assert "desk: 10 deliveries were refused" in shown
