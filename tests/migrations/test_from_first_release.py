"""A database of the first release is migrated to this version and back, and no table is locked for long."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
MANY = int(os.environ.get("MIGRATED_BOOKINGS") or 100_000)
LONGEST = 1.0  # seconds that a statement of the site may wait

Run = Callable[..., str]


@pytest.fixture
def database_url(tmp_path, transactional_db) -> Iterator[str]:
    """An empty database on the server of the tests, dropped at the end."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'first.sqlite3'}"
        return
    name = f"cal_bookings_{uuid4().hex[:8]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
        cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture
def run(database_url) -> Run:
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "CAL_BOOKINGS_ENCRYPTION_KEYS": KEY,
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.fixture
def site(run) -> Run:
    """The script that fills, dumps and judges the database."""
    return lambda *command: run("-m", "tests.migrations.first_release", *command)


def migrate(run: Run, *target: str) -> None:
    run("manage.py", "migrate", "--verbosity=0", "cal_bookings", *target)


def test_a_database_of_the_first_release_migrates_forward_and_back(run, site):
    run("manage.py", "migrate", "--verbosity=0", "auth")
    migrate(run, "0001")
    site("fill")
    before = json.loads(site("dump"))
    assert all(before.values()), "A table of the first release has no row."

    migrate(run)
    migrate(run, "0001")
    assert json.loads(site("dump")) == before

    migrate(run)
    site("check")


class Probe:
    """Statements of a site that goes on while it is migrated: the longest wait at each table, in seconds."""

    def __init__(self, url: str, statement: str) -> None:
        self.url, self.statement = url, statement
        self.longest: dict[str, float] = {}
        self.rounds = 0
        self.ended = threading.Event()

    def work(self) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as talking:
            # Those of the first release: only they were analyzed.
            found = talking.execute(
                "SELECT tablename FROM pg_tables WHERE tablename LIKE 'cal_bookings_%' "
                "AND tablename NOT IN (SELECT relname FROM pg_class WHERE reltuples < 0)"
            )
            tables = [name for (name,) in found]
            while not self.ended.is_set():
                for table in tables:
                    self._look(talking, table)
                self.rounds += 1

    def _look(self, talking: Any, table: str) -> None:
        began = time.monotonic()
        talking.execute(self.statement.format(table=table))
        waited = time.monotonic() - began
        self.longest[table] = max(waited, self.longest.get(table, 0.0))


@contextmanager
def probing(url: str) -> Iterator[list[Probe]]:
    statements = (
        "SELECT 1 FROM {table} LIMIT 1",
        # Deletes nothing, and needs the lock that every write needs.
        "DELETE FROM {table} WHERE false",
    )
    probes = [Probe(url, statement) for statement in statements]
    threads = [threading.Thread(target=probe.work) for probe in probes]
    for thread in threads:
        thread.start()
    try:
        yield probes
    finally:
        for probe in probes:
            probe.ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"),
    reason="measures the locks of PostgreSQL",
)
@pytest.mark.parametrize("direction", ["forward", "back"])
def test_no_table_is_locked_longer_than_a_second(run, site, database_url, direction):
    run("manage.py", "migrate", "--verbosity=0", "auth")
    migrate(run, "0001")
    site("crowd", str(MANY))
    if direction == "back":
        migrate(run)

    with probing(database_url) as probes:
        began = time.monotonic()
        migrate(run, *(["0001"] if direction == "back" else []))
        took = time.monotonic() - began

    longest = max(max(probe.longest.values()) for probe in probes)
    print(f"{direction}: {took:.1f} s, longest wait {longest:.3f} s")
    assert all(probe.rounds > 10 for probe in probes)
    for probe in probes:
        assert probe.longest == {
            table: waited for table, waited in probe.longest.items() if waited < LONGEST
        }
