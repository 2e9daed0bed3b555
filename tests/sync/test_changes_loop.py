"""The `changes` loop: what it catches, and when its watermark may move."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cal_bookings import sync
from cal_bookings.models import (
    Booking,
)
from tests.comparison import assert_mirrors
from tests.sync.conftest import changes, lists, watermark

pytestmark = pytest.mark.usefixtures("small_pages")

CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@pytest.mark.cal(bookings=30)
@pytest.mark.parametrize("dialect", ["cursor", "offset"])
def test_the_changes_loop_asks_only_for_what_changed(cal, mirrored, dialect):
    cal.dialect = dialect
    cal.cancel(cal.bookings[4], "Fell ill")
    new = cal.book()

    run = changes(mirrored)

    assert (run.outcome, run.seen, run.created, run.updated) == ("complete", 2, 1, 1)
    assert Booking.objects.filter(uid=new).exists()
    assert_mirrors(mirrored, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=30)
def test_an_idle_poll_is_one_request_and_a_handful_of_statements(cal, mirrored):
    with CaptureQueriesContext(connection) as queries:
        run = changes(mirrored)

    statements = [
        each["sql"]
        for each in queries
        # The budget costs none where the cache is shared; here it is not.
        if not each["sql"].startswith(CONTROL) and "ratewindow" not in each["sql"]
    ]
    assert len(cal.requests) == run.requests == 1
    assert len(statements) <= 8
    tables = ("booking", "attendee", "host", "eventtype", "bookingchange")
    wrote = [each for each in statements if not each.startswith("SELECT")]
    assert not [
        each for each in wrote for table in tables if f"cal_bookings_{table}" in each
    ]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="explains itself in one line")
@pytest.mark.cal(bookings=3)
def test_a_poll_finds_the_runs_of_dead_workers_by_index_however_many_it_keeps(mirrored):
    with CaptureQueriesContext(connection) as queries:
        changes(mirrored)

    update = next(
        each["sql"]
        for each in queries
        if each["sql"].startswith('UPDATE "cal_bookings_syncrun"')
    )
    with connection.cursor() as cursor:
        ((*_, plan),) = cursor.execute(f"EXPLAIN QUERY PLAN {update}")
    assert plan.endswith("(account_id=? AND mode=? AND outcome=?)")


@pytest.mark.cal(bookings=30)
def test_the_first_changes_walk_reads_everything(cal, account):
    run = changes(account)

    assert run.seen == 30
    assert watermark() is not None


@pytest.mark.cal(bookings=30)
def test_the_watermark_is_the_beginning_of_the_walk_by_the_remote_clock(cal, account):
    cal.clock.stop()
    began = cal.clock.now().replace(microsecond=0)
    cal.on_request = lambda _: cal.clock.advance(timedelta(minutes=3))

    sync.walk(account)

    # Three minutes for the question whose key it is, three for the first page.
    assert watermark() == began + timedelta(minutes=6)


@pytest.mark.cal(bookings=30)
def test_a_walk_whose_last_page_fails_does_not_move_the_watermark(cal, mirrored):
    before = watermark()
    cal.clock.advance(timedelta(minutes=1))
    for uid in cal.bookings[:25]:
        cal.touch(uid)
    cal.set_location(cal.bookings[0], "Room 9")
    cal.fault("500", skip=2, times=20)

    failed = changes(mirrored)
    cal.faults.clear()

    assert (failed.outcome, failed.pages) == ("failed", 2)
    assert watermark() == before
    assert changes(mirrored).outcome == "complete"
    assert watermark() > before
    assert_mirrors(mirrored, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=30)
@pytest.mark.parametrize("dialect", ["cursor", "offset"])
def test_a_booking_edited_behind_the_walk_is_caught_by_the_next_poll(
    cal, account, dialect
):
    cal.dialect = dialect

    def edit_what_was_walked(progress):
        if progress.run.pages == 1:
            cal.set_location(Booking.objects.earliest("pk").uid, "Room 9")
            cal.clock.advance(timedelta(hours=1))  # a long walk

    sync.walk(account, on_page=edit_what_was_walked)
    assert not Booking.objects.filter(location="Room 9").exists()

    changes(account)

    assert_mirrors(account, cal.payloads(cal.users[1]))


@pytest.mark.cal(dialect="offset")
@pytest.mark.parametrize("tied", [2, 4, 7])
def test_ties_across_page_borders_lose_nothing_although_their_order_changes(
    cal, account, tied
):
    """Cal.com breaks no ties: rows of one time may come in another order with each request."""
    cal.clock.stop()
    for number in range(60):
        if number % tied == 0:
            cal.clock.advance(timedelta(seconds=1))
        cal.book()

    sync.walk(account, on_page=lambda _: cal.touch(cal.bookings[0]))

    mirrored = set(Booking.objects.values_list("uid", flat=True))
    assert mirrored == set(cal.bookings)


@pytest.mark.cal(dialect="offset")
def test_more_ties_than_fit_on_a_page_lose_nothing(cal, account):
    """One bulk cancel gives many rows the same updatedAt, and rows made at once the same createdAt."""
    cal.clock.stop()
    for _ in range(35):
        cal.book()
    sync.walk(account)
    cal.clock.advance(timedelta(hours=1))
    for uid in cal.bookings:
        cal.cancel(uid, "The office burnt down")

    run = changes(account)

    assert run.outcome == "complete"
    assert_mirrors(account, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=40, dialect="offset")
@pytest.mark.parametrize("gone", [1, 2, 5])
def test_a_list_that_shrinks_while_it_is_read_hides_nothing(cal, account, gone):
    """Recordings 475-481: rows slide past the next offset."""

    def shrink(progress):
        for uid in cal.bookings[:gone] if progress.run.pages < 3 else ():
            cal.delete(uid)

    sync.walk(account, on_page=shrink)

    mirrored = set(Booking.objects.values_list("uid", flat=True))
    assert set(cal.bookings) <= mirrored


@pytest.mark.cal(bookings=20)
@pytest.mark.parametrize("skew", [timedelta(hours=-1), timedelta(hours=1)])
def test_an_hour_between_our_clock_and_the_remote_loses_nothing(cal, account, skew):
    cal.clock.advance(skew)
    sync.walk(account)
    cal.clock.advance(timedelta(seconds=90))
    cal.cancel(cal.bookings[3])
    new = cal.book()
    changes(account)
    cal.clock.advance(timedelta(seconds=90))
    cal.set_location(new, "Room 9")

    changes(account)

    assert_mirrors(account, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=5)
def test_bookings_that_were_never_updated_are_polled_for_by_creation(cal, mirrored):
    cal.edit(cal.bookings[0], updatedAt=None)
    sync.walk(mirrored)
    new = cal.book(updatedAt=None)
    cal.requests.clear()

    run = changes(mirrored)

    assert [set(each.query) - {"limit"} for each in lists(cal)] == [
        {"afterUpdatedAt"},
        {"afterCreatedAt"},
    ]
    assert run.created == 1
    assert Booking.objects.filter(uid=new).exists()


@pytest.mark.cal(bookings=30)
def test_since_asks_for_changes_from_then_on_and_keeps_the_watermark_honest(
    cal, mirrored
):
    before = watermark()
    cal.cancel(cal.bookings[0])
    cal.clock.advance(timedelta(minutes=10))
    later = cal.clock.now()

    run = changes(mirrored, since=later)
    assert (run.seen, watermark()) == (0, before)

    run = changes(mirrored, since=before - timedelta(days=1))
    assert run.updated == 1
    assert watermark() > before


@pytest.mark.cal(bookings=30)
def test_since_on_an_account_that_was_never_read_proves_nothing_of_what_is_earlier(
    cal, account
):
    cal.clock.advance(timedelta(days=3))
    cal.book()

    run = changes(account, since=cal.clock.now() - timedelta(days=1))
    assert (run.seen, watermark()) == (1, None)

    assert changes(account).seen == 31
    assert_mirrors(account, cal.payloads(cal.users[1]))
