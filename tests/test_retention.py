"""Records grow old and go; bookings stay, unless somebody asks for those that are gone from Cal.com."""

import json
import time
from datetime import timedelta
from io import StringIO
from threading import Event, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from cal_bookings import retention
from cal_bookings.models import (
    Account,
    ActionAttempt,
    Attendee,
    Booking,
    BookingAction,
    BookingChange,
    Mode,
    RateWindow,
    SyncRun,
    WebhookDelivery,
)
from cal_bookings.tasks.retention import prune

pytestmark = pytest.mark.django_db
NOW = timezone.now()
Status = BookingAction.Status


def ago(days: float):
    return NOW - timedelta(days=days)


@pytest.fixture
def account():
    return Account.objects.create(alias="default")


@pytest.fixture
def book(account):
    def book(uid="booking", **fields):
        start = fields.pop("start", ago(5000))
        return Booking.objects.create(
            account=account,
            uid=uid,
            start=start,
            end=start,
            first_seen_at=NOW,
            mirrored_at=NOW,
            duration=30,
            **fields,
        )

    return book


@pytest.fixture
def act(account, book):
    def act(status=Status.DONE, *, ended_at=None, booking=None):
        action = BookingAction.objects.create(
            account=account,
            booking=booking,
            kind=BookingAction.Kind.CANCEL,
            status=status,
            enqueued_at=ago(2000),
            deadline=ago(1999),
            ended_at=ended_at,
        )
        ActionAttempt.objects.create(action=action, worker="w")
        return action

    return act


def run(account, days):
    return SyncRun.objects.create(account=account, mode=Mode.FULL, started_at=ago(days))


def change(booking, days):
    return BookingChange.objects.create(
        booking=booking,
        source=BookingChange.Source.WALK,
        changes={},
        changed_at=ago(days),
    )


def cal_prune(**options):
    out = StringIO()
    call_command("cal_prune", stdout=out, **options)
    return out.getvalue()


def test_runs_history_and_ended_actions_go_when_they_are_old(account, book, act):
    young = [run(account, 29), change(book(), 364), act(ended_at=ago(364))]
    for old in (run(account, 31), change(Booking.objects.get(), 366)):
        assert old.pk
    act(ended_at=ago(366))

    counts = retention.prune()

    assert counts == {
        "runs": 1,
        "history": 1,
        "actions": 1,
        "reservations": 0,
        "deliveries": 0,
        "budgets": 0,
    }
    assert [
        *SyncRun.objects.all(),
        *BookingChange.objects.all(),
        *BookingAction.objects.all(),
    ] == young
    assert ActionAttempt.objects.count() == 1


def test_an_action_that_is_open_never_goes(act):
    for status in BookingAction.OPEN:
        act(status)

    retention.prune(keep_days={"actions": 0})

    assert BookingAction.objects.count() == 3


def test_bookings_never_go_unless_asked(book):
    book("old")
    book("gone", missing_since=ago(1000))

    retention.prune(keep_days={"runs": 0, "history": 0, "actions": 0})

    assert Booking.objects.count() == 2


def test_bookings_that_are_gone_from_calcom_go_with_all_of_theirs(book, act):
    book("listed")
    book("gone lately", missing_since=ago(9))
    gone = book("gone", missing_since=ago(11))
    Attendee.objects.create(booking=gone, position=0, name="Ben")
    change(gone, 1)
    act(booking=gone, ended_at=ago(1))

    counts = retention.prune(missing_bookings_days=10)

    assert counts["missing_bookings"] == 1
    assert {each.uid for each in Booking.objects.all()} == {"listed", "gone lately"}
    assert not Attendee.objects.exists()
    assert not BookingAction.objects.exists()


def test_a_booking_that_an_action_still_works_on_stays(book, act):
    act(Status.UNKNOWN, booking=book("gone", missing_since=ago(11)))

    assert retention.prune(missing_bookings_days=10)["missing_bookings"] == 0


