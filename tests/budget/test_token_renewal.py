"""Tokens that run out are exchanged once, by one worker, and what comes back is not lost."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.utils import timezone

from cal_bookings import budget, sync
from cal_bookings.budget import CircuitOpen, Priority
from cal_bookings.client import (
    CalTokenExpired,
    CalUnauthorized,
    CalUnavailable,
)
from cal_bookings.models import Account, SyncRun

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["oauth", "managed user"])
def account(request, cal, settings):
    settings.CAL_BOOKINGS = {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }
    access, refresh = cal.issue_tokens(cal.users[1])
    account = Account.objects.create(alias="customer", base_url=cal.url)
    account.store_credentials(
        {
            "ACCESS_TOKEN": access,
            "REFRESH_TOKEN": refresh,
            "CLIENT_ID": "client",
            "CLIENT_SECRET": "hush",
            "MANAGED_USER": request.param != "oauth",
        }
    )
    return account


@pytest.fixture
def expired(cal, account):
    """The account's access token, which has run out."""
    cal.expire_token(account.credentials["ACCESS_TOKEN"])
    return account.credential


def exchanges(cal):
    return [each for each in cal.requests if each.method == "POST"]


def ask(account):
    with budget.connect(account, priority=Priority.ACTION) as connection:
        return connection.me()["id"]


def test_a_token_that_has_run_out_is_exchanged_and_the_request_repeated(
    cal, account, expired
):
    assert ask(account) == cal.users[1].id

    stored = Account.objects.get()
    assert stored.credential == account.credential != expired
    assert stored.credentials["REFRESH_TOKEN"].startswith("refresh-")
    assert [each.status for each in cal.requests] == [498, 200, 200]
    assert stored.circuit_failures == 0


def test_the_new_pair_is_good_for_the_next_time(cal, account, expired):
    ask(account)
    cal.expire_token(account.credentials["ACCESS_TOKEN"])

    ask(Account.objects.get())

    assert [each.status for each in exchanges(cal)] == [200, 200]


@pytest.mark.cal(bookings=250)
def test_in_the_middle_of_a_walk_nobody_notices(cal, account):
    def expire_before_the_second_page(request):
        if len(cal.requests) == 1:
            cal.expire_token(account.credentials["ACCESS_TOKEN"])

    cal.on_request = expire_before_the_second_page

    run = sync.walk(account)

    assert (run.outcome, run.seen) == (SyncRun.Outcome.COMPLETE, 250)


def test_who_comes_later_uses_what_the_first_one_stored(cal, account, expired):
    late = Account.objects.get()
    ask(account)

    assert ask(late) == cal.users[1].id

    assert len(exchanges(cal)) == 1


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="its connections do not wait for a row"
)
def test_workers_that_meet_the_refusal_together_exchange_once(cal, account, expired):
    cal.latency = 0.3
    barrier, seen = Barrier(4), []

    def work():
        mine = Account.objects.get()
        barrier.wait()
        seen.append(ask(mine))
        connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [cal.users[1].id] * 4
    assert len(exchanges(cal)) == 1


def test_a_worker_that_died_during_the_exchange_is_not_waited_for_forever(
    cal, account, expired
):
    Account.objects.update(
        credentials_lease_until=timezone.now() + timedelta(seconds=1)
    )

    assert ask(account) == cal.users[1].id


def test_a_credential_stored_during_the_exchange_wins(cal, account, expired):
    chosen, refresh = cal.issue_tokens(cal.users[2])

    def somebody_connects_another_user(request):
        if request.method == "POST":
            other = Account.objects.get()
            other.store_credentials(
                other.credentials | {"ACCESS_TOKEN": chosen, "REFRESH_TOKEN": refresh}
            )
            # That of the server's thread; close() would spare a database in memory.
            connection.connection.close()

    cal.on_request = somebody_connects_another_user

    assert ask(account) == cal.users[2].id
    assert Account.objects.get().credential == replace(expired, token=chosen)


def test_a_void_refresh_token_says_that_its_owner_has_to_connect_again(
    cal, account, expired
):
    account.store_credentials(account.credentials | {"REFRESH_TOKEN": "void"})

    with pytest.raises(CalUnauthorized):
        ask(account)
    with pytest.raises(CircuitOpen, match="has to connect"):
        ask(account)


def test_a_refusal_of_new_tokens_too_is_told(cal, account, expired):
    def expire_what_it_came_with(request):
        if request.method == "GET":
            cal.expire_token(request.headers["authorization"].removeprefix("Bearer "))

    cal.on_request = expire_what_it_came_with

    with pytest.raises(CalTokenExpired):
        ask(account)

    assert [each.status for each in cal.requests] == [498, 200, 498]


def test_without_an_answer_to_the_exchange_it_is_tried_again(cal, account, expired):
    cal.fault("502", method="POST")
    with pytest.raises(CalUnavailable) as error:
        ask(account)
    assert not error.value.may_have_applied

    assert ask(account) == cal.users[1].id


def test_tokens_in_the_settings_are_not_exchanged_and_it_is_said(cal, settings):
    access, _ = cal.issue_tokens(cal.users[1])
    cal.expire_token(access)
    settings.CAL_BOOKINGS = {
        "ACCOUNTS": {"default": {"ACCESS_TOKEN": access, "BASE_URL": cal.url}}
    }
    account = Account.objects.configured().get()

    run = sync.walk(account)

    assert "keep the account in the database" in run.error
    assert exchanges(cal) == []
