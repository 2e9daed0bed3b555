"""Many workers at the same bookings at once: no lost race reaches anybody, and the mirror equals the remote."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from traceback import format_exception

import pytest
from django.db import connection, connections
from django.utils import timezone

from cal_bookings import budget, mirror, sync
from cal_bookings.models import Account, BookingChange, EventType, Host, Mode
from tests.comparison import assert_mirrors

pytestmark = [
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="SQLite has one writer at a time"
    ),
    pytest.mark.django_db(transaction=True),
    pytest.mark.cal(bookings=300),
]


class Storm:
    """Walks and refreshes of one account, some at a time, while its bookings change on Cal.com."""

    def __init__(self, cal, account, seed=0):
        self.cal = cal
        self.account = account
        self.random = random.Random(seed)
        self.errors: list[str] = []

    def rage(self, times, at_once):
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(self._one, range(times)))

    def _one(self, number):
        try:
            self._do(random.Random(number))
        except Exception as error:  # noqa: BLE001 - that is what is counted
            self.errors.append("".join(format_exception(error)[-12:]))
        finally:
            connections.close_all()

    def _do(self, rng):
        account = Account.objects.get(pk=self.account.pk)
        if rng.random() < 0.2:
            self.cal.change_something(rng)
        if rng.random() < 0.4:
            try:
                sync.walk(account, rng.choice(list(Mode)))
            except sync.LeaseTaken:
                self._write_a_page(account, rng)
        elif rng.random() < 0.5:
            self._write_a_page(account, rng)
        else:
            uid = rng.choice(list(self.cal.rows))
            with budget.connect(account, priority=budget.Priority.REFRESH) as asking:
                mirror.refresh(account, uid, connection=asking)

    def _write_a_page(self, account, rng):
        """What a walk does between its requests, in an order and a size of its own."""
        asked_at = timezone.now()
        payloads = self.cal.payloads(self.cal.users[1])
        mirror.upsert(
            account,
            rng.sample(payloads, min(100, len(payloads))),
            asked_at=asked_at,
            api_version="2024-08-13",
            source=BookingChange.Source.WALK,
        )

    def calm(self):
        self.cal.clock.advance(timedelta(minutes=30))
        for _ in range(2):
            for mode in (Mode.FULL, Mode.WINDOW, Mode.CHANGES):
                run = sync.walk(Account.objects.get(pk=self.account.pk), mode)
                assert run.outcome == "complete"


def assert_no_race_is_lost(cal, account, times, at_once, rounds):
    storm = Storm(cal, account)
    for _ in range(rounds):
        # From an empty mirror: new rows are what two writers insert at the same moment.
        account.bookings.all().delete()
        EventType.objects.all().delete()
        Host.objects.all().delete()
        storm.rage(times // rounds, at_once)
        assert storm.errors == []
        storm.calm()
        assert_mirrors(account, cal.payloads(cal.users[1]))


def test_workers_at_the_same_bookings_lose_no_race(cal, account):
    assert_no_race_is_lost(cal, account, times=60, at_once=8, rounds=1)


@pytest.mark.slow
def test_a_thousand_walks_and_refreshes_lose_no_race(cal, account):
    assert_no_race_is_lost(cal, account, times=1000, at_once=16, rounds=10)
