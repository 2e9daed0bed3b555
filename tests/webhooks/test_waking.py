"""A delivery wakes a worker: now, or at the next full second, and at most once a second and account."""

import time
from typing import Any

import pytest
from celery import Celery, current_app
from django.core.cache import cache

from cal_bookings.models import Account, WebhookDelivery
from cal_bookings.tasks import BEAT_SCHEDULE, waking
from cal_bookings.tasks import webhooks as tasks
from tests.webhooks.conftest import Sender, body
from tests.webhooks.recorded import SECRET


@pytest.fixture
def broker():
    """The current Celery app publishes into memory, where the messages can be counted."""
    site: Any = current_app
    before = site._get_current_object()
    with Celery("site", broker="memory://") as app:
        app.set_current()
        app.conf.task_default_queue = f"wake-{time.time_ns()}"
        yield app
    before.set_current()


def published(app):
    """The wake-ups in the queue: account and countdown."""
    found = []
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(app.conf.task_default_queue)
        while queue.qsize():
            message = queue.get(timeout=1)
            message.ack()
            found.append((message.payload[0][0], message.headers["eta"]))
        queue.close()
    return found


@pytest.fixture
def sender(db, settings):
    cache.clear()
    tasks._known.clear()
    waking.waker.quiet_until = 0.0
    settings.CAL_BOOKINGS = {
        "ACCOUNTS": {"default": {"API_KEY": "cal_key", "WEBHOOK_SECRET": SECRET}}
    }
    return Sender(Account.objects.configured().get())


def wait_for_a_new_second():
    time.sleep(1.02 - time.time() % 1)


def test_a_storm_wakes_once_now_and_once_at_the_next_second(sender, broker):
    wait_for_a_new_second()
    for number in range(50):
        assert sender.deliver(body("BOOKING_PAID", uid=str(number))).status_code == 200
        if time.time() % 1 > 0.8:
            break

    (account, now), (same, later) = published(broker)

    assert account == same == Account.objects.get().pk
    assert now is None
    assert later is not None


def test_each_account_wakes_for_itself(sender, broker, settings):
    entry = {"API_KEY": "other", "WEBHOOK_SECRET": SECRET}
    settings.CAL_BOOKINGS["ACCOUNTS"]["other"] = entry
    other = Sender(Account.objects.configured().get(alias="other"))
    wait_for_a_new_second()
    for each in (sender, other):
        each.deliver(body("BOOKING_PAID", uid="one"))

    woken = published(broker)

    assert {*woken} == {
        (pk, None) for pk in Account.objects.values_list("pk", flat=True)
    }


def test_other_processes_wake_nobody_in_the_same_second(sender, broker):
    wait_for_a_new_second()
    for _process in range(5):
        tasks._known.clear()
        sender.deliver(body("BOOKING_PAID", uid=str(_process)))

    assert len(published(broker)) == 2


def test_without_workers_nobody_is_woken(sender, broker, settings):
    settings.CAL_BOOKINGS |= {"WORKER": None}
    sender.deliver(body("BOOKING_PAID", uid="one"))

    assert published(broker) == []


def test_a_broker_that_is_down_costs_no_delivery(sender, caplog):
    site: Any = current_app
    before = site._get_current_object()
    with Celery("nowhere", broker="amqp://127.0.0.1:9//") as app:
        app.set_current()
        began = time.monotonic()
        statuses = {
            sender.deliver(body("BOOKING_PAID", uid=str(number))).status_code
            for number in range(20)
        }
    before.set_current()
    waking.waker.quiet_until = 0.0

    assert statuses == {200}
    assert time.monotonic() - began < 3
    assert caplog.text.count("Could not wake a worker") == 1
    assert WebhookDelivery.objects.count() == 20


def test_the_sweep_hands_out_accounts_with_due_deliveries(sender, broker, settings):
    settings.CAL_BOOKINGS |= {"WORKER": None}
    sender.deliver(body("BOOKING_PAID", uid="one"))

    tasks.sweep()

    assert [account for account, _eta in published(broker)] == [
        Account.objects.get().pk
    ]
    assert BEAT_SCHEDULE["cal_bookings.sweep"]["task"] in current_app.tasks


def test_deliveries_that_wait_for_somebody_else_are_left_to_the_sweep(
    sender, broker, settings
):
    settings.CACHES = settings.CACHES | {
        "forgetful": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    }
    settings.CAL_BOOKINGS |= {"CACHE": "forgetful"}
    sender.deliver(body("BOOKING_PAID", uid="one"))
    Account.objects.update(is_active=False)
    published(broker)

    tasks.process_deliveries(Account.objects.get().pk)

    assert published(broker) == []
