"""An account is paused and resumed with a button; who did it is logged."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from cal_bookings.models import Account, SyncState
from tests.admin.rows import list_of, page_of, staff

pytestmark = pytest.mark.django_db
OVERVIEW = "admin:cal_bookings_overview"
SEES = ("view_account", "view_syncstate")


@pytest.fixture
def account(cal):
    return Account.objects.configured().get()


@pytest.fixture
def sam(client):
    user = staff("pause_account", *SEES)
    client.force_login(user)
    return user


def press(client, button, account, **data):
    url = reverse(f"admin:cal_bookings_account_{button}", args=[account.pk])
    return client.post(url, data)


def told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def logged():
    entries = LogEntry.objects.order_by("pk")
    return [
        (entry.user.username, entry.object_repr, entry.change_message)
        for entry in entries
    ]


def html_of(client, url):
    return client.get(url).content.decode()


def overview(client):
    return html_of(client, reverse(OVERVIEW))


def is_paused():
    return Account.objects.get().is_paused_by_hand


def test_a_paused_account_stays_so_until_it_is_resumed(client, sam, account):
    paused = press(client, "pause", account)
    assert is_paused()
    assert paused["Location"] == page_of(account)
    assert told(paused) == [
        "default is paused: no requests to Cal.com until it is resumed."
    ]

    press(client, "resume", account)
    assert not is_paused()
    assert Account.objects.get().circuit_open_until is None


def test_who_did_it_is_logged(client, sam, account):
    for button in ["pause", "resume"]:
        press(client, button, account)

    assert logged() == [
        (sam.username, "default", "Paused: no more requests to Cal.com."),
        (sam.username, "default", "Resumed: requests to Cal.com again."),
    ]


def test_pressing_twice_changes_nothing_and_logs_once(client, sam, account):
    press(client, "pause", account)
    first = Account.objects.get().why_paused
    client.force_login(staff("pause_account"))

    again = told(press(client, "pause", account))
    assert again[-1] == "default was paused already."
    assert Account.objects.get().why_paused == first
    press(client, "resume", account)
    assert told(press(client, "resume", account))[-1:] == ["default was not paused."]
    assert len(logged()) == 2


def test_the_overview_has_the_buttons_and_shows_the_state(client, sam, account):
    SyncState.objects.create(
        account=account, mode="full", last_completed_at=timezone.now()
    )
    html = overview(client)
    assert "Pause default" in html
    assert "Resume default" not in html

    response = press(client, "pause", account, **{"from": "overview"})

    assert response["Location"] == reverse(OVERVIEW)
    html = overview(client)
    assert "paused until resumed" in html
    assert f"Paused by hand by {sam.username}." in html
    assert "minutes ago" in html
    assert "account paused" in html
    assert "Resume default" in html
    assert "Pause default" not in html


def test_the_pages_of_account_and_loop_say_so_too(client, sam, account):
    state = SyncState.objects.create(account=account, mode="full")
    assert ">Pause</button>" in html_of(client, page_of(account))

    press(client, "pause", account)

    html = html_of(client, page_of(account))
    assert ">Resume</button>" in html
    assert ">Pause</button>" not in html
    for url in [page_of(account), page_of(state), list_of(Account), list_of(SyncState)]:
        assert "until resumed" in html_of(client, url)
    for url in [page_of(account), page_of(state)]:
        assert f"Paused by hand by {sam.username}." in html_of(client, url)


def test_the_list_of_accounts_filters_those_that_were_paused(client, sam, account):
    for paused in [False, True]:
        if paused:
            press(client, "pause", account)
        html = html_of(client, f"{list_of(Account)}?paused_at__isempty=0")
        assert (page_of(account) in html) == paused


def test_a_pause_because_of_an_error_can_be_ended_or_be_made_to_last(
    client, sam, account
):
    account.circuit_open_until = timezone.now() + timedelta(hours=1)
    account.save()
    html = overview(client)
    assert "Resume default" in html
    assert "Pause default" in html

    press(client, "pause", account)
    assert is_paused()

    press(client, "resume", account)
    assert Account.objects.get().circuit_open_until is None


def test_testing_a_paused_account_asks_once_and_leaves_it_paused(
    admin_client, cal, account
):
    press(admin_client, "pause", account)

    answers = told(press(admin_client, "test", account))

    assert len(cal.requests) == 1
    assert any(answer.startswith("Cal.com answers") for answer in answers)
    assert answers[-1] == "default stays paused."
    assert is_paused()


def test_to_sync_a_paused_account_now_does_not_promise_too_much(admin_client, account):
    press(admin_client, "pause", account)
    url = reverse("admin:cal_bookings_sync_now", args=[account.pk])

    [_, answer] = told(admin_client.post(url))

    assert "it is paused: they are walked when it is resumed" in answer


@pytest.mark.parametrize("permission", ["change_account", "sync_account"])
def test_it_is_for_those_who_may(client, account, permission):
    client.force_login(staff(permission, *SEES))

    for page in [reverse(OVERVIEW), page_of(account)]:
        assert "/pause/" not in html_of(client, page)
    assert press(client, "pause", account).status_code == 403
    assert press(client, "resume", account).status_code == 403
    assert not is_paused()
    assert logged() == []


@pytest.mark.parametrize("button", ["pause", "resume"])
def test_the_buttons_are_no_links(admin_client, account, button):
    url = reverse(f"admin:cal_bookings_account_{button}", args=[account.pk])

    assert admin_client.get(url).status_code == 405


def test_an_account_that_is_gone_is_not_found(admin_client, account):
    Account.objects.all().delete()

    assert press(admin_client, "pause", account).status_code == 404
