"""How much of each account's request budget is in use, on the overview: looking at it uses none."""

import re

import pytest
from cryptography.fernet import Fernet
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from cal_bookings import budget
from cal_bookings.budget import Priority
from cal_bookings.client import CalRateLimited
from cal_bookings.models import Account, RateWindow
from cal_bookings.testing import RateLimit
from tests.budget.caches import CacheOutOfOrder

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["cache", "database"])
def store(request, settings):
    """Where budgets are kept."""
    if request.param == "cache":
        kind = "tests.budget.caches.CacheOutOfOrder"
        settings.CACHES = {"default": {"BACKEND": kind, "LOCATION": "meter"}}
    yield request.param
    caches["default"].clear()


@pytest.fixture
def account(cal, store):
    cal.rate_limit = RateLimit(limit=10)
    return Account.objects.configured().get()


def ask(account, times=1):
    with budget.connect(account, priority=Priority.ACTION, max_wait=1) as client:
        for _ in range(times):
            client.me()


def ask_too_often(cal, account):
    cal.fault("429")
    with pytest.raises(CalRateLimited):
        ask(account)


def overview(client):
    response = client.get(reverse("admin:cal_bookings_overview"))
    return response.content.decode()


def shown(client):
    """The words and the meter of the only account."""
    match = re.search(
        r'<td>(<span class="cal-status.*?)</td>\s*<td>0', overview(client)
    )
    assert match
    return match[1]


def words(html):
    return strip_tags(html)


def test_where_nothing_was_asked_it_is_unknown(admin_client, account):
    html = shown(admin_client)

    assert words(html).startswith("unknown")
    assert "<meter" not in html


def test_what_is_in_use_is_told_in_words_and_by_a_meter(admin_client, account):
    ask(account, times=3)

    html = shown(admin_client)

    assert re.match("3 of 9 requests used; resets in (6[01]|5[0-9]) s", words(html))
    assert "cal-accepted" in html
    assert 'max="9" low="9" high="9" optimum="0" value="3"' in html
    assert 'aria-label="Budget in use of default"' in html


def test_what_is_used_up_is_amber(admin_client, account):
    ask(account, times=9)

    html = shown(admin_client)

    assert words(html).startswith("9 of 9 requests used; resets in ")
    assert "cal-pending" in html
    assert 'low="0.1" high="9" optimum="0" value="9"' in html


def test_what_cal_com_blocks_is_red(admin_client, cal, account):
    ask(account)
    ask_too_often(cal, account)

    html = shown(admin_client)

    assert words(html).startswith("blocked by Cal.com for ")
    assert "cal-rejected" in html
    assert 'low="0.1" high="0.2" optimum="0" value="9"' in html


def test_a_block_is_told_even_if_it_came_first(admin_client, cal, account):
    ask_too_often(cal, account)

    html = shown(admin_client)

    assert words(html).startswith("blocked by Cal.com for ")
    assert 'max="1"' in html


def test_a_window_that_is_over_leaves_all_of_the_budget(admin_client, account, cal):
    cal.rate_limit = RateLimit(limit=10, window=0.01)
    ask(account, times=2)
    usage = budget.usage([account], now=2**33)

    assert usage[account.pk] == budget.Usage(slots=9, period=usage[account.pk].period)


def test_requests_of_others_with_the_same_key_count(admin_client, cal, account):
    ask(account)
    with account.connect() as somebody_else:
        for _ in range(6):
            somebody_else.me()
    ask(account)

    assert words(shown(admin_client)).startswith("8 of 9 requests")


def test_looking_uses_nothing(admin_client, cal, account):
    ask(account, times=2)
    asked, windows = len(cal.requests), list(RateWindow.objects.values())

    first, second = shown(admin_client), shown(admin_client)

    assert words(first)[:5] == words(second)[:5] == "2 of "
    assert len(cal.requests) == asked
    assert list(RateWindow.objects.values()) == windows


def test_a_cache_that_is_away_is_no_error(admin_client, account, monkeypatch):
    monkeypatch.setattr(CacheOutOfOrder, "is_down", True)
    ask(account, times=2)

    assert words(shown(admin_client)).startswith("2 of 9")


def test_an_account_without_a_usable_credential_says_why(
    admin_client, account, settings
):
    settings.CAL_BOOKINGS["ACCOUNTS"]["default"]["API_KEY"] = ""

    assert words(shown(admin_client)).startswith("unknown")
    assert "needs exactly one credential" in words(shown(admin_client))


def test_so_does_one_whose_encryption_key_is_lost(admin_client, settings):
    settings.CAL_BOOKINGS = {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }
    Account.objects.create(alias="locked", credentials={"API_KEY": "cal_sesame"})
    settings.CAL_BOOKINGS["ENCRYPTION_KEYS"] = [Fernet.generate_key().decode()]

    html = overview(admin_client)

    assert "cannot be decrypted" in html
    assert "sesame" not in html


def test_it_costs_the_same_for_any_number_of_accounts(admin_client, store, settings):
    settings.CAL_BOOKINGS = {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }

    def cost(numbers):
        for n in numbers:
            credentials = {"API_KEY": f"cal_{n}"}
            Account.objects.create(alias=f"a-{n}", credentials=credentials)
        with CaptureQueriesContext(connection) as captured:
            overview(admin_client)
        return len(captured)

    cost(range(1))
    assert cost(range(1, 2)) == cost(range(2, 30))
