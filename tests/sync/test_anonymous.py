"""An account without a credential has no loops: Cal.com shows it no list."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from cal_bookings import conf, sync
from cal_bookings.budget.naming import name_of
from cal_bookings.client import Anonymous
from cal_bookings.models import Account, SyncState
from cal_bookings.sync import schedule


@pytest.fixture
def website(db, cal, settings):
    accounts = {
        "website": {"ANONYMOUS": True, "BASE_URL": cal.url},
        "default": {"API_KEY": cal.api_key, "BASE_URL": cal.url},
    }
    settings.CAL_BOOKINGS = {"ACCOUNTS": accounts}
    Account.objects.configured()
    return Account.objects.get(alias="website")


def test_nothing_is_scheduled_for_it(cal, website):
    assert schedule.make_states() == 1

    assert [state.account.alias for state in SyncState.objects.all()] == ["default"]


def test_a_walk_is_refused_with_the_cure(cal, website):
    with pytest.raises(sync.NoSuchLoop, match="give it an API key"):
        sync.walk(website)

    assert not cal.requests


def test_cal_sync_mirrors_the_others(cal, website, capsys):
    cal.book()

    call_command("cal_sync", "--mode", "full")

    assert "default" in capsys.readouterr().out
    assert {each.headers.get("authorization") for each in cal.requests} == {
        f"Bearer {cal.api_key}"
    }


def test_cal_sync_says_so_where_it_is_named_or_alone(cal, website, settings, capsys):
    with pytest.raises(SystemExit):
        call_command("cal_sync", "--account", "website")
    assert "is anonymous" in capsys.readouterr().err

    Account.objects.exclude(pk=website.pk).delete()
    accounts = {"website": settings.CAL_BOOKINGS["ACCOUNTS"]["website"]}
    settings.CAL_BOOKINGS = {"ACCOUNTS": accounts}
    with pytest.raises(CommandError, match="Every account is anonymous"):
        call_command("cal_sync")


def test_a_server_s_anonymous_accounts_share_a_budget_of_their_own():
    ours, theirs = "https://api.cal.com/v2", "https://cal.example.com/api/v2"

    assert name_of(ours, Anonymous()) == name_of(ours, Anonymous())
    assert name_of(ours, Anonymous()) != name_of(theirs, Anonymous())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"API_KEY": ""}, "it has 0"),
        ({"ANONYMOUS": False}, "it has 0"),
        ({"ANONYMOUS": True, "API_KEY": "cal_live_x"}, "it has 2"),
        ({"ANONYMOUS": True, "CLIENT_ID": "c", "CLIENT_SECRET": "s"}, "it has 2"),
        ({"ANONYMOUS": "yes"}, "ANONYMOUS must be True or False"),
    ],
)
def test_a_missing_or_a_second_credential_stays_an_error(entry, message):
    with pytest.raises(ImproperlyConfigured, match=message):
        conf.credential(entry, of="the account")
