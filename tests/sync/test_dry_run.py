"""A dry run changes nothing, whatever the settings say by now, and counts what the real run then does."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from cal_bookings import budget, sync
from cal_bookings.models import (
    Account,
    Attendee,
    Booking,
    EventType,
    Host,
    SyncRun,
    SyncState,
)
from tests.sync.conftest import window

TABLES = (Account, Attendee, Booking, EventType, Host, SyncRun, SyncState)


def rows():
    return [list(table.objects.order_by("pk").values()) for table in TABLES]


def cal_sync(*arguments):
    """The object that the command prints as JSON, and its exit code."""
    out, code = StringIO(), 0
    try:
        call_command("cal_sync", "--json", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return json.loads(out.getvalue()), code


def counts(report):
    names = ["seen", "created", "updated", "unchanged", "missing", "failed"]
    return {name: report[name] for name in names}


@pytest.mark.cal(bookings=12)
def test_a_dry_run_of_an_account_that_was_never_walked_makes_no_row(cal, db):
    report, code = cal_sync("--dry-run")

    assert (report["created"], code) == (12, 0)
    assert rows() == [[]] * len(TABLES)
    assert counts(cal_sync()[0]) == counts(report)


@pytest.mark.cal(bookings=12)
@pytest.mark.parametrize("mode", ["full", "changes", "window"])
def test_a_dry_run_after_another_scope_moves_nothing(cal, mirrored, settings, mode):
    window(mirrored)
    entry = settings.CAL_BOOKINGS["ACCOUNTS"]["default"]
    admin = cal.add_user(organization_id=7)
    new = cal.book(user=admin)
    moved = entry | {"API_KEY": admin.api_key, "SCOPE": {"organization": 7}}
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"default": moved}}
    before = rows()

    report, code = cal_sync("--dry-run", f"--mode={mode}")

    assert (report["seen"] - report["unchanged"], report["created"], code) == (1, 1, 0)
    assert rows() == before
    assert not Booking.objects.filter(uid=new).exists()


@pytest.mark.cal(bookings=12)
def test_a_dry_run_at_a_server_that_is_not_there_pauses_nothing(
    cal, mirrored, settings
):
    entry = settings.CAL_BOOKINGS["ACCOUNTS"]["default"]
    moved = entry | {"BASE_URL": "http://127.0.0.1:9/v2"}
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"default": moved}}
    before = rows()

    assert [cal_sync("--dry-run")[1] for _ in range(3)] == [2, 2, 2]
    assert rows() == before


@pytest.mark.cal(bookings=12)
def test_a_dry_run_that_is_forced_ends_no_pause(cal, mirrored):
    budget.pause(mirrored, "Moving house")
    before = rows()

    report, code = cal_sync("--dry-run", "--force")

    assert (report["unchanged"], code) == (12, 0)
    assert rows() == before
    assert cal_sync("--dry-run")[1] == 2


@pytest.mark.cal(bookings=12)
@pytest.mark.parametrize("dialect", ["cursor", "offset"])
def test_a_dry_run_of_changes_counts_each_booking_once(
    cal, mirrored, small_pages, dialect
):
    """A new booking that was touched is in both lists: of what was updated and of what was created."""
    cal.edit(cal.book(), updatedAt=None)
    sync.walk(mirrored)
    assert Account.objects.get().lists_never_updated
    cal.clock.advance(timedelta(hours=1))
    cal.dialect = dialect
    for _ in range(14):
        cal.book()
    for uid in [*cal.bookings[:3], *cal.bookings[-6:]]:
        cal.touch(uid)

    report, _ = cal_sync("--dry-run", "--mode=changes")
    real, _ = cal_sync("--mode=changes")

    assert (report["created"], report["updated"]) == (14, 3)
    assert counts(report) == counts(real)
