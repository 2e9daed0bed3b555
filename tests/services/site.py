"""A site of several workers, with its database seen from outside."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, LiteralString, Self
from uuid import uuid4

import psycopg
from celery import Celery
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]
WORKER = [sys.executable, "-m", "celery", "-A", "example_project", "worker"]
REDIS = os.environ.get("CI_REDIS_URL") or "redis://127.0.0.1:6379/0"
#: One for each test process: sites that share a cache take each other's accounts for their own.
NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
CACHE = f"{REDIS.rpartition('/')[0]}/{14 - NUMBER}"


class Site:
    """Workers of one site, and its database seen from outside. A context manager that ends them all."""

    def __init__(
        self, app: Celery, broker_url: str, database_url: str, log: Path
    ) -> None:
        self.app = app
        self.log = log
        self.queue = f"sync-{uuid4().hex[:8]}"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.services.settings",
            "DJANGO_SECRET_KEY": "of all workers",
            "DATABASE_URL": database_url,
            "CELERY_BROKER_URL": broker_url,
            "CACHE_URL": CACHE,
            "CAL_BOOKINGS_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "CAL_BOOKINGS_ALLOWED_SERVERS": "127.0.0.1",
            "TEST_QUEUE": self.queue,
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        }
        self.database = psycopg.connect(database_url, autocommit=True)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.others: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.workers + self.others:
            process.kill()
            process.wait()
        self.database.close()
        with self.app.connection_for_write() as connection:
            channel: Any = connection.default_channel
            channel.queue_delete(self.queue)

    def run(self, *arguments: str, sent: str = "") -> None:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=sent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]

    def start_worker(self) -> None:
        name = f"{uuid4().hex[:8]}@test"
        options = ["--pool=solo", "--without-gossip", "--without-mingle", "-n", name]
        self.workers.append(self._start(*WORKER, *options, "-Q", self.queue))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start another process of the site."""
        self.others.append(self._start(sys.executable, *arguments))
        return self.others[-1]

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        with self.log.open("a") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill_a_worker(self) -> None:
        worker = self.workers.pop(random.randrange(len(self.workers)))
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def beat(self) -> None:
        """What Celery's beat does every now and then."""
        task = "cal_bookings.sync_accounts"
        self.app.send_task(task, queue=self.queue, expires=5)

    def sweep(self) -> None:
        """What beat does for deliveries and actions that woke nobody."""
        for task in ("cal_bookings.sweep", "cal_bookings.deliver_due_actions"):
            self.app.send_task(task, queue=self.queue, expires=5)

    def wait_for(
        self,
        condition: Callable[[], bool],
        each_time: Callable[[], None] = lambda: None,
        *,
        within: float = 120,
    ) -> None:
        """Runs the beat once a second, and `each_time` in between, until the condition holds."""
        ends = time.monotonic() + within
        while not condition():
            assert time.monotonic() < ends, self.log.read_text()[-3000:]
            self.beat()
            for _ in range(5):
                time.sleep(0.2)
                each_time()

    def ask(self, sql: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        return self.database.execute(sql, values).fetchall()

    def hurry(self) -> None:
        """Every loop is due now."""
        self.database.execute("UPDATE cal_bookings_syncstate SET due_at = now()")
