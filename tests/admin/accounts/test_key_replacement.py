"""The key of an account in the database is replaced by another one of the same user or organization."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from cal_bookings import budget
from cal_bookings.client import ApiKey
from cal_bookings.models import Account, Host, SyncState
from tests.admin.rows import messages_of, page_of, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(cal, settings):
    """An account in the database; keywords are its columns."""
    settings.CAL_BOOKINGS = {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }

    def connected(**fields):
        owner = cal.users[1]
        known = {"remote_id": owner.id, "email": owner.email, "base_url": cal.url}
        credentials = {"API_KEY": "cal_old"}
        return Account.objects.create(
            **{"alias": "ada", "credentials": credentials} | known | fields
        )

    return connected


@pytest.fixture
def account(connected):
    return connected()


@pytest.fixture
def another_key(cal):
    """Of the same user."""
    cal.accept_token("cal_another_sesame", cal.users[1])
    return "cal_another_sesame"


def address(account):
    return reverse("admin:cal_bookings_account_replace_key", args=[account.pk])


def replace(client, account, key):
    return client.post(address(account), {"api_key": key})


def problem(response):
    assert response.status_code == 200
    [text] = response.context["form"].errors["api_key"]
    return text


def stored():
    return Account.objects.get().credential


def test_a_key_that_cal_com_accepts_replaces_the_old_one(client, account, another_key):
    user = staff("view_account", "change_account")
    client.force_login(user)
    assert address(account) in client.get(page_of(account)).content.decode()
    assert client.get(address(account)).status_code == 200

    response = replace(client, account, f" {another_key} ")

    assert response["Location"] == page_of(account)
    assert messages_of(response) == [
        "The new key of ada is stored. It belongs to host1@example.com."
    ]
    assert stored() == ApiKey(another_key)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.change_message) == (user, "Replaced the key.")


def test_no_page_shows_the_key_afterwards(admin_client, account, another_key):
    first = replace(admin_client, account, another_key)
    pages = [admin_client.get(url) for url in [page_of(account), address(account)]]
    again = replace(admin_client, account, "cal_wrong_sesame")

    for response in [first, *pages, again]:
        assert "sesame" not in response.content.decode()


def test_a_key_that_cal_com_refuses_changes_nothing(admin_client, account):
    response = replace(admin_client, account, "cal_wrong_sesame")

    assert "Cal.com does not accept" in problem(response)
    assert stored() == ApiKey("cal_old")
    assert not LogEntry.objects.exists()
    assert Account.objects.get().circuit_open_until is None


@pytest.mark.parametrize(
    ("key", "problem_text"),
    [("", "This field is required."), ("cal_open sesame", "ASCII without spaces")],
)
def test_mistakes_are_told_before_anything_is_asked(
    admin_client, cal, account, key, problem_text
):
    assert problem_text in problem(replace(admin_client, account, key))
    assert not cal.requests
    assert stored() == ApiKey("cal_old")


def test_without_a_key_to_encrypt_with_nothing_is_tried(
    admin_client, cal, account, another_key, settings
):
    settings.CAL_BOOKINGS["ENCRYPTION_KEYS"] = []

    response = replace(admin_client, account, another_key)

    assert 'need CAL_BOOKINGS["ENCRYPTION_KEYS"]' in problem(response)
    assert not cal.requests


def test_the_key_of_another_user_is_refused_with_the_cure(admin_client, cal, account):
    colleague = cal.add_user()

    text = problem(replace(admin_client, account, colleague.api_key))

    assert f"belongs to {colleague.email}" in text
    assert "mirrors the bookings of host1@example.com" in text
    assert "signed in as that user" in text
    assert "add an account of its own" in text
    assert stored() == ApiKey("cal_old")


class TestOfAnOrganization:
    @pytest.fixture
    def account(self, connected):
        return connected(scope={"organization": 7})

    def test_anybody_in_it_may_own_the_key(self, admin_client, cal, account):
        colleague = cal.add_user(organization_id=7)

        replace(admin_client, account, colleague.api_key)

        assert stored() == ApiKey(colleague.api_key)
        account.refresh_from_db()
        assert (account.remote_id, account.email) == (colleague.id, colleague.email)

    @pytest.mark.parametrize("organization", [None, 8])
    def test_nobody_else_may(self, admin_client, cal, account, organization):
        stranger = cal.add_user(organization_id=organization)

        text = problem(replace(admin_client, account, stranger.api_key))

        assert f"{stranger.email}, who is not in organization 7" in text
        assert "as somebody of that organization" in text
        assert stored() == ApiKey("cal_old")

    def test_a_key_that_does_not_reach_its_list_is_refused(
        self, admin_client, cal, account
    ):
        member = cal.add_user(organization_id=7)
        cal.fault("403", skip=1)

        text = problem(replace(admin_client, account, member.api_key))

        assert "check its permissions and the account's SCOPE" in text
        assert stored() == ApiKey("cal_old")


def test_a_key_for_a_team_has_to_reach_its_list(admin_client, cal, connected):
    account = connected(scope={"team": 1})
    colleague = cal.add_user()

    replace(admin_client, account, colleague.api_key)

    assert stored() == ApiKey(colleague.api_key)
    assert cal.requests[-1].path.endswith("/teams/1/bookings")


class TestOfAnUnknownUser:
    """Nobody noted whose the old key was: it was stored in Python."""

    @pytest.fixture
    def account(self, connected):
        return connected(remote_id=None, email="")

    @pytest.fixture
    def hosts(self, account):
        now = timezone.now()
        Host.objects.create(account=account, remote_id=1, mirrored_at=now)

    def test_any_key_will_do_before_there_are_bookings(
        self, admin_client, account, another_key
    ):
        replace(admin_client, account, another_key)

        account.refresh_from_db()
        assert (account.remote_id, account.email) == (1, "host1@example.com")

    def test_then_it_is_that_of_a_host(self, admin_client, account, another_key, hosts):
        replace(admin_client, account, another_key)

        assert stored() == ApiKey(another_key)

    def test_and_of_nobody_else(self, admin_client, cal, account, hosts):
        text = problem(replace(admin_client, account, cal.add_user().api_key))

        assert "mirrors the bookings of another user" in text


def test_an_account_whose_encryption_key_is_lost_gets_another_credential(
    admin_client, account, another_key, settings
):
    settings.CAL_BOOKINGS["ENCRYPTION_KEYS"] = [Fernet.generate_key().decode()]

    replace(admin_client, account, another_key)

    assert stored() == ApiKey(another_key)


def test_tokens_make_place_for_the_key_and_a_webhook_secret_stays(
    admin_client, connected, another_key
):
    tokens = {"ACCESS_TOKEN": "a", "REFRESH_TOKEN": "r", "CLIENT_ID": "c"}
    account = connected(credentials=tokens | {"WEBHOOK_SECRET": "s"})

    replace(admin_client, account, another_key)

    stored_now = Account.objects.get().credentials
    assert stored_now == {"API_KEY": another_key, "WEBHOOK_SECRET": "s"}


def test_a_pause_because_of_the_old_key_ends_and_failing_loops_are_due(
    admin_client, account, another_key
):
    later = timezone.now() + timedelta(hours=1)
    Account.objects.update(circuit_open_until=later, circuit_reason="Refused.")
    for mode, failures in [("full", 3), ("changes", 0)]:
        SyncState.objects.create(
            account=account, mode=mode, failures=failures, due_at=later
        )

    replace(admin_client, account, another_key)

    assert Account.objects.get().circuit_open_until is None
    due = SyncState.objects.filter(due_at__lte=timezone.now())
    assert [state.mode for state in due] == ["full"]


def test_a_pause_by_hand_stays(admin_client, account, another_key):
    budget.pause(account, "Paused by hand.")

    replace(admin_client, account, another_key)

    assert stored() == ApiKey(another_key)
    assert Account.objects.get().is_paused_by_hand


class TestOfTheSettings:
    @pytest.fixture
    def account(self, cal):
        return Account.objects.configured().get()

    def test_its_page_says_where_the_key_lives(self, admin_client, account):
        html = admin_client.get(page_of(account)).content.decode()

        assert '<code>CAL_BOOKINGS["ACCOUNTS"]["default"]</code>' in html
        assert address(account) not in html

    def test_it_cannot_be_replaced_here(self, admin_client, cal, account):
        response = replace(admin_client, account, cal.api_key)

        assert response["Location"] == page_of(account)
        [text] = messages_of(response)
        assert "lives in the settings" in text
        assert Account.objects.get().credentials == {}
        assert not cal.requests


@pytest.mark.parametrize("permission", ["add_account", "sync_account", "pause_account"])
def test_it_is_for_those_who_may(client, cal, account, another_key, permission):
    client.force_login(staff("view_account", permission))

    assert address(account) not in client.get(page_of(account)).content.decode()
    assert client.get(address(account)).status_code == 403
    assert replace(client, account, another_key).status_code == 403
    assert stored() == ApiKey("cal_old")
    assert not cal.requests


def test_an_error_report_does_not_tell_the_key(admin_client, account, another_key):
    response = replace(admin_client, account, another_key)

    assert response.wsgi_request.sensitive_post_parameters == ("api_key",)
