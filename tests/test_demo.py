"""``manage.py demo`` as a person runs it: a process, a terminal's signals, the admin in a browser."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from django.core.management import CommandError
from django.utils import timezone

from cal_bookings import outbox, sync
from cal_bookings.models import Account, Booking, Mode, SyncRun, WebhookDelivery
from example_project.visitor import Visitor
from example_project.worker import FULL_EVERY, Deliveries, Inbox, Worker

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, "manage.py", "demo"]


def environment(**more):
    """Nothing of whoever runs the tests."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
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
def demo_under_way(*arguments):
    """The running demo, and what it has said until it serves."""
    process = subprocess.Popen(
        [*MANAGE, "--port", "0", *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = ""
        while "Ctrl-C ends the demo" not in said:
            line = process.stdout.readline() if process.stdout else ""
            assert line, f"it ended early: {said}"
            said += line
        yield process, said
    finally:
        process.terminate()  # else its database would stay
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def test_check_mirrors_two_thousand_bookings_opens_each_page_and_carries_out_an_action():
    done = run_demo("--check")

    assert (done.returncode, done.stderr) == (0, "")
    assert "Mirrored:     2,000 bookings from 20 cursor pages" in done.stdout
    opened = re.findall(r"^(\w+): +http\S+ answers 200", done.stdout, re.MULTILINE)
    assert opened == ["Admin", "Bookings", "Calendar", "Overview"]
    (action,) = re.findall(r"^Action: +(.*)", done.stdout, re.MULTILINE)
    assert re.fullmatch(r"in the admin: decline: Meeting on request .*: done", action)
    (webhook,) = re.findall(
        r"^Webhook: +in the mirror after (\d+) ms", done.stdout, re.MULTILINE
    )
    assert int(webhook) < 5_000
    assert "by webhook: " in done.stdout
    assert left_behind(done.stdout) == []


def test_check_goes_past_a_proxy():
    nobody = "http://127.0.0.1:9"

    done = run_demo("--check", "--bookings", "30", http_proxy=nobody)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_until_it_is_told_to_end_and_leaves_nothing(ending):
    with demo_under_way("--bookings", "30") as (process, said):
        pages = re.findall(r"^\w+: +(http\S+/admin/\S*)", said, re.MULTILINE)
        assert len(pages) == 4
        for page in pages:
            answer = requests.get(page, timeout=20)
            assert answer.url.endswith(f"login/?next={urlsplit(page).path}")
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

    assert said[0].startswith("the walk failed (full): ")
    assert said[1] == "mirrored (full): 5 created, 0 updated, 0 unchanged"


@pytest.mark.django_db
@pytest.mark.cal(bookings=5)
def test_the_worker_outlives_what_nobody_foresaw(cal):
    said: list[str] = []
    nowhere = Account(alias="nowhere", base_url=cal.url)
    worker = Worker(nowhere, cal, said.append)

    worker.try_round()

    assert said[0].startswith("on Cal.com: ")
    assert said[1].startswith("failed, next try in 5 s")
    assert "nowhere" in said[1]
    assert not Booking.objects.exists()


@pytest.mark.django_db
@pytest.mark.cal(bookings=20)
def test_the_worker_walks_every_loop(cal):
    account = Account.objects.configured().get()
    worker = Worker(account, cal, lambda line: None)
    worker.catch_up(Mode.FULL)

    for _ in range(FULL_EVERY):
        worker.round()

    walks = Counter(SyncRun.objects.values_list("mode", flat=True))
    assert walks == {"full": 2, "window": 1, "changes": FULL_EVERY - 2}


@pytest.mark.django_db
@pytest.mark.cal(bookings=5)
def test_a_change_that_moves_no_time_of_update_is_explained(cal):
    said: list[str] = []
    worker = Worker(Account.objects.configured().get(), cal, said.append)
    worker.catch_up(Mode.FULL)
    cal.mark_absent(cal.bookings[0])

    worker.catch_up(Mode.CHANGES)

    _full, changes, explanation = said
    assert changes.startswith("mirrored (changes): 0 created, 0 updated")
    assert "the loop `full` looks at everything in 60 s" in explanation


@pytest.mark.django_db(transaction=True)
@pytest.mark.cal(bookings=5)
def test_the_inbox_says_what_was_read(cal):
    said: list[str] = []
    account = Account.objects.configured().get()
    account.webhook_path()
    uid = cal.book()
    WebhookDelivery.objects.create(
        account=account,
        body_hash="0" * 64,
        trigger="BOOKING_CREATED",
        uid=uid,
        received_at=timezone.now(),
        last_received_at=timezone.now(),
        next_attempt_at=timezone.now(),
    )

    Inbox(account, said.append).try_round()

    assert said == ["by webhook: 1 the booking was read"]
    assert Booking.objects.filter(uid=uid).exists()


@pytest.mark.django_db(transaction=True)
def test_deliveries_report_what_became_of_each_action(cal):
    said: list[str] = []
    good, gone = cal.book(event_type="confirm"), cal.book(event_type="confirm")
    sync.walk(Account.objects.configured().get())
    for uid in (good, gone):
        outbox.decline(Booking.objects.get(uid=uid))
    cal.confirm(gone)

    Deliveries(said.append).round()

    done, conflict = said
    assert re.fullmatch("in the admin: decline: Meeting on request .*: done", done)
    assert re.fullmatch(
        r"in the admin: decline: .*: failed\. .*on Cal\.com.*", conflict
    )
    assert cal.payload(good)["status"] == "rejected"


def test_a_page_that_is_not_there_fails_the_check_with_its_address(cal):
    with (
        Visitor(cal.url) as visitor,
        pytest.raises(CommandError, match="/nowhere answers 404 instead of 200"),
    ):
        visitor.open(f"{cal.url}/nowhere")


def test_a_site_that_does_not_answer_fails_the_check_with_its_address():
    with (
        Visitor("http://127.0.0.1:9") as visitor,
        pytest.raises(CommandError, match=r"//127\.0\.0\.1:9/ does not answer"),
    ):
        visitor.open("http://127.0.0.1:9/")
