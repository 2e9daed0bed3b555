"""Real workers over a real broker and PostgreSQL, faults on every fifth request, SIGKILL at random: no effect is had twice.

The fake's own journal is the judge. The size of `SERVICES_ACTIONS` may be larger.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from threading import Lock
from typing import Any

import pytest

from cal_bookings.testing import FakeCal
from tests.services.site import ROOT

ACTIONS = int(os.environ.get("SERVICES_ACTIONS") or 200)
BOOKINGS = ACTIONS * 6 // 10
WORKERS, KILLS = 4, 8
WITHIN = 300 + ACTIONS  # seconds

WRITES = ("dropped", "reset", "truncated", "500", "500-applied", "garbled", "late")
READS = ("shape", "reset", "truncated", "html")


@pytest.fixture
def cal():
    with FakeCal() as cal:
        start = cal.clock.now().replace(minute=0, second=0, microsecond=0)
        for number in range(BOOKINGS):
            kind = ("normal", "confirm", "normal", "past", "normal")[number % 5]
            hours = -number if kind == "past" else number + 2
            cal.book(
                event_type="normal" if kind == "past" else kind,
                start=start + timedelta(hours=hours - (2 if hours <= 0 else 0)),
            )
        yield cal


class Weather:
    """A fault for every fifth request."""

    def __init__(self, cal):
        self.cal = cal
        self.random = random.Random(5)
        self.lock = Lock()
        self.faults = 0

    def __call__(self, request):
        with self.lock:
            if self.random.random() > 0.2 or request.path == "/bookings":
                return
            self.faults += 1
            kind = self.random.choice(READS if request.method == "GET" else WRITES)
            self.cal.fault(kind, method=request.method, path=request.path)


def ended(site):
    ((left, all_),) = site.ask(
        "SELECT count(*) FILTER (WHERE status IN ('queued', 'sending', 'unknown')), count(*) "
        "FROM cal_bookings_bookingaction"
    )
    return all_ == ACTIONS and left == 0


def unfinished(site):
    """Describe the actions that have not ended, and the end of the workers' log."""
    left = site.ask(
        "SELECT id, kind, status, attempts, error_code, next_attempt_at - now() "
        "FROM cal_bookings_bookingaction WHERE status IN ('queued', 'sending', 'unknown')"
    )
    return f"{left}\n{site.log.read_text()[-3000:]}"


def hurry(site):
    """Make due what no worker holds and what waits longer than seconds: the pauses grow to many minutes."""
    site.database.execute(
        "UPDATE cal_bookings_bookingaction SET next_attempt_at = now() "
        "WHERE status IN ('queued', 'sending', 'unknown') "
        "AND (lease_until IS NULL OR lease_until < now()) "
        "AND next_attempt_at > now() + interval '5 seconds'"
    )


def shown(action):
    """What the journal shows of this action, apart from its kind and booking."""
    parameters = action["parameters"]
    match action["kind"]:
        case "mark_absent":
            return {"host": True} if parameters["host"] else {"absent": True}
        case "update_location":
            return {"location": parameters["location"]["address"]}
        case "add_guests":
            return {"email": parameters["guests"][0]["email"]}
        case "confirm":
            return {}
        case _:
            return {"reason": parameters["reason"]}


def test_workers_killed_at_random_have_each_effect_once_and_know_it(cal, site):
    rng = random.Random(2)
    site.run("manage.py", "migrate", "-v0")
    site.run("-m", "tests.services.database", "prepare", cal.url, cal.api_key)
    for _ in range(WORKERS):
        site.start_worker()
    weather = cal.on_request = Weather(cal)
    began = time.monotonic()
    staff = site.start("-m", "tests.services.staff", "enqueue", str(ACTIONS))
    kills = 0
    while not ended(site):
        assert staff.poll() in (None, 0), site.log.read_text()[-3000:]
        assert time.monotonic() - began < WITHIN, unfinished(site)
        task = "cal_bookings.deliver_due_actions"
        site.app.send_task(task, queue=site.queue, expires=2)
        time.sleep(1)
        cal.carry_out_late()
        hurry(site)
        if kills < KILLS and rng.random() < 0.3:
            kills += 1
            site.kill_a_worker()
            site.start_worker()
    assert staff.wait(10) == 0
    seconds = time.monotonic() - began
    cal.carry_out_late()
    judge(cal, json.loads(output(site, "-m", "tests.services.staff", "report")))
    print(
        f"# {ACTIONS} actions on {BOOKINGS} bookings ended in {seconds:.0f} s by {WORKERS} workers, {kills} killed, "
        f"{weather.faults} faults in {len(cal.requests)} requests"
    )


def judge(cal, actions):
    by_booking: dict[str, list[Any]] = {}
    for effect in cal.effects:
        by_booking.setdefault(effect.uid, []).append(effect)
    for action in actions:
        effects = by_booking.get(action["uid"], [])
        own = [
            place
            for place, effect in enumerate(effects)
            if effect.kind == action["kind"]
            and shown(action).items() <= effect.details.items()
        ]
        assert len(own) <= 1, action
        assert (action["status"] == "done") == (len(own) == 1), action
        action["place"] = own[0] if own else None
    for uid in by_booking:
        places = [one["place"] for one in actions if one["uid"] == uid]
        in_order = [place for place in places if place is not None]
        assert in_order == sorted(in_order), uid
    ends = Counter((one["status"], one["code"]) for one in actions)
    print(f"# {dict(ends)}")
    assert ends["done", ""] > ACTIONS / 2


def output(site, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=site.environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