def test_a_booking_that_comes_back_between_two_statements_stays(book):
    book("gone", missing_since=ago(11))
    back = book("back", missing_since=ago(11))
    statements: list[str] = []

    def come_back(execute, sql, params, many, context):
        is_next = len(statements) == 1
        if statements or "missing_since" in sql:
            statements.append(sql)
        if is_next:
            Booking.objects.filter(pk=back.pk).update(missing_since=None)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(come_back):
        counts = retention.prune(missing_bookings_days=10)

    assert counts["missing_bookings"] == 1
    assert list(Booking.objects.all()) == [back]


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="its connections do not wait for a row"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("happens", ["it comes back", "an action is enqueued"])
def test_a_booking_that_another_worker_is_at_is_looked_at_again(book, act, happens):
    booking = book("gone", missing_since=ago(11))
    locked, pruning = Event(), Event()

    def work():
        with transaction.atomic():
            mine = Booking.objects.select_for_update().get()
            locked.set()
            assert pruning.wait(30)
            time.sleep(0.3)  # until the other one waits for us
            if happens == "it comes back":
                Booking.objects.update(missing_since=None)
            else:
                act(Status.QUEUED, booking=mine)
        connection.close()

    def tell(execute, sql, params, many, context):
        if "missing_since" in sql:
            pruning.set()
        return execute(sql, params, many, context)

    thread = Thread(target=work)
    thread.start()
    assert locked.wait(30)
    with connection.execute_wrapper(tell):
        counts = retention.prune(missing_bookings_days=10)
    thread.join()

    assert counts["missing_bookings"] == 0
    assert list(Booking.objects.all()) == [booking]


def test_budgets_of_credentials_that_changed_go():
    RateWindow.objects.create(key="used", ends_at=NOW - timedelta(hours=1))
    RateWindow.objects.create(key="old", ends_at=NOW - timedelta(days=2))
    RateWindow.objects.create(key="never opened")

    assert retention.prune()["budgets"] == 2
    assert RateWindow.objects.get().key == "used"


def test_deliveries_go_when_they_were_processed_long_ago(account):
    def delivery(name, processed_at):
        return WebhookDelivery.objects.create(
            account=account,
            body_hash=name,
            received_at=ago(400),
            processed_at=processed_at,
        )

    young, waiting = delivery("young", ago(29)), delivery("waiting", None)
    delivery("old", ago(31))

    assert retention.prune()["deliveries"] == 1
    assert {*WebhookDelivery.objects.all()} == {young, waiting}


def test_ages_are_settings_and_none_is_for_ever(account, settings):
    settings.CAL_BOOKINGS = {"KEEP_DAYS": {"runs": None}}
    run(account, 5000)

    assert "runs" not in retention.prune()
    assert SyncRun.objects.count() == 1


def test_many_rows_go_in_batches(account, django_assert_max_num_queries):
    SyncRun.objects.bulk_create(
        SyncRun(account=account, mode=Mode.FULL, started_at=ago(40))
        for _ in range(2 * retention.BATCH + 1)
    )

    with django_assert_max_num_queries(21):
        counts = retention.prune()

    assert counts["runs"] == 2 * retention.BATCH + 1
    assert not SyncRun.objects.exists()


class TestTheCommand:
    def test_says_what_it_deleted(self, account):
        run(account, 31)

        assert "runs: 1 deleted" in cal_prune()
        assert not SyncRun.objects.exists()

    def test_a_dry_run_deletes_nothing(self, account, book):
        run(account, 31)
        book(missing_since=ago(40))

        said = cal_prune(dry_run=True, missing_bookings=30)

        assert "runs: 1 would be deleted" in said
        assert "missing bookings: 1 would be deleted" in said
        assert SyncRun.objects.count() == Booking.objects.count() == 1

    def test_prints_one_object_for_machines(self, account):
        run(account, 3)

        assert json.loads(cal_prune(json=True, runs=2)) == {
            "dry_run": False,
            "runs": 1,
            "history": 0,
            "actions": 0,
            "reservations": 0,
            "deliveries": 0,
            "budgets": 0,
        }

    def test_refuses_what_is_no_number_of_days(self):
        with pytest.raises(CommandError, match="days"):
            call_command("cal_prune", "--runs", "soon")
        with pytest.raises(CommandError, match="days"):
            call_command("cal_prune", "--missing-bookings", "-1")


def test_the_nightly_task_prunes(account):
    run(account, 31)

    prune()

    assert not SyncRun.objects.exists()
