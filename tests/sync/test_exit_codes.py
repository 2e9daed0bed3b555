"""What the exit code of a command tells a monitor: 1 means single bookings, and nothing else."""

import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from cal_bookings.models import Account, Booking

ROOT = Path(__file__).parents[2]


def run(*arguments, **environment):
    """Exit code and standard error of a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


COMMANDS = ["cal_sync", "cal_push", "cal_prune"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_mistake_in_the_settings_is_code_3(command):
    code, error = run(
        command, CAL_BOOKINGS_API_KEY="cal_x", CAL_BOOKINGS_BASE_URL="https://cal.com"
    )

    assert code == 3
    assert "/v2" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_that_is_not_migrated_is_code_4_and_names_the_cure(
    command, tmp_path
):
    code, error = run(
        command,
        CAL_BOOKINGS_API_KEY="cal_x",
        DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3",
    )

    assert code == 4
    assert "manage.py migrate" in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_that_is_down_is_code_4_and_one_line(command):
    code, error = run(
        command,
        CAL_BOOKINGS_API_KEY="cal_x",
        DATABASE_URL="postgres://nobody@127.0.0.1:9/nowhere",
    )

    assert code == 4
    assert "The database does not answer" in error
    assert len(error.splitlines()) == 1


def test_without_an_account_the_code_is_3(db):
    with pytest.raises(CommandError) as stopped:
        call_command("cal_sync")

    assert stopped.value.returncode == 3


@pytest.mark.cal(bookings=60)
def test_ctrl_c_prints_one_line_and_the_next_run_resumes(cal, settings, empty_database):
    asked = Event()

    def answer_slowly(_):
        asked.set()
        time.sleep(0.5)

    cal.on_request = answer_slowly
    environment = {
        "CAL_BOOKINGS_API_KEY": cal.api_key,
        "CAL_BOOKINGS_BASE_URL": cal.url,
        "DATABASE_URL": f"sqlite:///{empty_database()}",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "cal_sync"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    asked.wait(30)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)

    assert process.returncode == 130
    assert error.startswith("Interrupted.")
    assert len(error.splitlines()) == 1
    assert run("cal_sync", **environment) == (0, "")


@pytest.fixture
def three(cal, settings, transactional_db):
    """Three accounts of three users, in the order in which they are walked."""
    users = [cal.add_user() for _ in range(3)]
    for user in users:
        cal.book(user=user)
    settings.CAL_BOOKINGS = {
        "ACCOUNTS": {
            alias: {"API_KEY": user.api_key, "BASE_URL": cal.url}
            for alias, user in zip("abc", users, strict=True)
        }
    }
    return list(Account.objects.configured())


def failing(error, account):
    """A database that fails where a run of the account is recorded."""

    def fail(proceed, sql, params, many, context):
        if 'INTO "cal_bookings_syncrun"' in sql.replace("`", '"') and (
            account.pk in params
        ):
            raise error
        return proceed(sql, params, many, context)

    return connection.execute_wrapper(fail)


def test_an_account_that_meets_a_bug_does_not_keep_the_others_from_being_walked(
    three, caplog
):
    error = StringIO()
    with failing(RuntimeError("secret"), three[0]), pytest.raises(SystemExit) as end:
        call_command("cal_sync", stderr=error, stdout=StringIO())

    assert end.value.code == 5
    assert [each.bookings.count() for each in three] == [0, 1, 1]
    assert error.getvalue().count("RuntimeError") == 1
    assert len(error.getvalue().splitlines()) == 1
    assert caplog.text.count("Unexpected RuntimeError") == 1
    assert "secret" not in caplog.text + error.getvalue()


def test_a_refused_statement_is_code_4_and_shows_no_row(three, caplog):
    error = StringIO()
    refusal = IntegrityError("Key (email)=(ada@example.com) already exists")
    with failing(refusal, three[1]), pytest.raises(SystemExit) as end:
        call_command("cal_sync", stderr=error, stdout=StringIO())

    assert end.value.code == 4
    assert [each.bookings.count() for each in three] == [1, 0, 1]
    assert "IntegrityError" in error.getvalue()
    assert "ada@example.com" not in error.getvalue() + caplog.text


@pytest.mark.parametrize(
    ("since", "zone"),
    [("0001-01-01", "Asia/Tokyo"), ("9999-12-31T23:00", "America/Lima")],
)
def test_a_since_that_no_clock_shows_in_utc_is_refused_in_words(settings, since, zone):
    settings.TIME_ZONE = zone

    with pytest.raises(CommandError, match="outside the years 1 to 9999"):
        call_command("cal_sync", f"--since={since}", "--mode=changes")


@pytest.mark.cal(bookings=3)
def test_a_since_before_all_bookings_reads_them_all(cal, db):
    call_command("cal_sync", "--since=0001-01-01", "--mode=changes", verbosity=0)

    assert Booking.objects.count() == 3
