"""Four real workers, a real broker, PostgreSQL, many accounts, and SIGKILL at random.

By default a small site; the size of `SERVICES_ACCOUNTS` and `SERVICES_BOOKINGS` (per account) may be larger.
"""

import json
import os
import random
import time

import pytest

from cal_bookings.testing import FakeCal, RateLimit

ACCOUNTS = int(os.environ.get("SERVICES_ACCOUNTS") or 8)
BOOKINGS = int(os.environ.get("SERVICES_BOOKINGS") or 600)
WORKERS, KILLS = 4, 8
WITHIN = 120 + ACCOUNTS * BOOKINGS / 150  # seconds


@pytest.fixture
def cal():
    """One server; each account is another user, with a rate limit of its own."""
    limit = RateLimit(limit=120, window=60, block=60)
    with FakeCal(rate_limit=limit) as cal:
        users = [cal.users[1], cal.users[2], cal.users[3]]
        users += [cal.add_user() for _ in range(ACCOUNTS - len(users))]
        for user in users:
            cal.seed(BOOKINGS, user=user)
        yield cal


def change_something(cal, rng):
    """What moves a time of update, so that the next poll must bring it."""
    user = cal.users[rng.randint(1, ACCOUNTS)]
    mine = list(cal.seen_by[user.id])
    match rng.randrange(4):
        case 0:
            cal.book(user=user)
        case 1:
            cal.set_location(rng.choice(mine), f"Room {rng.randrange(99)}")
        case 2:
            cal.cancel(rng.choice(mine), "Fell ill")
        case _:
            cal.reschedule(rng.choice(mine))


def test_workers_that_are_killed_at_random_leave_every_mirror_equal(cal, site):
    rng = random.Random(1)
    site.run("manage.py", "migrate", "-v0")
    keys = [cal.users[number].api_key for number in range(1, ACCOUNTS + 1)]
    site.run("-m", "tests.services.database", "prepare", cal.url, *keys)
    for _ in range(WORKERS):
        site.start_worker()
    kills = 0

    def live():
        nonlocal kills
        change_something(cal, rng)
        if kills < KILLS and rng.random() < 0.07:
            kills += 1
            site.kill_a_worker()
            site.start_worker()

    def is_mirrored():
        ((walked,),) = site.ask(
            "SELECT count(*) FROM cal_bookings_syncstate "
            "WHERE mode = 'full' AND last_completed_at IS NOT NULL"
        )
        return walked == ACCOUNTS and kills == KILLS

    began = time.monotonic()
    site.wait_for(is_mirrored, live, within=WITHIN)
    seconds = time.monotonic() - began
    ((quiet,),) = site.ask("SELECT now()")
    site.hurry()

    def has_seen_all():
        ((seen,),) = site.ask(
            "SELECT count(*) FROM cal_bookings_syncstate "
            "WHERE mode != 'window' AND last_completed_at > %s",
            quiet,
        )
        return seen == 2 * ACCOUNTS

    site.wait_for(has_seen_all, within=WITHIN)
    payloads = {f"a{n}": cal.payloads(cal.users[n + 1]) for n in range(ACCOUNTS)}
    site.run("-m", "tests.services.database", "compare", sent=json.dumps(payloads))
    report(site, seconds, kills)
    assert cal.rate_limit.refused == 0


def report(site, seconds, kills):
    ((first, last),) = site.ask(
        "SELECT extract(epoch from min(done)), extract(epoch from max(done)) FROM (SELECT account_id, "
        "min(finished_at) - (SELECT min(started_at) FROM cal_bookings_syncrun) AS done FROM cal_bookings_syncrun "
        "WHERE mode = 'full' AND outcome = 'complete' GROUP BY account_id) AS first_walks"
    )
    print(
        f"# {ACCOUNTS} accounts x {BOOKINGS} bookings mirrored in {seconds:.0f} s by {WORKERS} workers, {kills} killed; "
        f"first account after {first:.1f} s, last after {last:.1f} s"
    )
