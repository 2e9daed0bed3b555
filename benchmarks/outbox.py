"""How soon an action is done, and how many a second: real workers, a broker, a Cal.com that takes 50 ms.

    BENCHMARK_DATABASE_URL=postgres://postgres@127.0.0.1:5432/cal_outbox CELERY_BROKER_URL=amqp://guest:guest@127.0.0.1:5672// \
        CACHE_URL=redis://127.0.0.1:6379/12 python -m benchmarks.outbox [--actions 600] [--threads 4]

Empties the database. One idle worker for the latency, four for the throughput, no rate limit.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

LATENCY = 0.05  # seconds that the remote takes
WORKERS = 4
ALONE = 40  # actions, one after the other, for the latency

QUEUE = f"bench-{uuid4().hex[:8]}"


def prepare() -> None:
    os.environ["DATABASE_URL"] = os.environ["BENCHMARK_DATABASE_URL"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.outbox_settings")
    os.environ.setdefault("DJANGO_SECRET_KEY", "of all processes")
    os.environ["BENCHMARK_QUEUE"] = QUEUE


@contextmanager
def workers(count: int, threads: int) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", "example_project", "worker"]
    options = ["--pool=threads", f"--concurrency={threads}", "--without-gossip"]
    options += ["--without-mingle", "-Q", QUEUE]
    started = [
        subprocess.Popen(
            [*command, *options, "-n", f"{uuid4().hex[:8]}@bench"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait()


def wait_until(done: Any, *, pause: float, within: float = 300) -> None:
    ends = time.monotonic() + within
    while not done():
        if time.monotonic() > ends:
            raise SystemExit("the workers did not finish in time")
        time.sleep(pause)


def alone(bookings: list[Any]) -> list[float]:
    """Seconds from enqueue to done, one after the other, with an idle worker."""
    from cal_bookings import outbox

    seconds = []
    for booking in bookings:
        action = outbox.cancel(booking, reason="Fell ill")
        wait_until(lambda action=action: ended(action), pause=0.01)
        action.refresh_from_db()
        seconds.append((action.ended_at - action.enqueued_at).total_seconds())
    return seconds


def ended(action: Any) -> bool:
    action.refresh_from_db(fields=["status"])
    return not action.is_open


def together(bookings: list[Any]) -> float:
    """Actions a second, from the first one's first attempt to the end of the last."""
    from django.db import transaction
    from django.db.models import Max, Min

    from cal_bookings import outbox
    from cal_bookings.models import ActionAttempt, BookingAction

    before = BookingAction.objects.count()
    with transaction.atomic():  # the workers are to be measured, not who enqueues
        for booking in bookings:
            outbox.cancel(booking, reason="Fell ill")
    mine = BookingAction.objects.order_by("pk")[before:]
    wait_until(lambda: not BookingAction.objects.open().exists(), pause=0.5)
    pks = list(mine.values_list("pk", flat=True))
    told = ActionAttempt.objects.filter(action__in=pks).aggregate(
        first=Min("began_at"), last=Max("ended_at")
    )
    if BookingAction.objects.filter(status="done").count() != before + len(pks):
        raise SystemExit("not every action was done")
    return len(pks) / (told["last"] - told["first"]).total_seconds()


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=600)
    parser.add_argument("--threads", type=int, default=4, help="of each worker")
    given = parser.parse_args()
    prepare()
    import django

    django.setup()
    from django.core.management import call_command

    from cal_bookings import sync
    from cal_bookings.models import Account, Booking
    from cal_bookings.testing import FakeCal

    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    with FakeCal() as cal:
        for _ in range(given.actions + 2 * ALONE):
            cal.book()
        cal.latency = LATENCY
        os.environ["BENCHMARK_CAL"] = cal.url
        Account.objects.create(
            alias="bench", base_url=cal.url, credentials={"API_KEY": cal.api_key}
        )
        sync.walk(Account.objects.get())
        bookings = list(Booking.objects.select_related("account").order_by("pk"))
        with workers(1, given.threads):
            alone(bookings[:ALONE])  # warms up
            seconds = sorted(alone(bookings[ALONE : 2 * ALONE]))
        asked = len(cal.requests)
        with workers(WORKERS, given.threads):
            time.sleep(10)  # until all of them are there
            rate = together(bookings[2 * ALONE :])
        asked = len(cal.requests) - asked
    p95 = seconds[int(len(seconds) * 0.95)]
    print(
        f"enqueue to done, idle worker: median {statistics.median(seconds) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms"
    )
    print(
        f"{WORKERS} workers x {given.threads} threads: {rate:.0f} actions/s, {asked / given.actions:.1f} requests each; "
        f"the remote takes {LATENCY * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
