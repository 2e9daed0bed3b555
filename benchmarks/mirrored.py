"""Us: the example project's settings, its database emptied, and `sync.walk`."""

import statistics
import time
from collections import Counter
from typing import Any

import django

django.setup()

from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from cal_bookings import models, sync  # noqa: E402
from cal_bookings.models import Account, Booking, Mode, SyncRun  # noqa: E402

MIRROR = (
    Booking.hosts.through._meta.db_table,
    *(
        one._meta.db_table
        for one in (Booking, models.Attendee, models.Host, models.EventType)
    ),
)
WRITES = ("INSERT", "UPDATE", "DELETE", "COPY")


def empty() -> Account:
    """The account of the example project, and nothing else; what a process loads once is loaded."""
    cache.get("warm-up")
    tables = ", ".join(
        name
        for name in connection.introspection.table_names()
        if name.startswith("cal_bookings_")
    )
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
        cursor.execute("VACUUM ANALYZE")
    return Account.objects.configured().get()


def empty_and_known() -> Account:
    """Empty, and PostgreSQL knows how values are spread, as on any site that has run for a minute: its autovacuum may be
    off, and is too slow for a benchmark. Without, it reads all bookings to find those that name a few others.
    """
    sync.walk(empty(), max_pages=10)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return empty()


def walk(account: Account, mode: Mode = Mode.FULL, **options: Any) -> SyncRun:
    run = sync.walk(account, mode, **options)
    if run.outcome != SyncRun.Outcome.COMPLETE or run.failed:
        raise SystemExit(f"The walk is {run.outcome}: {run.error} {run.failures[:1]}")
    return run


def counted(queries: CaptureQueriesContext) -> Counter[str]:
    """Statements since the last time, as the database sees them, transaction control aside and the budget's apart."""
    count: Counter[str] = Counter()
    for query in queries.connection.queries:
        sql = query["sql"]
        if not sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")):
            count["budget" if models.RateWindow._meta.db_table in sql else "walk"] += 1
        if sql.startswith(WRITES) and any(f'"{name}"' in sql for name in MIRROR):
            count["mirror writes"] += 1
    queries.connection.queries_log.clear()
    return count


def statements_per_page(account: Account) -> dict[str, Any]:
    """The median of a walk's pages."""
    pages = []
    with CaptureQueriesContext(connection) as queries:
        walk(account, on_page=lambda _: pages.append(counted(queries)))
    names = ("walk", "budget")
    return {name: statistics.median(one[name] for one in pages) for name in names}


def grow(account: Account, bookings: int) -> None:
    """Copies of the mirrored bookings, until there are so many; their payloads empty, which no poll reads."""
    known = Booking.objects.count()
    if known >= bookings:
        return
    values = {"uid": "uid || '-' || n", "payload": "'{}'", "description": "''"}
    fields = [one.column for one in Booking._meta.concrete_fields if one.column != "id"]
    columns = ", ".join(f'"{name}"' for name in fields)
    copied = ", ".join(values.get(name, f'"{name}"') for name in fields)
    table = Booking._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {copied} FROM {table}, generate_series(1, %s) n LIMIT %s",
            [bookings // known, bookings - known],
        )
        cursor.execute("VACUUM ANALYZE")


def idle_poll(account: Account) -> dict[str, Any]:
    """A `changes` walk that finds nothing: what it costs."""
    walk(account, Mode.CHANGES)
    taken = []
    for _ in range(10):
        began = time.perf_counter()
        run = walk(account, Mode.CHANGES)
        taken.append(time.perf_counter() - began)
    with CaptureQueriesContext(connection) as queries:
        run = walk(account, Mode.CHANGES)
        count = counted(queries)
    return {
        "bookings": Booking.objects.count(),
        "requests": run.requests,
        "statements": count["walk"],
        "budget statements": count["budget"],
        "mirror writes": count["mirror writes"],
        "milliseconds": statistics.median(taken) * 1000,
    }
