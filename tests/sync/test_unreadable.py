"""What one booking cannot do: keep a loop, a page, another loop or another account from being mirrored."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from cal_bookings import sync
from cal_bookings.models import Account, Booking, EventType, Mode, SyncRun, SyncState
from cal_bookings.sync import lease
from tests.comparison import assert_mirrors
from tests.sync.conftest import changes, watermark
from tests.sync.test_walker import cal_sync


def readable(cal, *unreadable):
    return [
        payload
        for payload in cal.payloads(cal.users[1])
        if payload["uid"] not in unreadable
    ]


def nested(levels: int) -> Any:
    value: Any = "leaf"
    for _ in range(levels):
        value = [value]
    return value


# Poison in a payload


@pytest.mark.cal(bookings=40)
@pytest.mark.parametrize(
    "field", [{"metadata": {"deep": nested(90)}}, {"metadata": {"deep": nested(500)}}]
)
def test_a_booking_that_cannot_be_stored_stops_nothing(cal, account, settings, field):
    poison = cal.bookings[7]
    cal.edit(poison, **field)
    good = settings.CAL_BOOKINGS["ACCOUNTS"]["default"]
    other = good | {"API_KEY": cal.users[2].api_key}
    settings.CAL_BOOKINGS |= {"ACCOUNTS": {"default": good, "second": other}}
    cal.book(user=cal.users[2])

    _, _, code = cal_sync()

    stored = set(account.bookings.values_list("uid", flat=True))
    assert stored >= {payload["uid"] for payload in readable(cal, poison)}
    assert Account.objects.get(alias="second").bookings.count() == 1
    state = SyncState.objects.get(account=account, mode=Mode.FULL)
    assert state.last_completed_at
    assert state.failures == 0
    if poison in stored:
        assert code == 0
    else:
        assert code == 1
        assert "except for 1 failure," in state.last_error
        (failure,) = SyncRun.objects.get(account=account).failures
        assert failure["uid"] == poison


@pytest.mark.cal(bookings=3)
def test_an_event_type_that_cannot_be_stored_stops_nothing(cal, account):
    number, listed = next(
        (number, each) for number, each in cal.event_types.items() if each.owner_id == 1
    )
    cal.event_types[number] = replace(listed, minutes=2**31)

    _, error, code = cal_sync()

    run = SyncRun.objects.get()
    assert run.outcome == "complete"
    assert EventType.objects.exclude(title="").count() > 1
    assert SyncState.objects.filter(mode=Mode.CHANGES).exists()
    if connection.vendor == "postgresql":
        assert (code, run.failed) == (1, 1)
        assert "event type" in error


# A booking that Cal.com cannot show


@pytest.mark.cal(bookings=130)
@pytest.mark.parametrize("dialect", ["offset", "cursor"])
@pytest.mark.parametrize("places", [[60], [0, 1, 2, 129], [10, 50, 51, 128]], ids=str)
def test_a_list_page_that_always_fails_costs_the_one_booking(
    cal, account, dialect, places
):
    cal.dialect = dialect
    unreadable = [cal.bookings[place] for place in places]
    for uid in unreadable:
        cal.make_unreadable(uid)

    _, error, code = cal_sync()

    assert_mirrors(account, readable(cal, *unreadable))
    run = SyncRun.objects.get()
    assert (run.outcome, run.failed, code) == ("complete", len(unreadable), 1)
    assert "500" in error
    state = SyncState.objects.get(mode=Mode.FULL)
    assert f"except for {len(unreadable)} failure" in state.last_error
    account.refresh_from_db()
    assert account.dialect == "offset"
    assert account.dialect_expires_at  # cursors are tried again tomorrow


@pytest.mark.cal(bookings=130, dialect="offset")
def test_changes_are_followed_although_a_booking_cannot_be_shown(cal, account):
    cal.make_unreadable(cal.bookings[60])
    sync.walk(account)
    cal.clock.advance(timedelta(minutes=30))
    uid = cal.book()

    run = changes(account)

    assert (run.outcome, run.created) == ("complete", 1)
    assert Booking.objects.filter(uid=uid).exists()


@pytest.mark.cal(bookings=30, dialect="offset")
def test_a_change_that_cannot_be_shown_does_not_stop_the_changes(cal, mirrored):
    for uid in cal.bookings[3:9]:
        cal.touch(uid)
    cal.make_unreadable(cal.bookings[5])
    before = watermark()

    run = changes(mirrored)

    assert (run.outcome, run.updated, run.failed) == ("complete", 5, 1)
    assert watermark() != before


@pytest.mark.cal(bookings=30, dialect="offset")
def test_a_booking_that_can_be_shown_again_is_mirrored_by_the_next_full_walk(
    cal, account
):
    cal.make_unreadable(cal.bookings[5])
    sync.walk(account)
    cal.make_unreadable(cal.bookings[5], again=True)

    run = sync.walk(account)

    assert (run.created, run.failed) == (1, 0)
    assert_mirrors(account, cal.payloads(cal.users[1]))
    assert SyncState.objects.get(mode=Mode.FULL).last_error == ""


@pytest.mark.cal(bookings=60)
@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("dialect", ["cursor", "offset"])
def test_a_list_that_fails_for_a_while_loses_no_booking(cal, account, dialect):
    """Cal.com answers everything else meanwhile, and the list again before all sizes of a page are tried."""
    cal.dialect = dialect
    cal.fault("500", skip=2, times=7, path="/bookings")

    run = sync.walk(account)

    assert (run.outcome, run.failed) == ("complete", 0)
    assert_mirrors(account, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=60, dialect="offset")
def test_a_list_that_fails_altogether_fails_the_walk(cal, account):
    cal.fault("500", times=1000, path="/bookings")

    run = sync.walk(account)

    assert (run.outcome, run.failed) == ("failed", 0)
    assert len(cal.requests) < 60


@pytest.mark.cal(bookings=40, dialect="cursor")
def test_behind_a_dead_end_nothing_is_taken_for_gone(cal, mirrored, settings):
    """A server that speaks cursors only: what no page showed is not asked for one by one."""
    cal.make_unreadable(cal.bookings[20])
    cal.on_request = lambda request: (
        cal.fault("shape", path="/bookings") if "sortCreated" in request.query else None
    )

    run = sync.walk(mirrored)

    assert run.missing == 0
    assert Booking.objects.filter(missing_since=None).count() == 40


# What nobody foresaw


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_an_unexpected_exception_is_recorded_and_frees_the_loop(cal, account):
    secret = "ben@example.net"

    def break_off(_):
        raise LookupError(secret)

    for _ in range(2):
        with pytest.raises(LookupError):
            sync.walk(account, on_page=break_off)

    state = SyncState.objects.get()
    assert state.failures == 1  # each run stored a page before it
    assert "unexpected LookupError at walker.py" in state.last_error
    assert secret not in state.last_error
    assert state.lease_until is None
    assert state.due_at > timezone.now() + timedelta(seconds=60)
    assert {run.outcome for run in SyncRun.objects.all()} == {"failed"}
    assert sync.walk(account).outcome == "complete"


@pytest.mark.cal(bookings=3)
def test_a_lease_that_this_process_holds_and_nobody_walks_is_free(cal, account):
    """Its thread could not give it back, because the database was away."""
    with lease.take(account, Mode.FULL)[0], suppress(sync.LeaseTaken):
        pytest.fail(sync.walk(account).outcome)

    assert SyncState.objects.get().lease_until
    assert sync.walk(account).outcome == "complete"


@pytest.mark.cal(bookings=3)
@pytest.mark.parametrize("uid", [".", ".."])
def test_a_vanished_booking_whose_uid_is_no_part_of_a_path_stops_nothing(
    cal, mirrored, uid
):
    Booking.objects.filter(uid=cal.bookings[0]).update(uid=uid)

    run = sync.walk(mirrored)

    assert (run.outcome, run.failed) == ("complete", 1)
    assert run.failures[0]["uid"] == uid


def kill_own_connection():
    """Ends the connection of this thread from the server's side, as an administrator or a failover does."""
    mine, kill = {
        "mysql": ("SELECT connection_id()", "KILL %s"),
        "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend(%s)"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(mine)
        (number,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(kill, [number])
    other.close()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server")
@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_a_connection_that_is_killed_in_the_middle_keeps_no_lease(
    cal, transactional_db, account
):
    killed: list[object] = []

    def kill_once(progress):
        if not killed:
            killed.append(progress)
            kill_own_connection()

    with suppress(DatabaseError):
        sync.walk(account, on_page=kill_once)

    state = SyncState.objects.get(mode=Mode.FULL)
    assert state.lease_until is None
    assert sync.walk(account).outcome == "complete"
    assert_mirrors(account, cal.payloads(cal.users[1]))


# A server that fails is no dead end


@pytest.mark.cal(bookings=60)
@pytest.mark.parametrize("fault", ["500", "429"])
def test_an_outage_while_a_page_is_read_around_does_not_complete_the_walk(
    cal, account, settings, fault
):
    settings.CAL_BOOKINGS |= {"PAGE_SIZE": 10}
    cal.fault("500", path="/bookings", skip=2, times=1000)
    cal.fault(fault, path="/me", skip=2, times=1000)

    run = sync.walk(account)

    account.refresh_from_db()
    assert run.outcome != "complete"
    assert account.fully_mirrored_at is None
    assert SyncState.objects.get(mode=Mode.FULL).checkpoint


@pytest.mark.cal(bookings=30)
def test_a_list_that_could_not_be_read_to_its_end_does_not_move_the_watermark(
    cal, account, settings
):
    settings.CAL_BOOKINGS |= {"PAGE_SIZE": 10}
    Account.objects.update(list_version="2026-05-01")
    account.refresh_from_db()
    sync.walk(account)
    cal.clock.advance(timedelta(minutes=30))
    new = [cal.book() for _ in range(30)]
    cal.make_unreadable(new[15])
    before = watermark()

    run = changes(account)

    assert run.failed == 1
    assert watermark() == before


@pytest.mark.cal(bookings=30)
def test_a_token_that_may_not_name_its_owner_reads_around_a_booking_all_the_same(
    cal, account
):
    cal.fault("403", path="/me", times=1000)
    cal.make_unreadable(cal.bookings[5])

    run = sync.walk(account)

    assert (run.outcome, run.failed) == ("complete", 1)
    assert_mirrors(account, readable(cal, cal.bookings[5]))
