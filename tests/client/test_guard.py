"""A write can be stopped until its first byte; and what stopped it reaches whoever asked for it."""

import socket
import time
from threading import Thread

import pytest

from cal_bookings.client import ApiKey, CalClient, Server


class Stop(Exception):
    pass


@pytest.fixture
def listener():
    """Accept connections, and keep what each of them sent until it was closed."""
    server = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            place = len(heard)
            heard.append(b"")
            with connection:
                while piece := connection.recv(1000):
                    heard[place] += piece

    thread = Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1], heard
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def cancel(port, guard, **options):
    url = f"http://127.0.0.1:{port}/v2"
    with CalClient(url, ApiKey("cal_x"), timeout=(2, 2), **options) as connection:
        connection.actions(Server.HOSTED, guard).cancel("a-booking", reason="Ill")


def first_of(heard, port):
    """What the first connection sent. They are served one after another: a second one is heard when the first has ended."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
        probe.sendall(b"probe")
    until = time.monotonic() + 5
    while heard[-1:] != [b"probe"]:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert len(heard) == 2
    return heard[0]


def test_after_the_connection_is_made_a_write_can_still_be_stopped(listener):
    port, heard = listener
    asked = []

    def guard():
        asked.append(1)
        if len(asked) > 1:
            raise Stop

    with pytest.raises(Stop):
        cancel(port, guard)

    assert first_of(heard, port) == b""
    assert len(asked) == 2  # before the connection is made, and after it


def test_before_the_connection_is_made_too(listener):
    port, heard = listener

    def guard():
        raise Stop

    with pytest.raises(Stop):
        cancel(port, guard)

    assert heard == []


def test_through_a_proxy_too(listener, monkeypatch):
    port, heard = listener
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    asked = []

    def guard():
        asked.append(1)
        if len(asked) > 1:
            raise Stop

    with pytest.raises(Stop):
        cancel(9, guard)  # the proxy answers for any address

    assert first_of(heard, port) == b""


def test_reads_ask_no_guard(cal):
    uid = cal.book()
    with CalClient(cal.url, ApiKey(cal.api_key)) as connection:

        def guard():
            raise Stop

        actions = connection.actions(Server.HOSTED, guard)
        assert len(connection.attendees(uid)) == 1
        with pytest.raises(Stop):
            actions.confirm(uid)

    assert [request.method for request in cal.requests] == ["GET"]
