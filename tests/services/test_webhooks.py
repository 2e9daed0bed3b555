"""Webhooks of the fake Cal.com to a real web process, over a real broker, to real workers: how fast, and what is lost.

Small by default. `SERVICES_CHANGES` (deliveries one by one), `SERVICES_HINTS` (a storm about fifty bookings) and
`SERVICES_DELIVERIES` (under kills and outages) may be larger.
"""

import json
import os
import random
import socket
import time
from statistics import quantiles

import pytest

from cal_bookings.testing import FakeCal
from tests.services.site import Site
from tests.services.web import Web

CHANGES = int(os.environ.get("SERVICES_CHANGES") or 20)
HINTS = int(os.environ.get("SERVICES_HINTS") or 500)
DELIVERIES = int(os.environ.get("SERVICES_DELIVERIES") or 120)
STORMED = 50  # bookings
ANSWERS_AFTER = 0.05  # seconds


@pytest.fixture
def cal():
    with FakeCal(bookings=100, private_webhooks=True) as cal:
        cal.webhooks.retry_pause = 1.0
        yield cal


@pytest.fixture
def site(app, wires, database_url, tmp_path, cal):
    """Two workers that reach broker and database over wires; the mirror is complete."""
    broker, database = wires["urls"]
    with Site(app, broker, database_url, tmp_path / "workers.log") as site:
        site.environment["TEST_SITE_URL"] = f"http://127.0.0.1:{free_port()}"
        site.run("manage.py", "migrate", "-v0")
        site.run("-m", "tests.services.database", "prepare", cal.url, cal.api_key)
        site.run("manage.py", "cal_sync", "--mode", "full", "-v0")
        site.run("manage.py", "cal_webhooks", "ensure")
        site.environment["DATABASE_URL"] = database
        for _ in range(2):
            site.start_worker()
        yield site


@pytest.fixture
def web(site):
    port = int(site.environment["TEST_SITE_URL"].rpartition(":")[2])
    web = Web(site, port)
    web.wait_until_it_answers()
    return web


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def shows(site, uid, status):
    ((found,),) = site.ask(
        "SELECT count(*) FROM cal_bookings_booking WHERE uid = %s AND status = %s",
        uid,
        status,
    )
    return found == 1


def open_deliveries(site):
    ((count,),) = site.ask(
        "SELECT count(*) FROM cal_bookings_webhookdelivery WHERE next_attempt_at IS NOT NULL"
    )
    return count


def until(condition, within, site):
    """Wait for a condition without any loop; sweep once a second, as beat does every ten."""
    ends, swept = time.monotonic() + within, time.monotonic()
    while not condition():
        assert time.monotonic() < ends, site.log.read_text()[-3000:]
        if time.monotonic() - swept > 1:
            swept = time.monotonic()
            site.sweep()
        time.sleep(0.01)


def test_a_delivery_is_a_mirrored_row_within_a_second(site, web, cal):
    cal.latency = ANSWERS_AFTER
    rng = random.Random(1)
    warm_up(site, cal)
    took = []
    for _ in range(CHANGES):
        uid = cal.book()
        cal.webhooks.flush()
        arrived = time.monotonic()
        # No sweep: it would help a delivery that woke nobody.
        while not shows(site, uid, "accepted"):
            assert time.monotonic() - arrived < 20, site.log.read_text()[-3000:]
            time.sleep(0.005)
        took.append(time.monotonic() - arrived)
        time.sleep(rng.uniform(0.1, 1.2))

    p95 = quantiles(took, n=20)[-1]
    print(
        f"# {CHANGES} deliveries to mirrored rows: p95 {p95:.2f} s, median {sorted(took)[len(took) // 2]:.2f} s"
    )
    assert p95 < 1 + ANSWERS_AFTER


def warm_up(site, cal):
    uid = cal.book()
    until(lambda: shows(site, uid, "accepted"), 30, site)


def test_a_storm_about_fifty_bookings_costs_few_requests(site, web, cal):
    warm_up(site, cal)
    uids = [cal.book() for _ in range(STORMED)]
    cal.webhooks.flush(60)
    until(lambda: not open_deliveries(site), 60, site)
    before, asked, began = len(cal.webhooks.journal), reads(cal), time.monotonic()

    for number in range(HINTS):
        cal.set_location(uids[number % STORMED], f"Room {number}")
    cal.webhooks.flush(600)
    arrived = time.monotonic() - began
    until(lambda: not open_deliveries(site), 60, site)
    seconds = time.monotonic() - began

    assert {one.status for one in cal.webhooks.journal[before:]} == {200}
    requests = reads(cal) - asked
    print(
        f"# {HINTS} hints for {STORMED} bookings: {requests} requests; delivered in {arrived:.0f} s, processed after {seconds:.0f} s"
    )
    assert requests <= 300
    for uid in uids:
        ((location,),) = site.ask(
            "SELECT location FROM cal_bookings_booking WHERE uid = %s", uid
        )
        assert location == cal.payload(uid)["location"]


