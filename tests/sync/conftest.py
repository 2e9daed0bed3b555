"""Walks against the fake Cal.com, in this process and in others."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from cal_bookings import sync
from cal_bookings.models import Account, Mode, SyncState

ROOT = Path(__file__).parents[2]


@pytest.fixture
def account(db: None, cal) -> Account:
    """The account of the settings, which the fixture `cal` points at the fake Cal.com."""
    return Account.objects.configured().get()


@pytest.fixture
def small_pages(cal, settings):
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"PAGE_SIZE": 10}


# The three loops


@pytest.fixture
def mirrored(cal, account):
    """The account after its first complete walk, half an hour later: nothing is in the overlap any more."""
    sync.walk(account)
    cal.clock.advance(timedelta(minutes=30))
    changes(account)
    cal.requests.clear()
    return account


def changes(account, **options):
    return sync.walk(account, Mode.CHANGES, **options)


def window(account):
    return sync.walk(account, Mode.WINDOW)


def watermark():
    return SyncState.objects.get(mode=Mode.CHANGES).watermark


def lists(cal):
    return [request for request in cal.requests if request.path == "/bookings"]


# Other processes


@dataclass
class Worker:
    """Walks in processes of their own, all on one database."""

    database_url: str
    settings: dict[str, Any]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, mode: str = "full") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.sync.worker",
                json.dumps(self.settings),
                mode,
            ],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": self.database_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def walk(
        self, mode: str = "full", *, expected: Any = None, seconds: float = 60
    ) -> dict[str, Any]:
        """What a whole walk did; fails unless the mirror equals `expected` after it."""
        process = self.start(mode)
        sent = "" if expected is None else json.dumps(expected)
        out, error = process.communicate(sent, timeout=seconds)
        assert process.returncode == 0, error
        report: dict[str, Any] = json.loads(out)
        return report


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Copies of an SQLite database that is migrated and empty."""
    directory = tmp_path_factory.mktemp("databases")
    template = directory / "template.sqlite3"
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{template}"},
        check=True,
    )

    def copy() -> Path:
        target = directory / f"{len(list(directory.iterdir()))}.sqlite3"
        shutil.copy(template, target)
        return target

    return copy


@pytest.fixture
def worker(request, cal, settings):
    """Other processes that walk; on a server they share the test's own database."""
    if connection.vendor == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('empty_database')()}"
    else:
        request.getfixturevalue("transactional_db")
        base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
        url = f"{base}/{connection.settings_dict['NAME']}"
    worker = Worker(url, settings.CAL_BOOKINGS)
    yield worker
    for process in worker.started:
        process.kill()
        process.communicate()
