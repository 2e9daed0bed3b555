"""Four real processes, one credential, a server that counts."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cal_bookings.testing import FakeCal, RateLimit

ROOT = Path(__file__).parents[2]
LIMIT, WINDOW = 120, 6.0
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#: A platform's client: the only credential that several accounts may share for the same bookings.
PREPARE = """
import django; django.setup()
from cal_bookings.models import Account
client = {"CLIENT_ID": "client", "CLIENT_SECRET": "hush"}
for number in range(4):
    Account.objects.create(alias=f"a{number}", base_url=%r, credentials=client)
"""


def run(environment, *arguments):
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


@pytest.fixture(params=["redis", "database"])
def environment(request, tmp_path):
    """Processes that share a cache, or a database only.

    On SQLite, whose writers wait for each other, the mirror itself is what slows four of them down.
    """
    if request.param == "redis":
        redis = pytest.importorskip("redis")
        try:
            redis.Redis.from_url(REDIS).flushdb()
        except redis.ConnectionError:
            pytest.skip(
                "needs Redis: set TEST_REDIS_URL to a database that may be emptied"
            )
    elif "TEST_DATABASE_URL" not in os.environ:
        pytest.skip("needs a database server: set TEST_DATABASE_URL to an empty one")
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "DJANGO_SECRET_KEY": "of all processes",
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL")
        or f"sqlite:///{tmp_path}/db.sqlite3",
        "CACHE_URL": REDIS if request.param == "redis" else "locmemcache://",
        "CAL_BOOKINGS_ENCRYPTION_KEYS": KEY,
        "CAL_BOOKINGS_ALLOWED_SERVERS": "127.0.0.1",
    }


def windows_of(arrivals):
    """The arrivals by the server's windows: each from its first request on."""
    windows: list[list[float]] = []
    for at in arrivals:
        if not windows or at - windows[-1][0] >= WINDOW:
            windows.append([])
        windows[-1].append(at)
    return windows


@pytest.mark.slow
def test_four_processes_use_the_allowed_rate_and_are_never_refused(environment):
    limit = RateLimit(limit=LIMIT, window=WINDOW, block=WINDOW)
    arrivals = []
    with FakeCal(bookings=2000, rate_limit=limit) as cal:
        cal.accept_client("client", "hush", cal.users[1])
        cal.on_request = lambda _: arrivals.append(time.monotonic())
        assert run(environment, "manage.py", "migrate", "-v0").wait() == 0
        assert run(environment, "manage.py", "flush", "--no-input").wait() == 0
        assert run(environment, "-c", PREPARE % cal.url).wait() == 0
        workers = [
            run(environment, "-m", "tests.budget.backfill", f"a{number}", "30")
            for number in range(4)
        ]
        assert [worker.wait() for worker in workers] == [0] * 4

    # The first window begins with the start of the processes, the last is cut off.
    whole = windows_of(arrivals)[1:-1]
    seconds = windows_of(arrivals)[-1][0] - whole[0][0]
    used = sum(len(window) for window in whole) / (LIMIT * seconds / WINDOW)
    print(f"{used:.1%} of the allowed rate over {len(whole)} windows")
    assert limit.refused == 0
    assert used >= 0.95
