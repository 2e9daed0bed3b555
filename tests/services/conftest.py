"""Real brokers and real worker processes. `.ci/run` runs these; by hand: ``pytest -m services``."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from celery import Celery

from tests.services.proxy import Wire
from tests.services.site import ROOT, WORKER, Site

POSTGRES = os.environ.get("CI_POSTGRES_URL") or "postgres://postgres@127.0.0.1:5432/x"
BROKERS = {
    "rabbitmq": ("CI_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
    "redis": ("CI_REDIS_URL", "redis://127.0.0.1:6379/0"),
}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.services)


@pytest.fixture(params=BROKERS)
def broker_url(request):
    """Each test once over RabbitMQ and once over Redis."""
    variable, default = BROKERS[request.param]
    return os.environ.get(variable) or default


@pytest.fixture
def app(broker_url):
    """Talks to the workers as another process of the site would."""
    with Celery(broker=broker_url, set_as_current=False) as talking:
        yield talking


@pytest.fixture
def start_worker(app, broker_url, tmp_path):
    """Starts workers of the example project: ``with start_worker() as (name, process)``."""

    @contextmanager
    def start(**environment):
        """The worker listens to a queue of its own, named like itself."""
        name = f"{uuid4().hex[:8]}@test"
        with (tmp_path / f"{name}.log").open("w") as log:
            process = subprocess.Popen(
                [*WORKER, "--pool", "solo", "--without-gossip", "-n", name, "-Q", name],
                cwd=ROOT,
                env={**os.environ, "CELERY_BROKER_URL": broker_url, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield name, process
        finally:
            process.kill()
            process.wait()
            with app.connection_for_write() as connection:
                connection.default_channel.queue_delete(name)

    return start


@pytest.fixture
def database_url():
    """An empty database on PostgreSQL, dropped at the end."""
    server, name = POSTGRES.rpartition("/")[0], f"cal_bookings_{uuid4().hex[:8]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{server}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def wires(broker_url, database_url):
    """One to the broker and one to the database, and the URLs of both behind them."""

    def behind(url, wire):
        parts = urlsplit(url)
        host = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{wire.port}".lstrip("@")
        return parts._replace(netloc=host).geturl()

    broker, database = urlsplit(broker_url), urlsplit(database_url)
    assert broker.hostname, broker.port
    with (
        Wire(broker.hostname, broker.port or 5672) as to_broker,
        Wire(database.hostname or "127.0.0.1", database.port or 5432) as to_database,
    ):
        yield {
            "broker": to_broker,
            "database": to_database,
            "urls": (behind(broker_url, to_broker), behind(database_url, to_database)),
        }


@pytest.fixture
def site(app, broker_url, database_url, tmp_path):
    with Site(app, broker_url, database_url, tmp_path / "workers.log") as site:
        yield site
