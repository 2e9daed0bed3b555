"""What a walk leaves in the log: one line when it ends, and each problem once, wherever it was met."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cal_bookings import sync
from cal_bookings.models import Booking, Mode, SyncRun, SyncState
from cal_bookings.tasks.sync import sync_account

ROOT = Path(__file__).parents[2]


def lines(caplog, *, at_least=logging.INFO):
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("cal_bookings.") and record.levelno >= at_least
    ]


@pytest.mark.cal(bookings=12)
def test_a_walk_that_works_logs_one_line_with_its_counts(cal, account, caplog):
    caplog.set_level(logging.INFO)

    run = sync.walk(account)

    assert lines(caplog) == [
        f"default (account {account.pk}), full walk, run {run.pk}: complete; 1 pages, 3 requests, 12 seen, 12 created, "
        "0 updated, 0 unchanged, 0 stale, 0 missing, 0 failed"
    ]


@pytest.mark.cal(bookings=12)
@pytest.mark.parametrize("fault", ["401", "500"])
def test_a_worker_logs_a_failed_walk_once(cal, account, caplog, fault):
    cal.fault(fault, times=100, path="/bookings")

    for _ in range(2):
        sync_account(account.pk, "full")

    errors = lines(caplog, at_least=logging.ERROR)
    run = SyncRun.objects.latest("pk")
    assert errors[-1] == f"default: the full walk failed. {run.error}"
    assert len([each for each in errors if run.error in each]) == len(
        SyncRun.objects.filter(error=run.error)
    )
    assert all(run.error not in each for each in lines(caplog) if each not in errors)


def test_the_words_of_a_refusal_stay_out_of_the_rows_of_a_run(cal, account):
    """People without `view_attendee` see runs and states, and Cal.com may name anybody."""
    cal.fault("403", path="/bookings", times=100)

    run = sync.walk(account)

    state = SyncState.objects.get(mode=Mode.FULL)
    assert "GET /bookings: 403" in run.error
    assert "insufficient permissions" not in run.error + state.last_error


@pytest.mark.cal(bookings=12)
def test_a_worker_logs_a_booking_that_could_not_be_mirrored_once(cal, account, caplog):
    uid = cal.book()
    cal.edit(uid, start=None)

    sync_account(account.pk, Mode.FULL)

    [warning] = lines(caplog, at_least=logging.WARNING)
    assert warning.startswith("default: page 1, booking")
    assert uid not in caplog.text
    assert Booking.objects.count() == 12


@pytest.mark.cal(bookings=12)
@pytest.mark.parametrize(("fault", "words"), [("401", "does not accept"), ("500", "")])
def test_the_command_prints_a_failure_once(cal, empty_database, fault, words):
    """In a process of its own, whose log goes to standard error as Python's does by default."""
    cal.fault(fault, times=100, path="/bookings")
    environment = {
        "CAL_BOOKINGS_API_KEY": cal.api_key,
        "CAL_BOOKINGS_BASE_URL": cal.url,
        "DATABASE_URL": f"sqlite:///{empty_database()}",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "cal_sync"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.count('Account "default" at') == 1
    assert words in done.stderr
