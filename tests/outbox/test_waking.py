"""From the outbox to a worker: at once if there is a broker, by the sweep if not; and by hand."""

import json
import time
from io import StringIO
from typing import Any

import pytest
from celery import Celery, current_app
from django.core.management import CommandError, call_command
from django.db import connection

from cal_bookings import outbox
from cal_bookings.models import BookingAction
from cal_bookings.tasks import BEAT_SCHEDULE, waking
from cal_bookings.tasks import outbox as tasks


@pytest.fixture
def celery_runs_here():
    """Tasks run in this process, when they are published."""
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


@pytest.fixture
def no_broker():
    """The site's Celery talks to a port where nobody listens."""
    site: Any = current_app
    before = site._get_current_object()
    with Celery("nowhere", broker="amqp://127.0.0.1:9//") as app:
        app.set_current()
        yield
    before.set_current()
    waking.waker.quiet_until = 0.0


def push(*arguments):
    """The exit code of `cal_push`, and what it printed."""
    out = StringIO()
    try:
        call_command("cal_push", *arguments, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_what_is_enqueued_is_delivered_after_the_commit(desk, celery_runs_here):
    action = outbox.cancel(desk.book(), reason="Fell ill")

    action.refresh_from_db()
    assert action.status == "done"


@pytest.mark.django_db(transaction=True)
def test_the_next_one_of_a_lane_follows_at_once(desk, celery_runs_here):
    booking = desk.past()
    BookingAction.objects.all().delete()
    waking.waker.quiet_until = time.monotonic() + 60
    first = outbox.mark_absent(booking, host=True)
    second = outbox.mark_absent(booking, attendees=list(booking_emails(booking)))
    waking.waker.quiet_until = 0.0

    tasks.deliver_due_actions()

    assert {one.status for one in BookingAction.objects.all()} == {"done"}
    assert [first.pk < second.pk, outbox.due(10)] == [True, []]


def booking_emails(booking):
    return [one["email"] for one in booking.payload["attendees"]]


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_caller_goes_on_and_the_sweep_delivers(
    desk, no_broker, caplog
):
    bookings = [desk.book() for _ in range(3)]
    began = time.monotonic()

    actions = [outbox.cancel(one, reason="Fell ill") for one in bookings]

    assert time.monotonic() - began < 2
    assert caplog.text.count("Could not wake a worker") == 1
    assert {one.status for one in BookingAction.objects.all()} == {"queued"}
    assert outbox.due(10) == [one.pk for one in actions]
    assert push()[0] == 0
    assert {one.status for one in BookingAction.objects.all()} == {"done"}


def test_the_sweep_is_in_the_schedule():
    entry = BEAT_SCHEDULE["cal_bookings.deliver_due_actions"]
    assert entry["task"] in current_app.tasks


def test_push_delivers_what_is_due_and_says_how_it_ended(desk):
    done, failed = desk.book(), desk.book()
    outbox.cancel(done, reason="Fell ill")
    outbox.cancel(failed, reason="Fell ill")
    desk.cal.reschedule(failed.uid)

    code, told = push("--json")

    assert code == 1
    ends = [json.loads(line) for line in told.splitlines()]
    assert [(one["status"], one["error_code"]) for one in ends] == [
        ("done", ""),
        ("failed", "rescheduled"),
    ]
    assert push() == (0, "Nothing is due.\n")


def test_push_tells_what_is_still_open(desk):
    outbox.cancel(desk.book(), reason="Fell ill")
    desk.cal.fault("dropped", method="POST")

    code, told = push()

    assert code == 2
    assert "unknown" in told


def test_push_delivers_a_lane_in_order(desk):
    booking = desk.past()
    outbox.mark_absent(booking, host=True)
    outbox.mark_absent(booking, attendees=booking_emails(booking))

    code, told = push("--account", "default")

    assert code == 0
    assert "2 done" in told


def test_push_names_the_accounts_there_are(desk):
    with pytest.raises(CommandError, match="Known: default"):
        call_command("cal_push", "--account", "nobody")


def test_lateness_is_that_of_the_action_that_waits_longest(desk):
    assert outbox.lateness().total_seconds() == 0
    outbox.cancel(desk.book(), reason="x")
    assert 0 < outbox.lateness().total_seconds() < 60


@pytest.mark.django_db(transaction=True)
def test_an_action_whose_turn_breaks_off_does_not_keep_push_from_the_others(desk):
    first, second = (outbox.cancel(desk.book(), reason="x") for _ in range(2))
    number = 987_654  # that of no account, and no limit of a query
    BookingAction.objects.filter(pk=first.pk).update(id=number)

    def fail(proceed, sql, params, many, context):
        if "FROM" in sql and "bookingaction" in sql and number in params:
            raise RuntimeError
        return proceed(sql, params, many, context)

    with connection.execute_wrapper(fail):
        code, told = push()

    second.refresh_from_db()
    assert (code, second.status) == (5, "done")
    assert "1 done" in told
