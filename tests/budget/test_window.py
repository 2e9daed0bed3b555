"""Requests of many workers, one credential, in virtual time: none is refused, and hardly a slot is wasted."""

import random

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache

from cal_bookings.budget import BudgetExhausted, Priority
from cal_bookings.budget.cache_store import CacheStore
from cal_bookings.budget.database_store import DatabaseStore
from cal_bookings.budget.window import (
    Bucket,
    Window,
)
from cal_bookings.client import RateLimit
from cal_bookings.models import RateWindow
from tests.budget.throttled import (
    Throttle,
    VirtualTime,
)


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def cache():
    cache = caches["default"]
    cache.clear()
    yield cache
    cache.clear()


@pytest.fixture(params=["cache", "database"])
def store(request):
    if request.param == "cache":
        return CacheStore(request.getfixturevalue("cache"), "key")
    request.getfixturevalue("db")
    return DatabaseStore("key")


@pytest.fixture
def throttle(time) -> Throttle:
    return Throttle(time.clock)


@pytest.fixture
def bucket(store, time):
    def make(priority=Priority.ACTION, **options):
        return Bucket(
            store, priority=priority, clock=time.clock, sleep=time.sleep, **options
        )

    return make


def ask(bucket, throttle, latency=0.1, time=None):
    """One request as the client makes it: wait, send, hear; half of the latency each way."""
    bucket.wait()
    time.sleep(latency / 2)
    said, status = throttle.request()
    time.sleep(latency / 2)
    bucket.heard(said, status)
    if status == 429:
        bucket.refused(float(said.reset_seconds))
    return status


def ask_until_exhausted(bucket, throttle, time):
    while True:
        try:
            ask(bucket, throttle, 0, time)
        except BudgetExhausted as exhausted:
            return exhausted


def worker(bucket, throttle, time, *, until, latency=lambda: 0.1):
    def work():
        while time.now < until:
            ask(bucket, throttle, latency(), time)

    return work


def share_used(throttle, *, windows):
    return len(throttle.accepted) / (windows * throttle.limit)


