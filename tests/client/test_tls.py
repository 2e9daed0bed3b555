"""A TLS error proves that nothing was sent only if it ended the handshake."""

import os

import pytest

from cal_bookings.client import ApiKey, CalClient, CalUnavailable, Cause
from tests.client import sockets


def write(port):
    with (
        CalClient(f"https://127.0.0.1:{port}/v2", ApiKey("cal_1")) as client,
        pytest.raises(CalUnavailable) as caught,
    ):
        client._http.request("POST", "/bookings", version="2024-08-13", json={})
    return caught.value


def test_a_record_that_is_broken_after_the_request_may_follow_an_effect(
    tmp_path, monkeypatch
):
    context = sockets.self_signed(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))

    def handle(connection):
        sockets.read_head(connection)
        os.write(connection.fileno(), b"HTTP/1.1 201 Created, but not encrypted")
        while os.read(connection.fileno(), 4096):
            pass  # until the client hangs up: closed earlier, the connection would be reset

    with sockets.serve(handle, context) as port:
        error = write(port)

    assert error.cause is Cause.TLS
    assert error.may_have_applied


def test_a_certificate_that_is_refused_proves_that_nothing_was_sent(tmp_path):
    context = sockets.self_signed(tmp_path)

    def handle(connection):
        sockets.read_head(connection)

    with sockets.serve(handle, context) as port:
        error = write(port)

    assert error.cause is Cause.CERTIFICATE
    assert not error.may_have_applied
