"""Bookings that live and are no longer in the account's list are remembered, and asked for rarely."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cal_bookings import sync
from cal_bookings.models import Booking

pytestmark = pytest.mark.usefixtures("small_pages")


@pytest.fixture
def moved(cal, mirrored):
    """The uids of bookings that were reassigned to somebody else."""
    moved = cal.bookings[3:9]
    for uid in moved:
        cal.reassign(uid, cal.users[2].id)
    return moved


def asked_alone(cal, account):
    """The uids that a full walk asks for one by one."""
    cal.requests.clear()
    run = sync.walk(account)
    assert run.outcome == "complete", run.error
    prefix = "/bookings/"
    return {
        each.path.removeprefix(prefix)
        for each in cal.requests
        if each.path.startswith(prefix)
    }


def days_until_due():
    due = Booking.objects.exclude(unlisted_check_at=None)
    now = timezone.now()
    return [
        (at - now) / timedelta(days=1)
        for at in due.values_list("unlisted_check_at", flat=True)
        if at
    ]


@pytest.mark.cal(bookings=25)
def test_what_lives_unlisted_is_not_asked_for_again_by_the_next_walks(
    cal, mirrored, moved
):
    assert asked_alone(cal, mirrored) == set(moved)

    assert [asked_alone(cal, mirrored) for _ in range(2)] == [set(), set()]
    assert Booking.objects.missing().count() == 0


@pytest.mark.cal(bookings=25)
def test_it_is_asked_for_again_some_days_later_not_all_at_once(cal, mirrored, moved):
    sync.walk(mirrored)

    days = days_until_due()
    assert len(days) == len(moved)
    assert all(3.9 < each < 10 for each in days)
    assert max(days) - min(days) > 0.1
    past = timezone.now() - timedelta(seconds=1)
    Booking.objects.filter(uid=moved[0]).update(unlisted_check_at=past)
    cal.delete(moved[0])
    assert asked_alone(cal, mirrored) == {moved[0]}
    assert [each.uid for each in Booking.objects.missing()] == [moved[0]]


@pytest.mark.cal(bookings=25)
def test_what_is_listed_again_and_then_gone_is_found_by_the_next_walk(
    cal, mirrored, moved
):
    sync.walk(mirrored)
    cal.reassign(moved[0], cal.users[1].id)
    sync.walk(mirrored)
    assert Booking.objects.get(uid=moved[0]).unlisted_check_at is None
    cal.delete(moved[0])

    assert asked_alone(cal, mirrored) == {moved[0]}
    assert [each.uid for each in Booking.objects.missing()] == [moved[0]]


@pytest.mark.cal(bookings=25)
def test_a_dry_run_asks_for_what_the_walk_would_ask_for(cal, mirrored, moved):
    sync.walk(mirrored)
    cal.requests.clear()

    sync.preview(mirrored)

    assert not [each for each in cal.requests if each.path.startswith("/bookings/")]


@pytest.mark.cal(bookings=60)
def test_what_no_page_showed_is_looked_up_once_however_many_stretches_ask_for_it(
    cal, mirrored
):
    for uid in cal.bookings[:40]:
        cal.delete(uid)

    with CaptureQueriesContext(
        connection,
    ) as captured:
        runs = [sync.walk(mirrored, max_pages=4)]
        while runs[-1].outcome == "paused":
            runs.append(sync.walk(mirrored, max_pages=4))

    assert len(runs) > 9
    assert sum(run.missing for run in runs) == 40
    looks = [
        each["sql"]
        for each in captured
        if each["sql"].startswith("SELECT")
        and "first_seen_at" in each["sql"].split("WHERE")[-1]
    ]
    assert len(looks) <= 2


@pytest.mark.cal(bookings=25)
def test_a_booking_that_was_found_missing_meanwhile_is_not_asked_for(cal, mirrored):
    gone = cal.bookings[:3]
    for uid in gone:
        cal.delete(uid)
    runs = [sync.walk(mirrored, max_pages=4)]
    Booking.objects.filter(uid=gone[2]).update(missing_since=timezone.now())
    cal.requests.clear()

    while runs[-1].outcome == "paused":
        runs.append(sync.walk(mirrored, max_pages=1))

    assert f"/bookings/{gone[2]}" not in {each.path for each in cal.requests}
    assert runs[-1].outcome == "complete"
