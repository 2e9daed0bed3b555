"""One contender in a process of its own: times itself and prints a JSON object per measurement.

python -m benchmarks.contenders NAME BASE_URL DATABASE_URL
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any


def measured(name: str, run: Callable[[], int | None], **more: Any) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    bookings = run()
    told = {
        "name": name,
        "bookings": bookings,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(told | more), flush=True)


def mirror(base_url: str, database_url: str) -> None:
    from benchmarks import mirrored

    account = mirrored.empty_and_known()
    measured("first mirror", lambda: mirrored.walk(account).seen)
    measured("unchanged", lambda: mirrored.walk(account).unchanged)


def dlt_append(base_url: str, database_url: str) -> None:
    from benchmarks import peers

    with peers.dlt_pipeline(database_url) as pipeline:
        source = peers.dlt_bookings(base_url, "append")
        measured("dlt append", lambda: _run_dlt(pipeline, source))


def dlt_merge(base_url: str, database_url: str) -> None:
    from benchmarks import peers

    with peers.dlt_pipeline(database_url) as pipeline:
        for name in ("dlt merge", "dlt re-sync"):
            source = peers.dlt_bookings(base_url, "merge")
            measured(name, lambda source=source: _run_dlt(pipeline, source))


def _run_dlt(pipeline: Any, source: Any) -> int:
    pipeline.run(source)
    rows: int = pipeline.last_trace.last_normalize_info.row_counts["bookings"]
    return rows


def one_by_one(base_url: str, database_url: str) -> None:
    from benchmarks import mirrored, peers

    account = mirrored.empty()
    for name in ("one by one, new", "one by one, unchanged"):
        measured(name, lambda: peers.one_by_one(base_url, account))


def copy_limit(base_url: str, database_url: str) -> None:
    from benchmarks import limit

    with limit.prepare(database_url, limit.FEW) as database:
        measured("limit: COPY", lambda: limit.copy(base_url, database))
    with limit.prepare(database_url, limit.OURS) as database:
        measured(
            "limit: COPY, our tables", lambda: limit.copy_into_ours(base_url, database)
        )


def fetch_and_parse(base_url: str, database_url: str) -> None:
    from benchmarks import limit

    measured("limit: fetch and parse", lambda: limit.fetch_and_parse(base_url))


def statements(base_url: str, database_url: str) -> None:
    from benchmarks import mirrored

    account = mirrored.empty()
    for name in ("new", "unchanged"):
        told = mirrored.statements_per_page(account)
        print(json.dumps({"name": f"statements, {name}"} | told), flush=True)


def idle_poll(base_url: str, database_url: str) -> None:
    from benchmarks import mirrored

    account = mirrored.empty()
    mirrored.walk(account)
    for bookings in (1_000, 1_000_000):
        mirrored.grow(account, bookings)
        told = {"name": "idle poll"} | mirrored.idle_poll(account)
        print(json.dumps(told), flush=True)


CONTENDERS = {
    one.__name__: one
    for one in (
        mirror,
        fetch_and_parse,
        dlt_merge,
        copy_limit,
        dlt_append,
        one_by_one,
        statements,
        idle_poll,
    )
}

if __name__ == "__main__":
    _, name, base_url, database_url = sys.argv
    CONTENDERS[name](base_url, database_url)
