"""Every client that the product uses goes through the budget of its credential."""

import pytest
from django.core.cache import caches

from cal_bookings import budget, sync
from cal_bookings.budget import BudgetExhausted, Priority
from cal_bookings.client import CalRateLimited
from cal_bookings.models import Account, Mode, RateWindow
from cal_bookings.testing import RateLimit
from tests.budget.caches import CacheOutOfOrder

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cal) -> Account:
    return Account.objects.configured().get()


def connect(account, **options):
    return budget.connect(account, **({"priority": Priority.FULL} | options))


class TestInTheDatabase:
    @pytest.mark.cal(bookings=250)
    def test_a_walk_is_counted(self, cal, account):
        sync.walk(account)

        assert (
            RateWindow.objects.get().used == len(cal.requests) == 5
        )  # with the owner of the key and the event types

    def test_accounts_with_one_credential_share_its_budget(
        self, cal, account, settings
    ):
        accounts = settings.CAL_BOOKINGS["ACCOUNTS"]
        accounts["other"] = accounts["default"] | {"SCOPE": {"team": 34}}

        for each in Account.objects.configured():
            with connect(each) as connection:
                connection.me()

        assert RateWindow.objects.get().used == 2

    def test_another_credential_has_a_budget_of_its_own(self, cal, account, settings):
        colleague = {"API_KEY": cal.add_user().api_key, "BASE_URL": cal.url}
        settings.CAL_BOOKINGS["ACCOUNTS"]["colleague"] = colleague

        for each in Account.objects.configured():
            with connect(each) as connection:
                connection.me()

        assert [window.used for window in RateWindow.objects.all()] == [1, 1]

    def test_the_credential_is_not_stored(self, cal, account):
        with connect(account) as connection:
            connection.me()

        assert cal.api_key.removeprefix("cal_") not in RateWindow.objects.get().key


@pytest.mark.parametrize("shared", [True, False])
class TestAnywhere:
    @pytest.fixture(autouse=True)
    def cache(self, settings, shared):
        kind = "tests.budget.caches.SharedCache"
        if shared:
            settings.CACHES = {"default": {"BACKEND": kind}}
        yield
        caches["default"].clear()

    def test_a_client_that_does_not_want_to_wait_is_told_how_long(self, cal, account):
        cal.rate_limit = RateLimit(limit=10)
        with connect(account, priority=Priority.ACTION, max_wait=0.5) as connection:
            for _ in range(9):
                connection.me()
            with pytest.raises(BudgetExhausted) as error:
                connection.me()

        assert error.value.seconds == pytest.approx(60, abs=1)
        assert cal.rate_limit.refused == 0

    @pytest.mark.parametrize("kind", ["429", "429-retry-after"])
    def test_a_429_blocks_the_credential_for_all(self, cal, account, kind):
        cal.fault(kind)
        with connect(account) as connection, pytest.raises(CalRateLimited) as refused:
            connection.me()
        asked = len(cal.requests)

        with (
            connect(account, priority=Priority.ACTION, max_wait=0.1) as connection,
            pytest.raises(BudgetExhausted) as error,
        ):
            connection.me()

        assert error.value.seconds == pytest.approx(refused.value.retry_after, abs=0.5)
        assert len(cal.requests) == asked

    def test_a_request_that_got_no_answer_does_not_hold_up_the_next_one(
        self, cal, account
    ):
        cal.fault("reset")

        with connect(account, max_wait=0.01) as connection:
            connection.me()

        assert connection.requests == 2


def test_each_loop_has_a_priority_of_its_name():
    assert {mode.name for mode in Mode} < Priority.__members__.keys()


class TestACacheThatGoesAway:
    @pytest.fixture(autouse=True)
    def cache(self, settings, monkeypatch):
        kind = "tests.budget.caches.CacheOutOfOrder"
        settings.CACHES = {"default": {"BACKEND": kind}}
        monkeypatch.setattr(CacheOutOfOrder, "is_down", False)
        yield
        caches["default"].clear()

    def test_is_replaced_by_the_database_with_the_servers_count(
        self, cal, account, monkeypatch
    ):
        with connect(account) as connection:
            connection.me()
            assert not RateWindow.objects.exists()
            monkeypatch.setattr(CacheOutOfOrder, "is_down", True)
            connection.me()

        assert RateWindow.objects.get().used == 2

    def test_and_used_again_when_it_is_back(self, cal, account, monkeypatch):
        monkeypatch.setattr(CacheOutOfOrder, "is_down", True)
        with connect(account) as connection:
            connection.me()
        assert RateWindow.objects.get().used == 1

        monkeypatch.setattr(CacheOutOfOrder, "is_down", False)
        with connect(account) as connection:
            connection.me()
            connection.me()

        assert RateWindow.objects.get().used == 1
        assert cal.rate_limit.refused == 0