def reads(cal):
    return sum(one.path.startswith("/bookings/") for one in cal.requests)


def test_whatever_is_killed_or_gone_each_accepted_delivery_is_processed(
    site, web, cal, wires
):
    rng = random.Random(2)
    warm_up(site, cal)
    troubles = [
        lambda: (site.kill_a_worker(), site.start_worker()),
        lambda: (web.kill(), web.start()),
        lambda: interrupt(wires["broker"]),
        lambda: interrupt(wires["database"]),
    ]
    for number in range(DELIVERIES):
        change_something(cal, rng)
        if number % max(1, DELIVERIES // 12) == 5:
            troubles[number // max(1, DELIVERIES // 12) % 4]()
        time.sleep(0.02)
    cal.webhooks.flush(120)
    until(lambda: not open_deliveries(site), 180, site)

    accepted = {one.body for one in cal.webhooks.accepted()}
    rows = site.ask(
        "SELECT count(*), count(processed_at), count(*) FILTER (WHERE outcome = 'failed') FROM cal_bookings_webhookdelivery"
    )
    ((stored, processed, failed),) = rows
    print(
        f"# {DELIVERIES} changes: {len(accepted)} accepted deliveries, {stored} stored, {processed} processed, {failed} failed"
    )
    # A delivery whose answer was lost is stored although nobody was told so.
    assert stored >= len(accepted)
    assert processed == stored
    assert failed == 0
    assert_follows(site, cal)
    web.wait_until_it_answers()
    ((now,),) = site.ask("SELECT now()")
    site.hurry()
    site.wait_for(lambda: walked_since(site, now))
    payloads = {"a0": cal.payloads(cal.users[1])}
    site.run("-m", "tests.services.database", "compare", sent=json.dumps(payloads))


def interrupt(wire):
    wire.cut()
    time.sleep(2)
    wire.mend()


def change_something(cal, rng):
    mine = list(cal.seen_by[1])
    match rng.randrange(4):
        case 0:
            cal.book()
        case 1:
            cal.set_location(rng.choice(mine), f"Room {rng.randrange(99)}")
        case 2:
            cal.cancel(rng.choice(mine), "Fell ill")
        case _:
            cal.reschedule(rng.choice(mine))


def assert_follows(site, cal):
    """Before any loop runs: each booking all of whose deliveries were accepted shows what Cal.com shows."""
    journal = list(cal.webhooks.journal)
    accepted = {one.delivery.envelope.body for one in journal if one.is_accepted}
    lost = {one.uid for one in journal if one.body not in accepted}
    told = {one.uid for one in journal} - lost
    statuses = dict(site.ask("SELECT uid, status FROM cal_bookings_booking"))
    assert told
    for uid in told:
        assert statuses.get(uid) == cal.payload(uid)["status"], uid


def walked_since(site, moment):
    ((seen,),) = site.ask(
        "SELECT count(*) FROM cal_bookings_syncstate WHERE mode != 'window' AND last_completed_at > %s",
        moment,
    )
    return seen == 2


def test_a_rotation_under_load_refuses_nothing(site, web, cal):
    site.run("manage.py", "cal_webhooks", "ensure")
    assert len(cal.webhooks.subscriptions.of("userId", 1)) == 1
    (hook,) = cal.webhooks.subscriptions.of("userId", 1)
    warm_up(site, cal)
    first = hook.secret
    rotation = site.start("manage.py", "cal_webhooks", "rotate")
    while rotation.poll() is None:
        cal.book()
        time.sleep(0.01)
    for _ in range(10):
        cal.book()
    cal.webhooks.flush(60)

    assert rotation.returncode == 0
    assert hook.secret != first
    assert len(cal.webhooks.subscriptions.of("userId", 1)) == 1
    assert {one.status for one in cal.webhooks.journal} == {200}
    print(f"# a rotation under {len(cal.webhooks.journal)} deliveries: none refused")
