"""Slots without a credential, with a client id alone, and with one beside a managed user's token."""

from datetime import timedelta

import pytest

from cal_bookings import slots
from cal_bookings.client import AccessToken
from cal_bookings.models import Account
from tests.slots.conftest import MONDAY, TEN


@pytest.fixture
def account_with(db, cal, settings):
    def account_with(**entry):
        account = {"BASE_URL": cal.url, **entry}
        settings.CAL_BOOKINGS = {"ACCOUNTS": {"website": account}}
        return Account.objects.configured().get()

    return account_with


def test_it_reads_and_holds_slots(cal, account_with, event_type):
    website = account_with(ANONYMOUS=True)

    free = slots.free(
        website, event_type=event_type, begin=MONDAY, end=MONDAY + timedelta(days=1)
    )
    with slots.hold(website, event_type=event_type, start=TEN):
        assert len(cal.reservations) == 1

    assert len(free) == 16
    assert not len(cal.reservations)
    assert all("authorization" not in each.headers for each in cal.requests)


def test_it_does_not_say_for_how_long(cal, account_with, event_type):
    website = account_with(ANONYMOUS=True)

    with pytest.raises(slots.SlotRefused, match="API key") as refused:
        slots.reserve(website, event_type=event_type, start=TEN, minutes=10)

    assert refused.value.code == "anonymous"
    assert not cal.requests


def test_a_platform_s_client_is_named_alone(cal, account_with, event_type):
    website = account_with(ANONYMOUS=True, CLIENT_ID="client-1")

    assert slots.reserve(website, event_type=event_type, start=TEN).is_held

    [asked] = cal.requests
    assert asked.headers["x-cal-client-id"] == "client-1"
    assert "authorization" not in asked.headers


def test_a_platform_s_client_is_named_beside_a_managed_user_s_token(
    cal, account_with, event_type
):
    cal.accept_token("token-1", cal.users[1])
    managed = account_with(ACCESS_TOKEN="token-1", CLIENT_ID="client-1")

    held = slots.reserve(managed, event_type=event_type, start=TEN, minutes=10)

    assert held.is_held
    [asked] = cal.requests
    assert asked.headers["x-cal-client-id"] == "client-1"
    assert asked.headers["authorization"] == "Bearer token-1"


def test_a_managed_user_s_tokens_in_the_database_name_it_too_and_others_do_not(db):
    stored = {
        "ACCESS_TOKEN": "a",
        "REFRESH_TOKEN": "r",
        "CLIENT_ID": "client-1",
        "CLIENT_SECRET": "hush",
    }
    managed = Account(alias="managed", credentials={**stored, "MANAGED_USER": True})
    other = Account(alias="other", credentials=stored)

    assert managed.credential == AccessToken("a", "client-1")
    assert other.credential == AccessToken("a")
