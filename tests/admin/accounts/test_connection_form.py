"""Connecting an account: the key is tried first, stored encrypted, and never shown."""

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from cal_bookings.client import ApiKey
from cal_bookings.models import Account
from tests.admin.rows import messages_of, staff

pytestmark = pytest.mark.django_db
ADD = "admin:cal_bookings_account_add"


@pytest.fixture
def own_accounts(cal, settings):
    """Accounts go into the database; the fake is theirs to find."""
    settings.CAL_BOOKINGS = {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }
    return cal


def form(cal, **fields):
    asked = {"alias": "ada", "base_url": cal.url, "scope": "{}", "api_key": cal.api_key}
    return asked | fields


def add(client, data):
    return client.post(reverse(ADD), data)


def errors(response):
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def test_a_key_that_cal_com_accepts_is_stored(admin_client, own_accounts):
    response = add(admin_client, form(own_accounts))

    account = Account.objects.get()
    assert response.status_code == 302
    assert account.credential == ApiKey(own_accounts.api_key)
    assert (account.alias, account.base_url) == ("ada", own_accounts.url)
    assert account.remote_id is not None
    assert "@" in account.email
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["ada"]


def test_a_key_that_cal_com_refuses_is_not(admin_client, own_accounts):
    response = add(admin_client, form(own_accounts, api_key="cal_wrong_sesame"))

    [problem] = errors(response)["__all__"]
    assert "Cal.com does not accept" in problem
    assert not Account.objects.exists()
    assert "sesame" not in response.content.decode()


def test_a_user_whose_bookings_another_account_mirrors_is_not_connected_again(
    admin_client, own_accounts
):
    add(admin_client, form(own_accounts))

    response = add(admin_client, form(own_accounts, alias="eve"))

    [problem] = errors(response)["__all__"]
    assert 'The accounts "eve" and "ada" have the same bookings' in problem
    assert [account.alias for account in Account.objects.all()] == ["ada"]


def test_a_server_that_is_not_there_is_named_with_the_cure(admin_client, own_accounts):
    response = add(admin_client, form(own_accounts, base_url="http://127.0.0.1:9/v2"))

    [problem] = errors(response)["__all__"]
    assert "The server cannot be reached" in problem


def test_without_a_key_to_encrypt_with_nothing_is_even_tried(
    admin_client, cal, settings
):
    settings.CAL_BOOKINGS["ALLOWED_SERVERS"] = ["127.0.0.1"]

    response = add(admin_client, form(cal))

    [problem] = errors(response)["__all__"]
    assert 'need CAL_BOOKINGS["ENCRYPTION_KEYS"]' in problem
    assert not cal.requests


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("alias", "taken", "The settings define an account of this name."),
        (
            "base_url",
            "ftp://example.com",
            "The base URL needs http:// or https:// and a host.",
        ),
        (
            "scope",
            "[1]",
            "Enter a JSON object whose keys are any of: organization, team, user.",
        ),
        (
            "scope",
            '{"teem": 1}',
            "Enter a JSON object whose keys are any of: organization, team, user.",
        ),
        ("scope", '{"team": "x"}', "Use Cal.com's numeric ids as values."),
        ("scope", '{"team": true}', "Use Cal.com's numeric ids as values."),
        ("api_key", "", "This field is required."),
    ],
)
def test_mistakes_are_told_where_they_are(
    admin_client, own_accounts, settings, field, value, problem
):
    settings.CAL_BOOKINGS["ACCOUNTS"] = {"taken": {"API_KEY": "cal_1"}}

    response = add(admin_client, form(own_accounts, **{field: value}))

    assert errors(response)[field] == [problem]
    assert not own_accounts.requests


def test_a_key_with_spaces_inside_is_refused_and_not_repeated(
    admin_client, own_accounts
):
    response = add(admin_client, form(own_accounts, api_key="cal_open sesame"))

    [problem] = errors(response)["__all__"]
    assert "printable ASCII without spaces" in problem
    assert "sesame" not in response.content.decode()


def test_adding_is_for_those_who_may(client, own_accounts):
    client.force_login(staff("view_account", "change_account", "sync_account"))

    assert add(client, form(own_accounts)).status_code == 403
    assert not Account.objects.exists()


def test_nothing_of_an_account_can_be_changed_later(admin_client, own_accounts):
    add(admin_client, form(own_accounts))
    page = reverse("admin:cal_bookings_account_change", args=[Account.objects.get().pk])

    assert admin_client.post(page, form(own_accounts)).status_code == 403
    html = admin_client.get(page).content.decode()
    assert own_accounts.api_key not in html
    assert 'name="api_key"' not in html


@pytest.fixture
def account(cal):
    return Account.objects.configured().get()


def address_of_test(account):
    return reverse("admin:cal_bookings_account_test", args=[account.pk])


def test_a_connection_is_tested_with_a_button(client, cal, account):
    client.force_login(staff("view_account", "sync_account"))
    page = reverse("admin:cal_bookings_account_change", args=[account.pk])
    assert (
        f'formaction="{address_of_test(account)}"' in client.get(page).content.decode()
    )

    response = client.post(address_of_test(account))

    assert response["Location"] == page
    [answer] = messages_of(response)
    assert answer.startswith("Cal.com answers: the credential of default is ")


def test_a_connection_that_fails_says_why(admin_client, cal, account, settings):
    settings.CAL_BOOKINGS["ACCOUNTS"]["default"]["API_KEY"] = "cal_wrong_sesame"

    [answer] = messages_of(admin_client.post(address_of_test(account)))

    assert "Cal.com does not accept" in answer
    assert "sesame" not in answer


def test_an_account_without_a_credential_says_so(admin_client):
    account = Account.objects.create(alias="bare")

    [answer] = messages_of(admin_client.post(address_of_test(account)))

    assert "has no credential" in answer


def test_an_account_whose_encryption_key_is_lost_is_shown_and_says_what_helps(
    admin_client, own_accounts, settings
):
    add(admin_client, form(own_accounts))
    account = Account.objects.get()
    settings.CAL_BOOKINGS["ENCRYPTION_KEYS"] = [Fernet.generate_key().decode()]
    page = reverse("admin:cal_bookings_account_change", args=[account.pk])

    assert admin_client.get(page).status_code == 200
    [answer] = messages_of(admin_client.post(address_of_test(account)))[-1:]

    assert "cannot be decrypted with any key" in answer
    assert "replace the credential" in answer


def test_testing_is_for_those_who_may(client, cal, account):
    client.force_login(staff("view_account"))
    page = reverse("admin:cal_bookings_account_change", args=[account.pk])

    assert "Test the connection" not in client.get(page).content.decode()
    assert client.post(address_of_test(account)).status_code == 403
    assert not cal.requests
