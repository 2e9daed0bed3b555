"""The tasks that pull: what is due is found in the table, walked in stretches, and shared fairly."""

from datetime import timedelta

import pytest
from celery import current_app
from cryptography.fernet import Fernet
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cal_bookings import budget
from cal_bookings.client import CalUnauthorized
from cal_bookings.models import Account, Mode, SyncRun, SyncState
from cal_bookings.sync import schedule
from cal_bookings.tasks import BEAT_SCHEDULE
from cal_bookings.tasks.sync import sync_account, sync_accounts
from cal_bookings.testing import RateLimit
from tests.comparison import assert_mirrors
from tests.histories import Crash, crash_at


def accounts(number):
    """Accounts kept in the database, each with a state for each loop, as after its first full walk."""
    made = Account.objects.bulk_create(
        Account(alias=f"customer-{n}", credentials={"API_KEY": "k"})
        for n in range(number)
    )
    schedule.make_states()
    SyncState.objects.bulk_create(
        SyncState(account=account, mode=mode)
        for account in made
        for mode in (Mode.CHANGES, Mode.WINDOW)
    )
    return made


@pytest.fixture
def keys(settings):
    settings.CAL_BOOKINGS = {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="],
    }


def test_the_scheduled_tasks_exist_under_their_names():
    for entry in BEAT_SCHEDULE.values():
        assert entry["task"] in current_app.tasks
    assert "cal_bookings.sync_account" in current_app.tasks


@pytest.mark.cal(bookings=250)
@pytest.mark.usefixtures("at_once")
def test_a_new_account_is_mirrored_by_the_schedule_alone(cal, account):
    for _ in range(2):
        sync_accounts.delay()

    assert_mirrors(account, cal.payloads(cal.users[1]))
    states = SyncState.objects.filter(account=account)
    assert {state.mode for state in states} == set(Mode)
    assert all(state.due_at > timezone.now() for state in states)


@pytest.mark.cal(bookings=250)
@pytest.mark.usefixtures("at_once", "account")
def test_a_new_account_is_read_once_and_its_changes_are_followed_from_then_on(cal):
    sync_accounts.delay()
    assert {run.mode for run in SyncRun.objects.all()} == {Mode.FULL}
    cal.requests.clear()

    sync_accounts.delay()

    assert {run.mode for run in SyncRun.objects.all()} == set(Mode)
    (asked,) = (each for each in cal.requests if "beforeEnd" not in each.query)
    assert "afterUpdatedAt" in asked.query
    assert SyncRun.objects.get(mode=Mode.CHANGES).outcome == "complete"


@pytest.mark.cal(bookings=5)
@pytest.mark.usefixtures("at_once", "account")
def test_where_the_server_tells_no_time_the_changes_loop_begins_all_the_same(cal):
    cal.fault("undated", times=100)

    for _ in range(2):
        sync_accounts.delay()

    run = SyncRun.objects.get(mode=Mode.CHANGES)
    assert (run.outcome, run.seen) == ("complete", 5)
    assert SyncState.objects.get(mode=Mode.CHANGES).watermark is None


@pytest.mark.cal(bookings=45)
@pytest.mark.usefixtures("at_once")
def test_a_task_walks_a_stretch_and_enqueues_itself_for_the_rest(
    cal, account, settings
):
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {
        "PAGE_SIZE": 10,
        "PAGES_PER_TASK": 2,
    }

    sync_account.delay(account.pk, "full")

    runs = SyncRun.objects.order_by("pk")
    assert [(run.pages, run.outcome) for run in runs] == [
        (2, "paused"),
        (2, "paused"),
        (1, "complete"),
    ]


@pytest.mark.cal(bookings=60, rate_limit=RateLimit(limit=4, window=30, block=60))
@pytest.mark.usefixtures("at_once")
def test_a_task_does_not_wait_long_for_the_budget_but_comes_back(
    cal, account, settings
):
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"PAGE_SIZE": 10}

    sync_account.delay(account.pk, "full")

    run = SyncRun.objects.get()
    assert run.outcome == "paused"
    assert cal.rate_limit.refused == 0
    state = SyncState.objects.get(mode=Mode.FULL)
    assert 5 < (state.due_at - timezone.now()).total_seconds() <= 31
    assert state.checkpoint
    assert state.lease_until is None


