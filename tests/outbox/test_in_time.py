"""Nothing is sent on a look that is too old, after the deadline, or after the lease: however the worker was held up.

The pauses are real: a row lock, a slow answer, a token that is exchanged slowly between the look and the request.
"""

import time
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection, transaction
from django.utils import timezone

from cal_bookings import outbox
from cal_bookings.models import Account, BookingAction
from cal_bookings.outbox.delivery_steps import ATTEMPTS
from tests.outbox.conftest import Desk

waits_for_rows = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="its connections do not wait for a row"
)
PLACE = {"type": "address", "address": "1 Main St"}


@pytest.fixture
def with_tokens(desk, settings):
    """The same desk, with an account that is kept in the database and whose access token can run out."""
    key = Fernet.generate_key().decode()
    own = {"ACCOUNTS": {}, "ENCRYPTION_KEYS": [key], "ALLOWED_SERVERS": ["127.0.0.1"]}
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | own
    access, refresh = desk.cal.issue_tokens(desk.cal.users[1])
    tokens = {"ACCESS_TOKEN": access, "REFRESH_TOKEN": refresh}
    client = {"CLIENT_ID": "client", "CLIENT_SECRET": "hush", "MANAGED_USER": True}
    desk.account.store_credentials(tokens | client)
    return Desk(desk.cal, Account.objects.get())


def expire_at_the_write(desk, then):
    """The first write meets an expired token; `then` runs while Cal.com exchanges it."""
    access = desk.account.credentials["ACCESS_TOKEN"]

    def on_request(request):
        if "/oauth/" in request.path:
            desk.cal.routes.expired_tokens.discard(access)
            then()
        elif request.method in ("POST", "PATCH") and not written:
            written.append(request.path)
            desk.cal.expire_token(access)

    written = []
    desk.cal.on_request = on_request


def hold(row):
    """Lock a row in a connection of its own; the returned function lets go of it and waits for that."""
    locked, let_go = Event(), Event()

    def lock():
        with transaction.atomic():
            type(row).objects.select_for_update().get(pk=row.pk)
            locked.set()
            let_go.wait(20)
        connection.close()

    thread = Thread(target=lock)
    thread.start()
    assert locked.wait(10)

    def release():
        let_go.set()
        thread.join()

    return release


def test_a_deadline_that_passes_during_the_look_is_kept(desk):
    action = outbox.update_location(desk.book(), location=PLACE)
    BookingAction.objects.update(deadline=timezone.now() + timedelta(seconds=0.4))
    desk.cal.fault("slow", method="GET", seconds=0.8)

    action = desk.deliver(action)

    assert (action.status, action.error_code) == ("failed", "expired")
    assert (action.sent_at, action.history.get().sent) == (None, False)
    assert desk.writes == 0


@pytest.mark.django_db(transaction=True)
def test_what_waited_for_another_token_is_looked_at_again_before_it_is_sent(
    with_tokens,
):
    desk = with_tokens
    booking = desk.book("confirm")
    action = outbox.confirm(booking)

    def somebody_cancels():
        time.sleep(2.2)
        desk.cal.cancel(booking.uid, "Changed my mind")

    expire_at_the_write(desk, somebody_cancels)
    action = desk.deliver(action)

    assert (action.status, action.error_code) == ("queued", "stale")
    assert (action.sent_at, action.history.get().sent) == (None, False)
    assert desk.effects() == []
    action = desk.deliver_until_ended(action)
    assert (action.status, action.error_code) == ("failed", "conflict")
    assert desk.cal.payload(booking.uid)["status"] == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_one_that_is_never_in_time_fails_unsent(with_tokens):
    desk = with_tokens
    action = outbox.update_location(desk.book(), location=PLACE)
    BookingAction.objects.update(attempts=ATTEMPTS - 1)
    expire_at_the_write(desk, lambda: time.sleep(2.2))

    action = desk.deliver(action)

    assert (action.status, action.error_code) == ("failed", "stale")
    assert (action.sent_at, desk.effects()) == (None, [])


@waits_for_rows
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_was_paused_past_its_lease_and_past_settling_sends_nothing(
    with_tokens, settings
):
    times = {"LEASE_SECONDS": 1, "ACTION_SETTLE_SECONDS": 1}
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | times
    desk = with_tokens
    booking = desk.book()
    action = outbox.update_location(booking, location=PLACE)
    verdicts: list[Any] = []

    def another_worker_decides():
        time.sleep(1.1)
        BookingAction.objects.update(next_attempt_at=timezone.now())
        verdicts.append(outbox.deliver(action.pk))
        connection.close()

    expire_at_the_write(desk, another_worker_decides)
    action = desk.deliver(action)

    assert [(one.status, one.error_code) for one in verdicts] == [
        ("failed", "not_applied")
    ]
    assert (action.status, action.error_code) == ("failed", "not_applied")
    assert desk.effects() == []
    assert desk.cal.payload(booking.uid)["location"] != PLACE["address"]
    outcomes = list(action.history.values_list("outcome", "sent"))
    assert outcomes == [("superseded", False), ("given up", False)]


@waits_for_rows
@pytest.mark.django_db(transaction=True)
def test_a_look_that_grew_old_behind_a_row_lock_is_not_acted_on(desk):
    booking = desk.book("confirm")
    action = outbox.confirm(booking)
    release: list[Any] = []

    def lock_the_row(request):
        if request.method == "GET" and not release:
            release.append(hold(action))
            Thread(target=let_go_later).start()

    def let_go_later():
        time.sleep(2.5)
        desk.cal.cancel(booking.uid, "Changed my mind")
        release[0]()

    desk.cal.on_request = lock_the_row
    action = desk.deliver(action)

    assert (action.status, action.error_code) == ("queued", "stale")
    assert desk.writes == 0
    action = desk.deliver_until_ended(action)
    assert (action.status, action.error_code) == ("failed", "conflict")
    assert desk.cal.payload(booking.uid)["status"] == "cancelled"
