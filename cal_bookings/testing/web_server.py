"""The HTTP of the fake: connections, requests and answers."""

from __future__ import annotations

import json
import socket
import struct
import sys
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from cal_bookings.testing.faults import (
    BREAKS,
    Fault,
)
from cal_bookings.testing.responses import (
    Answer,
    Bare,
    Refusal,
    Request,
)

_BODY_LIMIT = 100_000
_FORM = "application/x-www-form-urlencoded"


class Site(Protocol):
    """The protocol of the object that answers the requests."""

    connections: int

    def respond(self, request: Request) -> tuple[Answer, Fault | None]: ...


class WebServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.add(connection)
        self.site.connections += 1
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Close all connections: else clients would go on asking a server that has stopped."""
        super().server_close()
        self.hang_up()

    def hang_up(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):  # the connection was closed meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print all errors except that of a client that hangs up, which is none of the server's."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet: the second of two would wait for an acknowledgement.
    wbufsize = 1 << 16
    timeout = 60
    server: WebServer

    def handle_one(self) -> None:
        url = urlsplit(self.path)
        body, unreadable = self._body()
        request = Request(
            self.command,
            unquote(url.path),
            parse_qs(url.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            body,
            unreadable,
        )
        answer, fault = self.server.site.respond(request)
        if fault and fault.kind in BREAKS:
            self._reset()
            return
        cut = bool(fault) and fault is not None and fault.kind == "truncated"
        self._send(answer, cut=cut)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do_HEAD = handle_one  # noqa: N815 - the names http.server looks for

    def do_OPTIONS(self) -> None:
        self._send(Answer(204, b""), cut=False)

    def _body(self) -> tuple[Any, Refusal | None]:
        """Return the body, and the reason why it cannot be read; only objects and lists can, as on Cal.com."""
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > _BODY_LIMIT:
            self.close_connection = True  # the rest of the body is unread
            return None, Bare(413, "request entity too large")
        return _read(self.rfile.read(int(length)), self.headers)

    def _send(self, answer: Answer, *, cut: bool) -> None:
        self.send_response_only(answer.status)
        headers = {"Content-Type": answer.content_type} | answer.headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
        self.close_connection = self.close_connection or cut

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Print no line: tests read `cal.requests`."""


def _read(sent: bytes, headers: Message) -> tuple[Any, Refusal | None]:
    kind = headers.get_content_type() if "Content-Type" in headers else ""
    if not sent or kind not in ("application/json", _FORM):
        return None, None
    try:
        text = sent.decode()
        if kind == _FORM:
            return dict(parse_qsl(text)), None
        body = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return None, Refusal(400, f"Unexpected token in JSON: {error}")
    if not isinstance(body, dict | list):
        return None, Refusal(
            400, f"Unexpected token '{text[:1]}', \"{text}\" is not valid JSON"
        )
    return body, None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