@pytest.mark.cal(bookings=5)
@pytest.mark.usefixtures("at_once")
def test_a_task_for_an_account_that_is_gone_or_inactive_does_nothing(cal, account):
    Account.objects.update(is_active=False)

    sync_account.delay(account.pk, "full")
    sync_account.delay(account.pk + 1, "full")

    assert not cal.requests


@pytest.mark.cal(bookings=5)
@pytest.mark.usefixtures("at_once")
def test_a_task_that_finds_another_worker_at_it_leaves_it_alone(cal, account):
    SyncState.objects.create(
        account=account,
        mode=Mode.FULL,
        lease_owner="elsewhere:1",
        lease_until=timezone.now() + timedelta(minutes=4),
    )

    sync_account.delay(account.pk, "full")

    assert not cal.requests


@pytest.mark.usefixtures("db", "keys")
def test_all_that_is_due_is_handed_out_in_one_round_however_many_loops():
    accounts(schedule.AT_ONCE // 3 + 1)

    sync_accounts()

    assert not SyncState.objects.filter(due_at__lte=timezone.now()).exists()


@pytest.mark.usefixtures("db", "keys")
def test_what_is_due_is_handed_out_once_and_the_longest_waiting_first():
    accounts(5)
    now = timezone.now()
    for number, state in enumerate(SyncState.objects.order_by("-pk")):
        state.due_at = now - timedelta(minutes=60 - number)
        state.save()
    waiting = list(
        SyncState.objects.order_by("due_at").values_list("account_id", "mode")
    )

    assert [each[:2] for each in schedule.take_due(limit=4)] == waiting[:4]
    assert len(schedule.take_due()) == 15 - 4
    assert schedule.take_due() == []


@pytest.mark.usefixtures("db", "keys")
def test_what_was_handed_out_and_lost_is_handed_out_again():
    accounts(1)
    schedule.take_due()
    SyncState.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    assert len(schedule.take_due()) == 3


@pytest.mark.usefixtures("db", "keys")
def test_what_a_worker_is_at_is_not_handed_out():
    accounts(1)
    SyncState.objects.filter(mode=Mode.FULL).update(
        lease_until=timezone.now() + timedelta(minutes=1)
    )

    assert {mode for _, mode, _ in schedule.take_due()} == {Mode.CHANGES, Mode.WINDOW}


@pytest.mark.usefixtures("db", "keys")
def test_a_paused_account_waits_for_the_end_of_its_pause():
    paused, _ = accounts(2)
    until = timezone.now() + timedelta(minutes=5)
    Account.objects.filter(pk=paused.pk).update(circuit_open_until=until)

    assert paused.pk not in {account_id for account_id, *_ in schedule.take_due()}

    Account.objects.update(circuit_open_until=timezone.now())
    assert [account_id for account_id, *_ in schedule.take_due()] == [paused.pk] * 3


@pytest.mark.cal(bookings=5)
@pytest.mark.usefixtures("at_once")
def test_after_an_outage_one_loop_tries_and_the_others_follow_at_the_next_look(
    cal, account
):
    schedule.make_states()
    with budget.connect(account, priority=budget.Priority.FULL) as connection:
        cal.fault("401")
        with pytest.raises(CalUnauthorized):
            connection.me()
    sync_accounts.delay()
    assert not SyncRun.objects.exists()

    Account.objects.update(circuit_open_until=timezone.now())
    handed_out = schedule.take_due()
    with budget.connect(
        Account.objects.get(), priority=budget.Priority.FULL
    ) as the_one_that_tries:
        sync_account.delay(*handed_out[0])
        assert not SyncRun.objects.exists()
        the_one_that_tries.me()

    assert [each[:2] for each in schedule.take_due()] == [handed_out[0][:2]]


@pytest.mark.usefixtures("db", "keys")
@pytest.mark.parametrize("number", [1, 300])
def test_looking_for_what_is_due_costs_the_same_for_many_accounts(number):
    accounts(number)
    with CaptureQueriesContext(connection) as queries:
        schedule.make_states()
        schedule.take_due(limit=50)

    assert len(queries) == 3
    assert schedule.make_states() == 0


@pytest.mark.usefixtures("db", "keys")
def test_a_new_account_begins_with_its_full_loop():
    Account.objects.create(alias="new", credentials={"API_KEY": "k"})

    assert (schedule.make_states(), schedule.make_states()) == (1, 0)
    assert SyncState.objects.get().mode == Mode.FULL


# One message of a loop


@pytest.fixture
def only_full_is_due(account, settings):
    """A full walk of six pages, two in a stretch."""
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {
        "PAGE_SIZE": 10,
        "PAGES_PER_TASK": 2,
    }
    schedule.make_states()
    later = timezone.now() + timedelta(days=1)
    SyncState.objects.exclude(mode=Mode.FULL).update(due_at=later)


def outcomes():
    """Of the full walks, in their order."""
    runs = SyncRun.objects.filter(mode=Mode.FULL).order_by("pk")
    return list(runs.values_list("outcome", flat=True))


@pytest.mark.cal(bookings=60)
@pytest.mark.usefixtures("only_full_is_due")
def test_a_loop_is_walked_once_however_often_the_schedule_looks_meanwhile(broker):
    sync_accounts.delay()
    for _ in range(30):
        if not broker:
            break
        message = broker.deliver()
        if message.task == sync_account.name:
            sync_accounts.delay()  # comes into the queue while the stretch is walked
        message.work()

    assert outcomes() == ["paused", "paused", "complete"]
    assert not broker


@pytest.mark.cal(bookings=60)
@pytest.mark.usefixtures("only_full_is_due")
def test_a_stretch_that_is_handed_out_as_soon_as_it_ends_does_not_enqueue_itself(
    broker,
):
    """Another machine looks for what is due between the two statements of the task."""
    given_back = SyncState.objects.filter(mode=Mode.FULL, lease_until=None)
    looking: list[bool] = []
    handed_out: list[object] = []

    def look(proceed, sql, params, many, context):
        answer = proceed(sql, params, many, context)
        if not looking and not handed_out:
            looking.append(True)
            if given_back.exclude(checkpoint={}).exists():
                handed_out.extend(schedule.take_due())
            looking.clear()
        return answer

    sync_accounts()
    message = broker.deliver()
    with connection.execute_wrapper(look):
        message.work()

    assert len(handed_out) == 1
    assert not broker


@pytest.mark.cal(bookings=15)
@pytest.mark.usefixtures("only_full_is_due")
def test_a_message_that_is_delivered_again_walks_nothing_again(cal, broker):
    sync_accounts()
    message = broker.deliver()
    message.work()
    cal.requests.clear()

    message.work()

    assert outcomes() == ["complete"]
    assert not cal.requests


@pytest.mark.cal(bookings=15)
@pytest.mark.usefixtures("only_full_is_due")
def test_of_two_messages_because_the_first_waited_too_long_the_second_does_nothing(
    cal, broker, django_assert_num_queries
):
    """The first: else where all wait so long nobody would ever be walked."""
    sync_accounts()
    past = timezone.now() - timedelta(seconds=1)
    SyncState.objects.filter(mode=Mode.FULL).update(due_at=past)
    sync_accounts()
    first, second = broker.deliver(), broker.deliver()

    first.work()
    cal.requests.clear()
    with django_assert_num_queries(1):
        second.work()

    assert not cal.requests
    assert outcomes() == ["complete"]


@pytest.mark.cal(bookings=60)
@pytest.mark.usefixtures("only_full_is_due")
def test_the_message_of_a_worker_that_died_goes_on_from_its_checkpoint(cal, broker):
    sync_accounts()
    message = broker.deliver()
    with pytest.raises(Crash), crash_at(50):
        message.work()
    assert SyncState.objects.get(mode=Mode.FULL).checkpoint
    past = timezone.now() - timedelta(seconds=1)
    SyncState.objects.filter(mode=Mode.FULL).update(lease_until=past)

    message.work()

    assert outcomes() == ["failed", "paused"]


@pytest.mark.cal(bookings=15)
@pytest.mark.usefixtures("only_full_is_due")
def test_what_was_walked_between_the_look_and_the_handing_out_is_not_walked_again(
    account, broker
):
    """Two beats by accident: the other one's message is walked before this one writes."""
    walked: list[str] = []

    def walk(proceed, sql, params, many, context):
        answer = proceed(sql, params, many, context)
        if not walked and "SELECT" in sql and "syncstate" in sql:
            walked.append(sql)
            sync_account(account.pk, "full")
        return answer

    with connection.execute_wrapper(walk):
        handed_out = schedule.take_due()
    for turn in handed_out:
        sync_account(*turn)

    assert walked
    assert outcomes() == ["complete"]


@pytest.mark.cal(bookings=15)
def test_without_a_ticket_a_loop_is_walked_although_it_is_not_due(cal, account):
    sync_account(account.pk, "full")
    sync_account(account.pk, "full")

    assert outcomes() == ["complete", "complete"]


@pytest.mark.cal(bookings=10)
def test_bookings_asked_for_one_by_one_are_a_stretch_that_goes_on_at_once(
    cal, account, settings, at_once
):
    sync_account.delay(account.pk, "full")
    SyncRun.objects.all().delete()
    for uid in cal.bookings[:5]:
        cal.delete(uid)
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"PAGES_PER_TASK": 3}

    sync_account.delay(account.pk, "full")

    assert outcomes() == ["paused", "complete"]


