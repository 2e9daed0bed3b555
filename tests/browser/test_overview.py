"""The overview in the browser: what is red is seen to be, and an account is paused and resumed by its buttons."""

import pytest
from playwright.sync_api import expect

from cal_bookings import budget
from cal_bookings.client import CalRateLimited
from cal_bookings.models import Account
from cal_bookings.testing import RateLimit
from tests.browser.conftest import screenshot, violations_of

pytestmark = pytest.mark.cal(bookings=20, seed=1)
OVERVIEW = "/cal_bookings/syncstate/overview/"


def ask(account, times):
    with budget.connect(account, priority=budget.Priority.ACTION) as connection:
        for _ in range(times):
            connection.me()


@pytest.fixture
def accounts(cal, mirrored, settings):
    """One whose budget is used up, one that Cal.com blocks, one that somebody paused."""
    cal.rate_limit = RateLimit(limit=10)
    aliases = ["used-up", "blocked", "paused"]
    for alias in aliases:
        key = cal.add_user().api_key
        entry = {"API_KEY": key, "BASE_URL": cal.url}
        settings.CAL_BOOKINGS["ACCOUNTS"][alias] = entry
    accounts = {account.alias: account for account in Account.objects.configured()}
    for alias, times in zip(aliases, [9, 1, 4], strict=True):
        ask(accounts[alias], times)
    cal.fault("429", retry_after=30)
    with pytest.raises(CalRateLimited):
        ask(accounts["blocked"], 1)
    budget.pause(accounts["paused"], "Paused by hand by sam.")
    return accounts


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_wrong_with_an_account_is_seen(
    open_as, admin_user, site, accounts, scheme
):
    size = {"width": 1280, "height": 1100}
    page = open_as(admin_user, viewport=size, color_scheme=scheme)

    page.goto(site + OVERVIEW)
    screenshot(page, f"overview-of-accounts-{scheme}")

    assert violations_of(page) == []
    colours = {
        alias: page.locator(
            "tr", has=page.get_by_role("rowheader", name=alias)
        ).last.evaluate("row => getComputedStyle(row).backgroundColor")
        for alias in accounts
    }
    assert colours["paused"] not in (colours["used-up"], colours["blocked"])


def test_an_account_is_paused_and_resumed_without_javascript(
    open_as, admin_user, site, mirrored
):
    page = open_as(admin_user, java_script_enabled=False)

    page.goto(site + OVERVIEW)
    page.get_by_role("button", name="Pause default").click()
    expect(page.get_by_text("paused until resumed")).to_be_visible()
    page.get_by_role("button", name="Resume default").click()

    expect(page.get_by_text("default is resumed")).to_be_visible()
    expect(page.get_by_text("paused until resumed")).to_have_count(0)


def test_a_key_is_replaced_without_javascript(open_as, admin_user, site, cal, settings):
    settings.CAL_BOOKINGS = {
        "ENCRYPTION_KEYS": ["A" * 43 + "="],
        "ALLOWED_SERVERS": ["127.0.0.1"],
    }
    account = Account.objects.create(
        alias="ada", base_url=cal.url, remote_id=cal.users[1].id
    )
    page = open_as(admin_user, java_script_enabled=False)

    page.goto(f"{site}/cal_bookings/account/{account.pk}/change/")
    page.get_by_role("link", name="Replace the key").click()
    page.get_by_label("API key").fill(cal.add_user().api_key)
    page.get_by_role("button", name="Replace the key").click()
    expect(page.get_by_text("add an account of its own")).to_be_visible()
    page.get_by_label("API key").fill(cal.api_key)
    page.get_by_role("button", name="Replace the key").click()

    expect(page.get_by_text("The new key of ada is stored.")).to_be_visible()