class TestManyWorkers:
    @pytest.fixture
    def store(self, cache):
        return CacheStore(cache, "key")

    @pytest.mark.parametrize("period", [6, 60])
    def test_a_lone_backfill_uses_the_allowed_rate_and_no_more(
        self, bucket, time, period
    ):
        throttle = Throttle(time.clock, period=period)
        until = time.now + 10 * period

        time.run(
            *[
                worker(bucket(Priority.FULL), throttle, time, until=until)
                for _ in range(4)
            ]
        )

        assert throttle.refused == 0
        assert share_used(throttle, windows=10) >= 0.95

    @pytest.mark.parametrize("seed", range(10))
    def test_slow_and_fast_answers_in_any_order_are_never_refused(
        self, bucket, throttle, time, seed
    ):
        rng = random.Random(seed)
        until = time.now + 300

        time.run(
            *[
                worker(
                    bucket(rng.choice(list(Priority))),
                    throttle,
                    time,
                    until=until,
                    latency=lambda: rng.expovariate(1 / rng.choice([0.01, 0.2, 3])),
                )
                for _ in range(8)
            ]
        )

        assert throttle.refused == 0
        assert share_used(throttle, windows=5) >= 0.85

    @pytest.mark.parametrize("before_us", [True, False])
    def test_what_a_neighbour_with_the_same_key_used_counts(
        self, bucket, throttle, time, before_us
    ):
        began = time.now

        def neighbour():
            time.sleep(0 if before_us else 3)
            for _ in range(60):
                throttle.request()

        def we():
            time.sleep(0.5)
            worker(bucket(Priority.FULL), throttle, time, until=began + 59)()

        time.run(neighbour, we)

        assert throttle.refused == 0
        assert throttle.accepted_before(began + 60) == 119

    def test_an_action_in_the_middle_of_a_backfill_goes_at_once(
        self, bucket, throttle, time
    ):
        until = time.now + 180
        waits = []

        def staff():
            actions = bucket(Priority.ACTION)
            while time.now < until:
                time.sleep(7.0)
                asked = time.now
                ask(actions, throttle, 0.1, time)
                waits.append(time.now - asked)

        time.run(
            staff,
            *[
                worker(bucket(Priority.FULL), throttle, time, until=until)
                for _ in range(4)
            ],
        )

        assert throttle.refused == 0
        assert sorted(waits)[len(waits) // 2] < 0.2
        assert max(waits) < 7  # one in the last tenth of a used-up window


@pytest.mark.django_db
class TestOneClient:
    def test_without_headers_the_default_of_calcom_is_assumed(self, bucket, time):
        client = bucket(max_wait=0.01)

        for _ in range(119):
            client.wait()
            client.heard(None, 200)

        with pytest.raises(BudgetExhausted) as error:
            client.wait()
        assert error.value.seconds == pytest.approx(60, abs=0.1)

    def test_a_limit_of_ours_is_kept_below_the_servers(self, bucket, throttle, time):
        client = bucket(max_wait=0.01, limit=10)

        ask_until_exhausted(client, throttle, time)

        assert len(throttle.accepted) == 9

    def test_a_key_with_a_raised_limit_uses_it(self, bucket, time):
        throttle = Throttle(time.clock, limit=500)
        client = bucket(max_wait=0.01)

        ask_until_exhausted(client, throttle, time)

        assert len(throttle.accepted) == 495

    def test_it_sleeps_until_the_next_window(self, bucket, throttle, time):
        client = bucket()
        began = time.now

        for _ in range(120):
            ask(client, throttle, 0.001, time)

        assert 60 <= time.now - began < 60.5
        assert throttle.refused == 0

    @pytest.mark.parametrize(
        ("retry_after", "seconds"), [(None, 60), (7.0, 7), (1.7e9, 60)]
    )
    def test_a_429_silences_everybody(self, bucket, time, retry_after, seconds):
        first, other = bucket(max_wait=1), bucket(max_wait=1)
        first.wait()
        first.heard(None, 429)
        first.refused(retry_after)

        for client in (first, other):
            with pytest.raises(BudgetExhausted) as error:
                client.wait()
            assert error.value.seconds == pytest.approx(seconds, abs=0.1)

        time.now += seconds + 0.1
        other.wait()

    @pytest.mark.parametrize("what", ["window", "block", "opening"])
    def test_a_clock_that_was_a_year_ahead_blocks_nobody_once_it_is_right(
        self, store, time, what
    ):
        then = time.clock() + 365 * 86400.0
        store.read()
        store.claim(then)
        if what == "window":
            store.open(Window(then, then + 60, 100), 100)
        if what == "block":
            store.release()
            store.block(then + 60)
        if what == "opening" and isinstance(store, CacheStore):
            store.release()  # a cache forgets it by itself, by its own clock

        bucket = Bucket(
            store,
            priority=Priority.ACTION,
            max_wait=10,
            clock=time.clock,
            sleep=time.sleep,
        )
        bucket.wait()

    def test_a_shorter_block_does_not_end_a_longer_one(self, bucket):
        first, second = bucket(max_wait=1), bucket(max_wait=1)
        first.wait()
        for seconds in (50.0, 5.0):
            first.heard(None, 429)
            first.refused(seconds)

        with pytest.raises(BudgetExhausted) as error:
            second.wait()
        assert error.value.seconds == pytest.approx(50, abs=0.1)

    def test_the_limit_of_one_endpoint_is_not_that_of_the_credential(self, bucket):
        client = bucket(max_wait=0.5)

        for status in (201, 429):
            client.wait()
            client.heard(RateLimit(5, 0, 60, "booking_guests_add"), status)
            if status == 429:
                client.refused(60.0)

        client.wait()

    def test_a_first_request_without_an_answer_leaves_its_place(self, bucket):
        lost, other = bucket(), bucket(max_wait=0.01)
        lost.wait()

        with pytest.raises(BudgetExhausted):
            other.wait()
        lost.close()
        other.wait()

    def test_a_late_answer_of_the_window_before_does_not_count_in_this_one(
        self, bucket, throttle, time
    ):
        slow, other = bucket(), bucket(max_wait=0.01)
        for _ in range(100):
            ask(other, throttle, 0.001, time)
        slow.wait()
        said, _ = throttle.request()
        time.now += 61
        ask(other, throttle, 0.001, time)

        slow.heard(said, 200)

        for _ in range(118):
            ask(other, throttle, 0.0001, time)
        assert throttle.refused == 0

    @pytest.mark.parametrize("priority", Priority)
    def test_the_less_urgent_leaves_more_at_the_beginning_of_a_window(
        self, bucket, throttle, time, priority
    ):
        ask(bucket(), throttle, 0.001, time)
        client = bucket(priority, max_wait=0.01)

        exhausted = ask_until_exhausted(client, throttle, time)

        used = len(throttle.accepted)
        assert used == pytest.approx(119 * (1 - 0.05 * priority), abs=1)
        # And says exactly when it may go on.
        time.sleep(exhausted.seconds + 0.001)
        ask(client, throttle, 0, time)


class TestInTheCache:
    def test_an_evicted_counter_counts_as_used_up(self, cache, throttle, time):
        store = CacheStore(cache, "key")
        client = bucket_of(store, time)
        ask(client, throttle, 0.001, time)
        window, _, _ = store.read()
        assert window
        cache.delete(f"cal_bookings:key:used:{window.number}")

        with pytest.raises(BudgetExhausted) as error:
            client.wait()
        assert error.value.seconds == pytest.approx(60, abs=0.1)

    def test_who_looked_before_another_opened_the_window_does_not_open_a_second(
        self, cache, throttle, time
    ):
        def another_opens():
            cache_of_the_late_one.before_add = lambda: None
            first = CacheStore(cache, "key")
            ask(bucket_of(first, time), throttle, 0.001, time)

        cache_of_the_late_one = InterruptedCache("", {})
        cache_of_the_late_one.before_add = another_opens

        assert CacheStore(cache_of_the_late_one, "key").claim(time.now) is False
        assert len(throttle.accepted) == 1


class InterruptedCache(LocMemCache):
    """Something happens just before a key is added."""

    before_add = staticmethod(lambda: None)

    def add(self, *args, **kwargs):
        self.before_add()
        return super().add(*args, **kwargs)


def bucket_of(store, time):
    return Bucket(
        store,
        priority=Priority.ACTION,
        max_wait=0.01,
        clock=time.clock,
        sleep=time.sleep,
    )


@pytest.mark.django_db
def test_the_first_request_of_a_window_costs_three_statements_and_each_other_two(
    time, throttle, django_assert_num_queries
):
    RateWindow.objects.create(key="key")

    with django_assert_num_queries(3):
        ask(bucket_of(DatabaseStore("key"), time), throttle, 0.001, time)
    with django_assert_num_queries(2):
        ask(bucket_of(DatabaseStore("key"), time), throttle, 0.001, time)

    assert RateWindow.objects.get().used == 2


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(50))
def test_the_database_keeps_the_time_of_a_window_so_exactly_that_slots_are_counted(
    seed,
):
    began, store = random.Random(seed).uniform(1.7e9, 2.1e9), DatabaseStore("key")
    store.read()
    assert store.claim(began)

    store.open(Window(began, began + 60, slots=3), used=1)

    window, used, _ = store.read()
    assert window is not None
    assert used == 1
    assert store.take(window, at_most=2)
    assert not store.take(window, at_most=2)
    store.count_up(window, used=3)
    assert store.read()[:2] == (window, 3)
