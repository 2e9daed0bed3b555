"""The loops `window` and `full`: what each catches."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cal_bookings import client, mirror, signals, sync
from cal_bookings.models import (
    Account,
    Booking,
    Derivation,
    EventType,
    Mode,
    SyncState,
)
from tests.builders import iso
from tests.comparison import assert_mirrors
from tests.sync.conftest import changes, lists, window

pytestmark = pytest.mark.usefixtures("small_pages")

CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


# Window


@pytest.mark.cal(bookings=10)
def test_the_window_catches_a_seat_that_moved_no_time_of_update(cal, account):
    soon = cal.clock.now() + timedelta(days=2)
    uid = cal.book(event_type="seated", start=soon)
    sync.walk(account)
    cal.clock.advance(timedelta(minutes=30))
    changes(account)
    cal.join_seat(uid)

    changes(account)
    assert Booking.objects.get(uid=uid).attendees.count() == 1

    window(account)
    assert_mirrors(account, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=60)
def test_the_window_is_a_week_back_and_two_months_ahead(cal, mirrored):
    window(mirrored)

    query = lists(cal)[0].query
    now = timezone.now()
    for name, days in (("afterStart", -7), ("beforeEnd", 60)):
        asked = datetime.fromisoformat(query[name][0])
        assert abs(asked - now - timedelta(days=days)) < timedelta(minutes=1)


# Full


@pytest.mark.cal(bookings=25)
def test_a_booking_that_is_gone_is_marked_and_unmarked_when_it_comes_back(
    cal, mirrored, django_capture_on_commit_callbacks
):
    uid = cal.bookings[7]
    kept = cal.delete(uid)
    missing_uids = []

    def listen(sender, booking, **kwargs):
        missing_uids.append(booking.uid)

    signals.booking_missing.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        run = sync.walk(mirrored)

    assert (run.missing, missing_uids) == (1, [uid])
    missing = Booking.objects.get(uid=uid)
    assert missing.missing_since is not None
    assert [list(each.changes) for each in missing.changes.all()] == [["missing_since"]]
    assert sync.walk(mirrored).missing == 0

    cal.restore(uid, kept)
    sync.walk(mirrored)

    assert_mirrors(mirrored, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=25)
def test_a_booking_that_left_the_list_but_lives_is_not_missing(cal, mirrored):
    """A booking reassigned to somebody else is in their list, and readable by its uid all the same."""
    cal.reassign(cal.bookings[3], cal.users[2].id)

    run = sync.walk(mirrored)

    assert (run.missing, run.updated) == (0, 1)
    booking = Booking.objects.get(uid=cal.bookings[3])
    assert [host.remote_id for host in booking.hosts.all()] == [cal.users[2].id]


@pytest.mark.cal(bookings=25)
def test_asking_for_what_is_gone_goes_on_where_it_was_interrupted(cal, mirrored):
    gone = cal.bookings[:6]
    for uid in gone:
        cal.delete(uid)
    cal.fault("502", path="/bookings/", skip=3, times=20)
    failed = sync.walk(mirrored)
    cal.faults.clear()
    cal.requests.clear()

    run = sync.walk(mirrored)

    assert (failed.outcome, failed.missing) == ("failed", 3)
    assert (run.outcome, run.missing, run.pages) == ("complete", 3, 0)
    assert len(cal.requests) == 3
    assert set(Booking.objects.missing().values_list("uid", flat=True)) == set(gone)


@pytest.mark.cal(bookings=25)
@pytest.mark.parametrize("fault", ["500", "shape", "html", "403"])
def test_a_booking_that_cal_com_cannot_show_does_not_stop_the_walk(
    cal, mirrored, fault
):
    unreadable, gone = cal.bookings[3], cal.bookings[9]
    for uid in (unreadable, gone):
        cal.delete(uid)
    cal.fault(fault, path=f"/bookings/{unreadable}", times=100)

    run = sync.walk(mirrored)

    assert (run.outcome, run.missing, run.failed) == ("complete", 1, 1), run.error
    (failure,) = run.failures
    booking = Booking.objects.get(uid=unreadable)
    assert failure["place"] == f"booking {booking.pk}, asked for on its own"
    assert failure["uid"] == unreadable
    assert booking.missing_since is None
    state = SyncState.objects.get(mode=Mode.FULL)
    assert (state.checkpoint, state.failures) == ({}, 0)


@pytest.mark.cal(bookings=25)
@pytest.mark.parametrize("fault", ["502", "dropped"])
def test_a_server_that_is_down_while_it_is_asked_for_what_is_gone_stops_the_walk(
    cal, mirrored, fault
):
    cal.delete(cal.bookings[3])
    cal.fault(fault, path="/bookings/", times=100)

    run = sync.walk(mirrored)

    assert (run.outcome, run.failed) == ("failed", 0)
    assert SyncState.objects.get(mode=Mode.FULL).checkpoint["checked"] == 0


@pytest.mark.cal(bookings=25)
def test_a_booking_mirrored_during_the_walk_is_not_taken_for_gone(cal, account):
    """The list had passed its place when it was booked; a webhook brought it."""

    def arrive(progress):
        if progress.run.pages == 2:
            uid = cal.book(start=cal.clock.now() + timedelta(days=300))
            with account.connect() as connection:
                mirror.refresh(account, uid, connection=connection)

    run = sync.walk(account, on_page=arrive)

    assert run.missing == 0
    assert not [each for each in cal.requests if each.path.startswith("/bookings/")][1:]


@pytest.mark.cal(bookings=25)
def test_drift_counts_what_the_changes_loop_should_have_seen(cal, mirrored):
    drifted = Booking.objects.filter(uid=cal.bookings[2])
    payload = drifted.get().payload | {"title": "x"}
    drifted.update(title="x", payload=payload, payload_hash="")
    cal.set_location(cal.bookings[5], "Room 9")

    run = sync.walk(mirrored)

    assert run.updated == 2
    assert run.drift == {"title": 1}


@pytest.mark.cal(bookings=25)
def test_the_first_full_walk_is_news_and_no_drift(account):
    assert sync.walk(account).drift == {}


@pytest.mark.cal(bookings=3)
def test_event_types_are_mirrored_with_a_full_walk(cal, account):
    sync.walk(account)

    of_user = {
        each.slug: each for each in cal.event_types.values() if each.owner_id == 1
    }
    rows = {row.slug: row for row in EventType.objects.filter(account=account)}
    assert rows.keys() == of_user.keys()
    assert rows["deep-dive"].title == "Deep dive"
    assert rows["deep-dive"].length_minutes == 60

    with CaptureQueriesContext(connection) as queries:
        sync.walk(account)
    assert not [
        each["sql"]
        for each in queries
        if "eventtype" in each["sql"] and not each["sql"].startswith("SELECT")
    ]


@pytest.mark.cal(bookings=3)
def test_a_walk_does_without_the_list_of_event_types(cal, account):
    cal.fault("403", path="/event-types")

    assert sync.walk(account).outcome == "complete"
    assert Account.objects.get().circuit_open_until is None


@pytest.mark.cal(bookings=25)
def test_event_types_are_asked_for_once_a_walk_however_many_stretches_it_takes(
    cal, mirrored
):
    for uid in cal.bookings[:2]:
        cal.delete(uid)

    while sync.walk(mirrored, max_pages=1).outcome == "paused":
        pass

    paths = [each.path for each in cal.requests]
    assert len(paths) > 5
    assert paths[:2] == ["/bookings", "/event-types"]
    assert paths.count("/event-types") == 1


@pytest.mark.cal(bookings=3)
def test_event_types_that_got_no_answer_are_asked_for_when_the_walk_goes_on(
    cal, account
):
    cal.fault("502", path="/event-types", times=4)

    failed, run = sync.walk(account), sync.walk(account)

    assert (failed.outcome, failed.pages) == ("failed", 1)
    assert (run.outcome, run.pages) == ("complete", 0)
    assert EventType.objects.get(slug="deep-dive").title == "Deep dive"


@pytest.mark.cal(bookings=3)
def test_a_key_that_reaches_the_event_types_and_not_the_list_is_paused_longer_each_time(
    cal, account
):
    cal.fault("403", path="/bookings", times=100)
    minutes = []
    for _ in range(4):
        sync.walk(Account.objects.get())
        until = Account.objects.get().circuit_open_until
        assert until
        minutes.append(round((until - timezone.now()).total_seconds() / 60))
        Account.objects.update(circuit_open_until=timezone.now())

    assert minutes == [5, 10, 20, 40]


@pytest.mark.cal(bookings=5)
def test_a_change_by_a_server_whose_clock_is_behind_is_counted_and_taken_by_the_full_walk(
    cal, mirrored
):
    uid, now = cal.bookings[0], cal.clock.now()
    cal.edit(uid, updatedAt=iso(now + timedelta(seconds=20)))
    changes(mirrored)
    cal.edit(uid, status="cancelled", updatedAt=iso(now + timedelta(seconds=1)))

    assert changes(mirrored).stale == 1
    assert Booking.objects.get(uid=uid).status == "accepted"

    assert sync.walk(mirrored).stale == 0
    assert Booking.objects.get(uid=uid).status == "cancelled"


@pytest.mark.cal(bookings=25)
def test_a_full_walk_derives_what_an_older_parser_left_without_a_further_request(
    cal, mirrored
):
    sync.walk(mirrored)
    cal.requests.clear()
    sync.walk(mirrored)
    asked = len(cal.requests)
    Booking.objects.update(ics_uid="")
    Derivation.objects.update(parser_version=0)
    cal.requests.clear()

    run = sync.walk(mirrored)

    assert (run.outcome, run.updated, len(cal.requests)) == ("complete", 0, asked)
    assert not Booking.objects.filter(ics_uid="").exists()
    assert_mirrors(mirrored, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=25)
def test_a_stretch_of_derivations_ends_like_one_of_pages(cal, mirrored):
    pages = sync.walk(mirrored).pages
    Derivation.objects.update(parser_version=0)

    assert sync.walk(mirrored, max_pages=pages).outcome == "paused"
    assert sync.walk(mirrored, max_pages=9).outcome == "complete"
    assert Derivation.objects.get().parser_version == client.PARSER_VERSION


@pytest.mark.cal(bookings=5)
def test_a_new_account_is_not_derived_again(account):
    sync.walk(account)

    assert Derivation.objects.get().parser_version == client.PARSER_VERSION
