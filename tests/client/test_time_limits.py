"""A whole answer, head and body, ends within four times the read timeout, in whatever pieces it comes."""

import time
from queue import Queue
from threading import Thread

import pytest

from cal_bookings.client import ApiKey, CalClient, CalUnavailable, Cause
from tests.client import sockets

SLOW_HEADS = {
    "status line": b"HTTP/1.1 200 OK" + b"!" * 80,
    "one header": b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 80,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20,
    "continued": b"HTTP/1.1 100 Continue\r\n\r\n" * 4,
}
READ_TIMEOUT = 0.1
#: Four times the read timeout, and time for a busy machine; the answers above take four seconds.
ENOUGH = 2.0


def after_the_request(text):
    def handle(connection):
        sockets.read_head(connection)
        sockets.drip(connection, text)

    return handle


def ask_once(url):
    """Seconds until the error, and the error; a write is not repeated."""
    began = time.monotonic()
    with (
        CalClient(url, ApiKey("cal_1"), timeout=(1, READ_TIMEOUT)) as client,
        pytest.raises(CalUnavailable) as caught,
    ):
        client._http.request("POST", "/bookings", version="2024-08-13", json={})
    return time.monotonic() - began, caught.value


@pytest.mark.parametrize("head", SLOW_HEADS.values(), ids=SLOW_HEADS)
def test_a_head_that_drips_is_cut_off(head):
    with sockets.serve(after_the_request(head)) as port:
        seconds, error = ask_once(f"http://127.0.0.1:{port}/v2")

    assert seconds < ENOUGH
    assert error.cause is Cause.TIMEOUT
    assert error.may_have_applied


def test_so_it_is_over_tls(tmp_path, monkeypatch):
    context = sockets.self_signed(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
    drips = after_the_request(SLOW_HEADS["one header"])
    with sockets.serve(drips, context) as port:
        seconds, error = ask_once(f"https://127.0.0.1:{port}/v2")

    assert seconds < ENOUGH
    assert error.cause is Cause.TIMEOUT


def test_so_is_a_proxy_that_drips(monkeypatch):
    with sockets.serve(after_the_request(SLOW_HEADS["one header"])) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        began = time.monotonic()
        with (
            CalClient(
                "https://cal.example/v2", ApiKey("cal_1"), timeout=(0.1, 5)
            ) as client,
            pytest.raises(CalUnavailable),
        ):
            client._http.request("POST", "/bookings", version="2024-08-13", json={})

    assert time.monotonic() - began < ENOUGH


def test_so_it_is_in_a_thread():
    seconds: Queue[float] = Queue()
    with sockets.serve(after_the_request(SLOW_HEADS["one header"])) as port:
        url = f"http://127.0.0.1:{port}/v2"
        Thread(target=lambda: seconds.put(ask_once(url)[0]), daemon=True).start()

        assert seconds.get(timeout=10) < ENOUGH


def test_an_answer_that_is_slow_but_in_time_leaves_the_connection_as_it_was():
    """Near its end the socket's timeout is short; the next answer has the whole one again."""
    body = b'{"data": {"id": 1}}'
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    asked: list[float] = []

    def handle(connection):
        while True:
            sockets.read_head(connection)
            asked.append(time.monotonic())
            sockets.drip(connection, head, every=0.02)
            time.sleep(0.3)
            connection.sendall(body)

    with (
        sockets.serve(handle) as port,
        CalClient(
            f"http://127.0.0.1:{port}/v2", ApiKey("k"), timeout=(1, 0.5)
        ) as client,
    ):
        assert [client.me()["id"] for _ in range(2)] == [1, 1]

    assert len(asked) == 2
