"""A broker that accepts connections and never replies, and a site that has no broker at all."""

import socket
import time
from threading import Thread
from typing import Any

import pytest
from celery import Celery, current_app

from cal_bookings.models import BookingAction
from cal_bookings.signals import action_enqueued
from cal_bookings.tasks import waking


class Silent:
    """A TCP server that accepts every connection, reads what comes, and never replies."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.connections: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self.connections.append(self._server.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        for each in [self._server, *self.connections]:
            each.close()


@pytest.fixture
def silent():
    server = Silent()
    yield server
    server.close()


@pytest.fixture
def site():
    """Makes the current Celery app one with another broker; the app before it is current again at the end."""
    current: Any = current_app
    before = current._get_current_object()
    made = []

    def make(broker: str) -> None:
        app = Celery("site", broker=broker)
        app.set_current()
        made.append(app)

    yield make
    for app in made:
        app.close()
    before.set_current()
    waking.waker.quiet_until = 0.0


def enqueue() -> float:
    """The seconds that enqueueing an action takes for the sake of its worker."""
    began = time.monotonic()
    action_enqueued.send(BookingAction, action=BookingAction(pk=1))
    return time.monotonic() - began


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_accepts_and_never_replies_costs_two_seconds_at_most(
    silent, site, scheme, caplog
):
    site(f"{scheme}://127.0.0.1:{silent.port}//")

    assert enqueue() < 2.5
    assert len(silent.connections) >= 1
    assert caplog.text.count("Could not wake a worker") == 1
    assert enqueue() < 0.1


def test_the_timeouts_of_the_wake_up_are_not_those_of_the_sites_celery(silent, site):
    site(f"redis://127.0.0.1:{silent.port}//")
    enqueue()

    assert current_app.conf.broker_transport_options == {}
    assert current_app.connection_for_write().transport_options == {}


def test_a_site_without_workers_asks_no_broker_and_promises_nothing(
    silent, site, settings, caplog
):
    settings.CAL_BOOKINGS = {"WORKER": None}
    site(f"redis://127.0.0.1:{silent.port}//")

    assert enqueue() < 0.1
    assert silent.connections == []
    assert caplog.text == ""
