"""A stored credential that cannot be read: its account says so, is cured in the admin, and stops no other."""

import json

import pytest
from cryptography.fernet import Fernet
from django.contrib.messages import get_messages
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from cal_bookings.client import ApiKey
from cal_bookings.models import Account, Booking
from tests.admin.rows import page_of

pytestmark = [pytest.mark.django_db, pytest.mark.cal(bookings=3)]
KEY = Fernet.generate_key()


def encrypted(text):
    return Fernet(KEY).encrypt(text.encode()).decode()


def store_text(account, text):
    """As by SQL, without the field."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cal_bookings_account SET credentials = %s WHERE id = %s",
            [text, account.pk],
        )


def of_another_account():
    sesame = {"API_KEY": "cal_sesame"}
    other = Account.objects.create(alias="other", is_active=False, credentials=sesame)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT credentials FROM cal_bookings_account WHERE id = %s", [other.pk]
        )
        return cursor.fetchone()[0]


@pytest.fixture(
    params=[
        lambda: "<sealed>",
        lambda: "cal_sesame in clear",
        lambda: encrypted('"a text"'),
        lambda: encrypted('["cal_sesame"]'),
        lambda: encrypted('{"API_KEY": 5}'),
        lambda: encrypted('{"API_KEY": {"cal_sesame": 1}}'),
        lambda: Fernet(Fernet.generate_key()).encrypt(b"{}").decode(),
        of_another_account,
    ],
    ids=["sealed", "clear", "text", "list", "number", "object", "lost key", "copied"],
)
def account(request, cal, settings):
    """The first of three accounts; the others work."""
    settings.CAL_BOOKINGS |= {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [KEY.decode()],
    }
    row = {"base_url": cal.url, "credentials": {"API_KEY": cal.api_key}}
    broken = Account.objects.create(alias="aaa", **row)
    colleague = cal.users[2]  # one user of Cal.com is not mirrored by two accounts
    for _ in range(3):
        cal.book(user=colleague)
    key = {"API_KEY": colleague.api_key}
    Account.objects.create(alias="good", base_url=cal.url, credentials=key)
    store_text(broken, request.param())
    return broken


def last_message(response):
    assert response.status_code == 302
    return str(list(get_messages(response.wsgi_request))[-1])


def press(client, name, account, data=None):
    return client.post(reverse(f"admin:cal_bookings_{name}", args=[account.pk]), data)


def test_the_pages_that_show_it_work(admin_client, account):
    pages = [
        page_of(account),
        reverse("admin:cal_bookings_account_changelist"),
        reverse("admin:cal_bookings_overview"),
        reverse("admin:cal_bookings_account_replace_key", args=[account.pk]),
    ]

    for page in pages:
        response = admin_client.get(page)

        assert response.status_code == 200
        assert "sesame" not in response.content.decode()


def test_test_the_connection_says_what_is_wrong_and_what_helps(admin_client, account):
    answer = last_message(press(admin_client, "account_test", account))

    assert '"aaa"' in answer
    assert "sesame" not in answer


def test_another_key_cures_it(admin_client, cal, account):
    response = press(
        admin_client, "account_replace_key", account, {"api_key": cal.api_key}
    )

    assert "The new key of aaa is stored." in last_message(response)
    assert Account.objects.get(alias="aaa").credential == ApiKey(cal.api_key)
    answer = last_message(press(admin_client, "account_test", account))
    assert answer.startswith("Cal.com answers: the credential of aaa is ")


def test_the_other_accounts_are_walked(cal, account, capsys):
    with pytest.raises(SystemExit) as exited:
        call_command("cal_sync", json=True)

    runs = {
        run["account"]: run
        for run in map(json.loads, capsys.readouterr().out.split("\n")[:-1])
    }
    assert {alias: run["complete"] for alias, run in runs.items()} == {
        "aaa": False,
        "default": True,
        "good": True,
    }
    assert exited.value.code == 2
    assert '"aaa"' in runs["aaa"]["error"]
    assert Booking.objects.filter(account__alias="good").count() == 3


def test_it_can_be_switched_off_and_deleted(account):
    account.refresh_from_db()
    account.is_active = False
    account.save()

    account.delete()

    assert not Account.objects.filter(alias="aaa").exists()