@pytest.mark.usefixtures("db", "keys", "at_once")
def test_a_loop_that_its_account_no_longer_has_is_handed_out_once_more_and_forgotten():
    (account,) = accounts(1)
    Account.objects.update(scope={"team": 1})

    sync_account.delay(account.pk, "changes")

    assert {state.mode for state in SyncState.objects.all()} == {Mode.WINDOW, Mode.FULL}


@pytest.mark.usefixtures("db", "keys", "at_once")
@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({}, "has no credential: add it to CAL_BOOKINGS"),
        ({"API_KEY": "cal_live_1\n"}, "The API key must be printable"),
    ],
)
def test_an_account_without_a_usable_credential_says_so_and_is_tried_less_often(
    admin_client, credentials, message
):
    account = Account.objects.create(alias="customer", credentials=credentials)
    schedule.make_states()
    state = SyncState.objects.get(mode=Mode.FULL)
    waits = []
    for _ in range(3):
        sync_account.delay(account.pk, "full")
        state.refresh_from_db()
        waits.append((state.due_at - timezone.now()).total_seconds())

    assert message in state.last_error
    assert state.failures == 3
    assert 100 < waits[0] < waits[1] < waits[2]
    overview = admin_client.get(reverse("admin:cal_bookings_overview"))
    assert message in overview.content.decode()


