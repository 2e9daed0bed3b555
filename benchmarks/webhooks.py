"""How many deliveries a second one process accepts: gunicorn, PostgreSQL, wake-ups included, 8 connections.

    BENCHMARK_DATABASE_URL=postgres://postgres@127.0.0.1:5432/cal_webhooks_benchmark CELERY_BROKER_URL=redis://127.0.0.1:6379/5 \
        CACHE_URL=redis://127.0.0.1:6379/5 python -m benchmarks.webhooks [--deliveries 3000] [--rounds 3]

In turns with a view that only reads the body. Empties the database.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

CONNECTIONS = 8
THREADS = 4
SECRET = "whsec_benchmark"  # noqa: S105 - of a benchmark
_numbers = count()


def prepare() -> str:
    """Make the database and one account; return the path of its receiver."""
    os.environ["DATABASE_URL"] = os.environ["BENCHMARK_DATABASE_URL"]
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.webhooks_settings"
    os.environ.setdefault("DJANGO_SECRET_KEY", "of all processes")
    from benchmarks.__main__ import make_database

    make_database(os.environ["DATABASE_URL"])
    import django

    django.setup()
    from django.core.management import call_command

    from cal_bookings.models import Account

    call_command("flush", verbosity=0, interactive=False)
    return Account.objects.configured().get().webhook_path()


@contextmanager
def server() -> Iterator[int]:
    """One process of gunicorn; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--worker-class=gthread"]
    options = ["--workers=1", f"--threads={THREADS}", f"--bind=127.0.0.1:{port}"]
    started = subprocess.Popen(
        [*command, *options, "--log-level=warning", "example_project.wsgi"]
    )
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        started.terminate()
        started.wait()


def deliveries(number: int) -> list[tuple[bytes, dict[str, str]]]:
    """Signed bodies of a usual length, no two the same."""
    from cal_bookings.client import sign

    made = []
    for _ in range(number):
        payload = {"uid": f"uid-{next(_numbers)}", "filler": "x" * 1900}
        content = {"triggerEvent": "BOOKING_CREATED", "payload": payload}
        body = json.dumps(content).encode()
        made.append((body, {"X-Cal-Signature-256": sign(body, SECRET)}))
    return made


def measure(port: int, path: str, number: int) -> tuple[float, float]:
    """Answers of 200 a second, and the 99th percentile of their time in milliseconds."""
    bodies, seconds, lock = deliveries(number), [], threading.Lock()

    def work(mine: list[tuple[bytes, dict[str, str]]]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for body, headers in mine:
            began = time.perf_counter()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            took = time.perf_counter() - began
            if answer.status != 200:
                print(f"{path} answered {answer.status}", file=sys.stderr)
                os._exit(1)
            with lock:
                seconds.append(took)

    threads = [
        threading.Thread(target=work, args=(bodies[place::CONNECTIONS],))
        for place in range(CONNECTIONS)
    ]
    began = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    rate = number / (time.perf_counter() - began)
    return rate, sorted(seconds)[int(len(seconds) * 0.99)] * 1000


def statements(path: str) -> int:
    """SQL statements of one accepted delivery."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    ((body, headers),) = deliveries(1)
    with CaptureQueriesContext(connection) as queries:
        answer = Client(SERVER_NAME="localhost").post(
            path, body, "application/json", headers=headers
        )
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}")
    return len(queries)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    path = prepare()
    results: dict[str, list[tuple[float, float]]] = {path: [], "/read-only/": []}
    with server() as port:
        for each in results:
            measure(port, each, 200)  # warms up
        for _ in range(given.rounds):
            for each, measured in results.items():
                measured.append(measure(port, each, given.deliveries))
    ours, limit = ([rate for rate, _ in each] for each in results.values())
    p99 = statistics.median(each for _, each in results[path])
    from cal_bookings.models import WebhookDelivery

    stored = WebhookDelivery.objects.count()
    print(
        f"accepted: {statistics.median(ours):.0f}/s ({min(ours):.0f} to {max(ours):.0f}), p99 {p99:.0f} ms"
    )
    print(f"a view that only reads the body: {statistics.median(limit):.0f}/s")
    print(f"ratio: {statistics.median(ours) / statistics.median(limit):.2f}")
    print(
        f"stored: {stored} of {given.rounds * given.deliveries + 200}; statements of one: {statements(path)}"
    )


if __name__ == "__main__":
    main()
