"""How far a walk goes at once, and when it goes on: after its pages, after failures."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings import sync
from cal_bookings.models import Account, Mode, SyncState
from tests.comparison import assert_mirrors
from tests.sync.conftest import changes

pytestmark = pytest.mark.usefixtures("small_pages")


@pytest.mark.cal(bookings=45)
def test_a_walk_in_stretches_does_so_many_pages_at_a_time(cal, account):
    runs = [sync.walk(account, max_pages=2) for _ in range(3)]

    assert [run.pages for run in runs] == [2, 2, 1]
    assert [run.outcome for run in runs] == ["paused", "paused", "complete"]
    assert_mirrors(account, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=20)
def test_bookings_asked_for_one_by_one_count_as_pages(cal, mirrored):
    for uid in cal.bookings[:5]:
        cal.delete(uid)

    runs = [sync.walk(mirrored, max_pages=3) for _ in range(3)]

    assert [run.outcome for run in runs] == ["paused", "paused", "complete"]
    assert [run.missing for run in runs] == [1, 3, 1]


@pytest.mark.cal(bookings=20)
def test_a_paused_walk_is_due_at_once_and_a_complete_one_after_its_interval(account):
    def due_in():
        state = SyncState.objects.get(mode=Mode.FULL)
        return (state.due_at - timezone.now()).total_seconds()

    sync.walk(account, max_pages=1)
    assert due_in() < 1

    sync.walk(account)
    assert 0.89 * 86400 < due_in() < 1.11 * 86400


@pytest.mark.cal(bookings=10)
def test_failures_in_a_row_are_counted_and_spread(cal, account):
    changes(account)
    cal.fault("html", times=100)
    waits = []
    state = SyncState.objects.get(mode=Mode.CHANGES)
    for _ in range(8):
        changes(account)
        state.refresh_from_db()
        waits.append((state.due_at - timezone.now()).total_seconds())

    assert state.failures == 8
    assert 100 < waits[0] < 140
    assert waits[-1] <= 3600 * 1.1
    cal.faults.clear()
    changes(account)
    state.refresh_from_db()
    assert (state.failures, state.last_error) == (0, "")


@pytest.mark.cal(bookings=3)
@pytest.mark.parametrize("mode", Mode)
def test_each_loop_that_fails_is_tried_again_soon_and_at_least_every_hour(
    cal, account, mode
):
    cal.fault("html", times=100)

    def wait():
        run = sync.walk(account, mode)
        state = SyncState.objects.get(mode=mode)
        assert run.outcome == "failed"
        return (state.due_at - timezone.now()).total_seconds()

    waits = [wait() for _ in range(8)]

    for doublings, waited in enumerate(waits, start=1):
        expected = min(60 * 2**doublings, 3600)
        assert 0.89 * expected < waited < 1.11 * expected


@pytest.mark.cal(bookings=30)
def test_a_failure_behind_pages_that_were_stored_is_the_first_of_its_row(cal, account):
    cal.fault("html", times=3, path="/bookings")
    for _ in range(3):
        changes(account)
    cal.fault("html", skip=1, times=1, path="/bookings")

    run = changes(account)

    assert (run.outcome, run.pages) == ("failed", 1)
    assert SyncState.objects.get(mode=Mode.CHANGES).failures == 1


@pytest.mark.cal(bookings=30)
def test_what_is_read_anew_for_one_bad_page_is_not_read_anew_at_once(cal, account):
    """A page that nobody can read, whatever is stored before it."""
    cal.fault("html", skip=1, times=2, path="/bookings")
    assert changes(account).pages == 1

    run = changes(account)

    assert (run.outcome, run.pages) == ("failed", 0)
    state = SyncState.objects.get(mode=Mode.CHANGES)
    assert state.checkpoint == {}
    assert state.due_at > timezone.now() + timedelta(minutes=50)


@pytest.mark.cal(bookings=3)
def test_event_types_that_the_server_fails_with_stop_neither_walk_nor_account(
    cal, account
):
    cal.fault("500", path="/event-types", times=100)

    runs = [sync.walk(account) for _ in range(3)]

    assert [run.outcome for run in runs] == ["complete"] * 3
    assert Account.objects.get().circuit_failures == 0


@pytest.mark.cal(bookings=25)
def test_a_failure_behind_bookings_asked_for_one_by_one_is_the_first_of_its_row(
    cal, mirrored
):
    for uid in cal.bookings[:6]:
        cal.delete(uid)
    cal.fault("502", path="/bookings/", times=20)
    sync.walk(mirrored)
    cal.faults.clear()
    cal.fault("502", path="/bookings/", skip=2, times=20)

    run = sync.walk(mirrored)

    assert (run.outcome, run.pages, run.missing) == ("failed", 0, 2)
    assert SyncState.objects.get(mode=Mode.FULL).failures == 1


@pytest.mark.cal(bookings=30)
def test_a_stretch_that_stored_pages_ends_a_row_of_failures(cal, account):
    cal.fault("html", times=2, path="/bookings")
    for _ in range(2):
        changes(account)

    run = changes(account, max_pages=1)

    assert run.outcome == "paused"
    state = SyncState.objects.get(mode=Mode.CHANGES)
    assert (state.failures, state.last_error) == (0, "")