@pytest.mark.usefixtures("db", "keys", "at_once")
def test_an_account_whose_key_is_lost_says_so(settings):
    (account,) = accounts(1)
    settings.CAL_BOOKINGS = {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }

    sync_account.delay(account.pk, "full")

    state = SyncState.objects.get(mode=Mode.FULL)
    assert "cannot be decrypted" in state.last_error
    assert state.failures == 1


# What nobody foresaw


@pytest.mark.cal(bookings=5)
@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("statement", ["cal_bookings_walkpage", "cal_bookings_syncrun"])
def test_an_exception_that_nobody_foresaw_puts_the_loop_off_and_names_nobody(
    transactional_db, account, caplog, statement
):
    secret = "".join(("ben", "@", "example.net"))  # the log quotes lines of code
    schedule.make_states()

    def break_off(proceed, sql, params, many, context):
        if sql.startswith("INSERT") and f'{statement}"' in sql.replace("`", '"'):
            raise LookupError(secret)
        return proceed(sql, params, many, context)

    for _ in range(2):
        with connection.execute_wrapper(break_off):
            sync_account.delay(account.pk, "full")

    state = SyncState.objects.get(mode=Mode.FULL)
    assert state.failures == 2
    assert "unexpected LookupError" in state.last_error
    assert state.lease_until is None
    assert state.due_at > timezone.now() + timedelta(seconds=100)
    assert "LookupError" in caplog.text
    assert secret not in caplog.text + state.last_error


@pytest.mark.cal(bookings=300)
@pytest.mark.usefixtures("at_once")
def test_where_tasks_run_eagerly_a_walk_of_many_stretches_ends(account, settings):
    settings.CAL_BOOKINGS |= {"PAGE_SIZE": 2, "PAGES_PER_TASK": 1}

    sync_account.delay(account.pk, "full")

    assert SyncRun.objects.count() >= 150
    assert SyncRun.objects.latest("pk").outcome == "complete"
