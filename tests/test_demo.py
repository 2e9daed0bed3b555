"""``manage.py demo`` as a person runs it: a process, a terminal's signals, the admin in a browser."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from cal_bookings.models import Account, Booking, Mode
from example_project.worker import Worker

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, "manage.py", "demo"]


def environment(**more):
    """Nothing of whoever runs the tests."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def run_demo(*arguments, **more):
    return subprocess.run(
        [*MANAGE, *arguments],
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def left_behind(said):
    """What is still there of the database that the demo named."""
    (name,) = re.findall(r"Database: +(\S+)", said)
    return list(Path(name).parent.glob(f"{Path(name).name}*"))


@contextmanager
def demo_under_way():
    """The running demo, and what it has said until it serves."""
    process = subprocess.Popen(
        [*MANAGE, "--bookings", "30", "--port", "0"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = ""
        while "Ctrl-C ends" not in said:
            line = process.stdout.readline() if process.stdout else ""
            assert line, f"it ended early: {said}"
            said += line
        yield process, said
    finally:
        process.kill()
        process.communicate()


def test_check_mirrors_two_thousand_bookings_and_opens_the_admin():
    done = run_demo("--check")

    assert (done.returncode, done.stderr) == (0, "")
    told = r"([\d,]+) bookings mirrored over (\d+) cursor pages"
    ((bookings, pages),) = re.findall(told, done.stdout)
    assert int(bookings.replace(",", "")) >= 2000
    assert int(pages) >= 20
    assert "answers 200" in done.stdout
    assert left_behind(done.stdout) == []


def test_check_goes_past_a_proxy():
    nobody = "http://127.0.0.1:9"

    done = run_demo("--check", "--bookings", "30", http_proxy=nobody)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_until_it_is_told_to_end_and_leaves_nothing(ending):
    with demo_under_way() as (process, said):
        (admin,) = re.findall(r"Admin: +(\S+)", said)
        assert requests.get(admin, timeout=20).url.endswith("login/?next=/admin/")
        process.send_signal(ending)
        rest, _ = process.communicate(timeout=30)

        assert process.returncode == 0
        assert "left nothing behind" in rest
        assert "Traceback" not in rest
    assert left_behind(said) == []


def test_a_port_that_is_taken_is_said_with_the_cure(cal):
    taken = cal.url.split(":")[2].removesuffix("/v2")

    done = run_demo("--port", taken)

    assert done.returncode == 1
    assert f"Port {taken} cannot be used (Address already in use)" in done.stderr
    assert f"--port {int(taken) + 1}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("told", "cure"),
    [
        pytest.param({"DJANGO_DEBUG": "0"}, "unset DJANGO_DEBUG", id="production"),
        pytest.param(
            {"DJANGO_SETTINGS_MODULE": "example_project.settings"},
            "unset DJANGO_SETTINGS_MODULE",
            id="the settings of a site",
        ),
    ],
)
def test_it_refuses_where_its_published_password_would_do_harm(told, cure):
    done = run_demo(**told)

    assert (done.returncode, done.stdout) == (1, "")
    assert cure in done.stderr


@pytest.mark.django_db
@pytest.mark.cal(bookings=5)
def test_the_worker_outlives_a_failed_sync(cal):
    said: list[str] = []
    worker = Worker(Account.objects.configured().get(), cal, said.append)
    cal.fault("html", path="/bookings")

    worker.catch_up(Mode.FULL)
    worker.catch_up(Mode.FULL)

    assert said[0].startswith("sync failed (full): ")
    assert said[1] == "mirrored (full): 5 created, 0 updated, 0 unchanged"


@pytest.mark.django_db
@pytest.mark.cal(bookings=5)
def test_the_worker_outlives_what_nobody_foresaw(cal):
    said: list[str] = []
    nowhere = Account(alias="nowhere", base_url=cal.url)
    worker = Worker(nowhere, cal, said.append)

    worker.catch_up(Mode.FULL)

    assert said[0].startswith("sync failed, the next one is tried all the same")
    assert "nowhere" in said[0]
    assert not Booking.objects.exists()
