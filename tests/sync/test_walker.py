"""One walk, page by page: complete, resumable, and told what to do when it fails."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from cal_bookings import sync
from cal_bookings.models import Account, Booking, Mode, SyncRun, SyncState
from cal_bookings.sync import schedule
from tests.comparison import assert_mirrors


class Terminal(StringIO):
    def isatty(self):
        return True


def cal_sync(*, out=None, **options):
    """Standard output, standard error and the exit code of the command."""
    out, error, code = out or StringIO(), StringIO(), 0
    try:
        since = options.pop("since", None)
        arguments = [f"--since={since}"] if since else []
        call_command("cal_sync", *arguments, stdout=out, stderr=error, **options)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return out.getvalue(), error.getvalue(), code


@pytest.mark.cal(bookings=230)
@pytest.mark.parametrize("dialect", ["cursor", "offset"])
def test_a_walk_mirrors_every_booking_field_by_field(cal, account, dialect):
    cal.dialect = dialect

    run = sync.walk(account)

    assert (run.outcome, run.seen, run.created) == ("complete", 230, 230)
    assert_mirrors(account, cal.payloads(cal.users[1]))
    assert account.dialect == dialect


@pytest.mark.cal(bookings=120)
def test_a_second_walk_writes_nothing(account):
    sync.walk(account)
    run = sync.walk(account)

    assert (run.created, run.updated, run.unchanged) == (0, 0, 120)


@pytest.mark.cal(bookings=30, dialect="offset")
def test_pages_that_shift_while_they_are_read_lose_no_booking(
    cal, account, small_pages
):
    """Recordings 475-481: each booking that goes moves the next page by one."""
    cal.on_request = lambda _: cal.delete(cal.bookings[0]) if len(cal.rows) > 20 else 0

    run = sync.walk(account)

    assert run.outcome == "complete"
    kept = set(account.bookings.values_list("uid", flat=True))
    assert set(cal.bookings) <= kept


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_a_repeated_cursor_is_an_error_and_not_a_loop(cal, account):
    cal.fault("repeat-cursor", skip=1, times=100, path="/bookings")

    run = sync.walk(account)

    assert run.outcome == "failed"
    assert "repeated cursor" in run.error
    assert [each.path for each in cal.requests].count("/bookings") == 2


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_a_failed_walk_goes_on_from_its_checkpoint(cal, account):
    cal.fault("500", skip=2, times=100, path="/bookings")
    failed = sync.walk(account)
    cal.faults.clear()

    assert (failed.outcome, failed.pages) == ("failed", 2)
    run = sync.walk(account)

    assert (run.outcome, run.pages, run.seen) == ("complete", 1, 10)
    assert_mirrors(account, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_a_resumed_walk_says_so_and_counts_the_whole(cal, account, caplog):
    sync.walk(account)
    for uid in cal.bookings[:3]:
        cal.delete(uid)
    cal.edit(cal.book(), start=None)
    cal.set_location(cal.bookings[0], "Room 9")
    cal.fault("502", skip=2, times=20, path="/bookings")
    first = sync.walk(account)
    cal.faults.clear()
    caplog.set_level("INFO", "cal_bookings.sync.runs")

    out, _, code = cal_sync(json=True)

    report = json.loads(out)
    assert (first.before, first.pages, report["resumed_from_page"]) == (None, 2, 3)
    assert report["pages"] == 1
    assert report["whole"] == {
        "pages": 3,
        "seen": first.seen + report["seen"],
        "created": 0,
        "updated": 1,
        "unchanged": 26,
        "stale": 0,
        "missing": 3,
        "failed": 1,
    }
    assert code == 1
    assert caplog.messages[-1].endswith("resumed from page 3")
    out, _, _ = cal_sync(json=True)
    assert json.loads(out)["resumed_from_page"] is None


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_a_resumed_walk_draws_the_whole_and_names_the_page(cal, account):
    sync.walk(account, max_pages=2)

    out, _, _ = cal_sync(out=Terminal())

    assert "30 bookings · page 3" in out
    assert "default: 10 bookings on 1 pages: 10 created" in out
    assert (
        "default: resumed from page 3. The whole walk: 30 bookings on 3 pages, 30 created"
        in out
    )


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_a_walk_that_begins_anew_is_not_resumed(cal, account):
    sync.walk(account, max_pages=2)
    cal.forget_cursors()

    out, _, _ = cal_sync(json=True)

    report = json.loads(out)
    assert (report["resumed_from_page"], report["whole"]["pages"]) == (None, 3)


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_a_cursor_that_cal_com_has_forgotten_begins_the_walk_anew(cal, account):
    cal.fault("500", skip=2, times=100, path="/bookings")
    sync.walk(account)
    cal.faults.clear()
    cal.forget_cursors()

    run = sync.walk(account)

    assert (run.outcome, run.pages) == ("complete", 3)
    assert_mirrors(account, cal.payloads(cal.users[1]))


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_a_server_that_changes_its_dialect_in_the_middle_is_walked_anew(cal, account):
    cal.fault("500", skip=2, times=100, path="/bookings")
    sync.walk(account)
    cal.faults.clear()
    cal.dialect = "offset"

    run = sync.walk(account)

    assert run.outcome == "complete"
    assert_mirrors(account, cal.payloads(cal.users[1]))
    assert account.dialect == "offset"


@pytest.mark.cal(bookings=99)
def test_a_malformed_booking_does_not_take_its_page_with_it(cal, account):
    cal.edit(cal.book(), start=None)

    out, error, code = cal_sync(json=True)

    report = json.loads(out)
    assert (report["created"], report["failed"], report["complete"], code) == (
        99,
        1,
        True,
        1,
    )
    (failure,) = SyncRun.objects.get().failures
    assert failure["uid"] == cal.bookings[-1]
    assert failure["place"] in error
    assert cal.bookings[-1] not in error


@pytest.mark.cal(bookings=5)
def test_while_another_worker_has_the_lease_nothing_is_done(cal, account):
    SyncState.objects.create(
        account=account,
        mode=Mode.FULL,
        lease_owner="elsewhere:1",
        lease_until=timezone.now() + timedelta(minutes=4),
        lease_token=7,
    )

    with pytest.raises(sync.LeaseTaken, match="elsewhere:1"):
        sync.walk(account)

    assert not cal.requests


@pytest.mark.cal(bookings=250)
def test_who_looked_while_another_walked_does_not_go_on_from_what_it_saw(account):
    """Between the look and the lease the other one ends: what its pages showed is forgotten."""
    sync.walk(account, max_pages=1)
    others = SyncState.objects.filter(account=account, mode=Mode.FULL)
    others.update(lease_until=timezone.now() + timedelta(minutes=5), lease_owner="x:1")
    looked: list[str] = []

    def end(proceed, sql, params, many, context):
        answer = proceed(sql, params, many, context)
        if not looked and "SELECT" in sql and "checkpoint" in sql:
            looked.append(sql)
            others.update(lease_until=None, checkpoint={})
        return answer

    with connection.execute_wrapper(end), pytest.raises(sync.LeaseTaken):
        sync.walk(account)

    assert looked


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_a_worker_whose_lease_was_taken_over_can_no_longer_write(cal, account):
    def take_over(_):
        SyncState.objects.update(lease_token=99, lease_owner="elsewhere:1")

    with pytest.raises(sync.LeaseLost):
        sync.walk(account, on_page=take_over)

    assert Booking.objects.count() == 10
    assert SyncState.objects.get().lease_owner == "elsewhere:1"


@pytest.mark.cal(bookings=30)
@pytest.mark.usefixtures("small_pages")
def test_an_expired_lease_is_taken_over_from_the_checkpoint(cal, account):
    cal.fault("500", skip=1, times=100, path="/bookings")
    sync.walk(account)
    cal.faults.clear()
    past = timezone.now() - timedelta(seconds=1)
    SyncState.objects.update(lease_owner="elsewhere:1", lease_until=past)

    run = sync.walk(account)

    assert (run.outcome, run.pages) == ("complete", 2)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("401", 'the credential in CAL_BOOKINGS["ACCOUNTS"]["default"]'),
        ("403", "check its permissions"),
        ("429", "wait a minute"),
        ("500", "the walk goes on from its checkpoint"),
        ("shape", "expected a list of bookings"),
        ("html", "ends with /v2"),
    ],
)
def test_a_walk_that_fails_says_what_to_do(cal, account, fault, message):
    cal.fault(fault, times=100, path="/bookings")

    _, error, code = cal_sync()

    assert code == 2
    assert message in error
    assert 'Account "default"' in error
    assert cal.url in error
    assert cal.api_key not in error


def test_a_server_that_is_not_there_is_named(cal, account, settings):
    settings.CAL_BOOKINGS = {
        "ACCOUNTS": {"default": {"API_KEY": "k", "BASE_URL": "http://127.0.0.1:9/v2"}}
    }

    _, error, code = cal_sync()

    assert code == 2
    assert "http://127.0.0.1:9/v2" in error


@pytest.mark.cal(bookings=20)
def test_in_a_pipe_the_command_prints_plain_lines(account):
    out, error, code = cal_sync()

    assert "20 bookings on 1 pages: 20 created" in out
    assert "\r" not in out
    assert (error, code) == ("", 0)


@pytest.mark.cal(bookings=200)
def test_on_a_terminal_the_command_draws_one_line_and_clears_it(account):
    out, _, code = cal_sync(out=Terminal())

    drawn, reported = out.rsplit("\r", 1)
    assert "\rdefault: 100 bookings · page 1" in drawn
    assert "\n" not in drawn
    assert reported.startswith("default: 200 bookings on 2 pages")
    assert code == 0


@pytest.mark.cal(bookings=3)
def test_as_json_there_is_one_object_per_account(account):
    out, _, code = cal_sync(json=True)

    report = json.loads(out)
    assert {"account": "default", "mode": "full", "seen": 3}.items() <= report.items()
    names = "account mode pages requests seen created updated unchanged missing failed"
    assert set(names.split()) | {"complete", "seconds"} <= set(report)
    assert code == 0


def test_without_an_account_the_command_says_how_to_add_one(db):
    with pytest.raises(CommandError, match="CAL_BOOKINGS_API_KEY"):
        cal_sync()


def test_an_unknown_account_is_told_with_those_there_are(account):
    with pytest.raises(CommandError, match="The settings define: default"):
        cal_sync(account="nobody")


@pytest.mark.cal(bookings=3)
def test_one_account_that_fails_does_not_stop_the_others(cal, settings, db):
    good = settings.CAL_BOOKINGS["ACCOUNTS"]["default"]
    bad = good | {"API_KEY": "cal_live_wrong"}
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"a-bad": bad, "b-good": good}}

    out, error, code = cal_sync()

    assert code == 2
    assert "b-good: 3 bookings" in out
    assert 'Account "a-bad"' in error
    assert Account.objects.get(alias="b-good").bookings.count() == 3


@pytest.mark.cal(bookings=3)
@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("credentials", [{}, {"API_KEY": "cal_live_1\n"}])
def test_an_account_without_a_usable_credential_does_not_stop_the_others(
    cal, settings, db, credentials, dry_run
):
    settings.CAL_BOOKINGS |= {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }
    Account.objects.create(alias="a-bad", credentials=credentials)

    out, error, code = cal_sync(dry_run=dry_run)

    assert code == 2
    assert "default: 3 bookings" in out
    assert "a-bad" in error


@pytest.mark.cal(bookings=12)
def test_a_dry_run_says_what_would_change_and_changes_nothing(cal, account):
    sync.walk(account)
    cal.set_location(cal.bookings[0], "Room 9")
    cal.book()
    cal.delete(cal.bookings[1])
    before = list(Booking.objects.order_by("pk").values())
    runs = SyncRun.objects.count()

    out, _, code = cal_sync(dry_run=True)

    assert "would be 1 created, 1 updated, 1 missing, 10 unchanged" in out
    assert "location of 1" in out
    assert code == 0
    assert list(Booking.objects.order_by("pk").values()) == before
    assert SyncRun.objects.count() == runs
    assert not SyncState.objects.get(mode=Mode.FULL).checkpoint
    output, _, _ = cal_sync(json=True)
    names = ("created", "updated", "missing", "unchanged")
    assert [json.loads(output)[name] for name in names] == [1, 1, 1, 10]


@pytest.mark.cal(bookings=12)
@pytest.mark.parametrize("fault", ["500", "shape", "403"])
def test_a_dry_run_goes_on_behind_a_booking_that_cal_com_cannot_show(
    cal, account, fault
):
    sync.walk(account)
    unreadable, gone = cal.bookings[3], cal.bookings[9]
    for uid in (unreadable, gone):
        cal.delete(uid)
    cal.fault(fault, path=f"/bookings/{unreadable}", times=100)

    out, error, code = cal_sync(dry_run=True)

    assert "1 missing, 10 unchanged, 1 failed" in out
    booking = Booking.objects.get(uid=unreadable)
    assert f"booking {booking.pk}, asked for on its own" in error
    assert code == 1


@pytest.mark.cal(bookings=12)
def test_since_limits_the_changes_that_are_read(cal, account):
    sync.walk(account)
    cal.clock.advance(timedelta(days=40))
    cal.touch(cal.bookings[0])
    since = (cal.clock.now() - timedelta(days=1)).isoformat()

    out, _, code = cal_sync(mode="changes", since=since, json=True)

    assert (json.loads(out)["seen"], code) == (1, 0)


@pytest.mark.cal(bookings=12)
def test_the_changes_of_a_new_account_can_be_asked_for_before_its_first_full_walk(
    account,
):
    schedule.make_states()

    out, _, code = cal_sync(mode="changes", json=True)

    assert (json.loads(out)["mode"], json.loads(out)["seen"], code) == ("full", 12, 0)
    assert SyncState.objects.get(mode=Mode.CHANGES).watermark is not None


@pytest.mark.cal(bookings=12)
@pytest.mark.parametrize("mode", ["changes", "window"])
def test_the_timer_of_a_new_account_reads_everything_before_a_part_of_it(cal, db, mode):
    cal.clock.advance(timedelta(days=400))

    out, _, code = cal_sync(mode=mode)
    again, _, _ = cal_sync(mode=mode)

    assert (
        f"default: was never read in full, so the full list is walked before {mode}."
        in out
    )
    assert "12 bookings on 1 pages: 12 created" in out
    assert code == 0
    assert "walked before" not in again
    assert "0 created" in again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since=yesterday", "--mode=changes"], "2026-11-20T09:30"),
        (["--since=2026-11-20"], "--mode changes"),
    ],
)
def test_a_since_that_cannot_be_meant_is_refused(account, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("cal_sync", *arguments)
