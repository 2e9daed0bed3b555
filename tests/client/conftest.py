"""A server that answers what the test scripts, and a client of it."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import pytest

from cal_bookings.client import ApiKey, CalClient
from tests.quiet_server import QuietServer

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"
KEY = "cal_live_5ecre75ecre75ecre7"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    #: "reset" closes hard instead of an answer, "truncated" in the middle of one, "drip" sends a byte now and then.
    fault: str = ""


def reply(body, status=200, **headers):
    sent = {"Content-Type": "application/json; charset=utf-8", **headers}
    return Reply(status, json.dumps(body).encode(), sent)


def recording(name):
    """The response of a recording, as a reply."""
    (path,) = RECORDINGS.glob(f"{name}-*.json")
    response = json.loads(path.read_text())["response"]
    return reply(
        response["body"],
        response["status"],
        **{
            key: value
            for key, value in response["headers"].items()
            if key.lower().startswith(("x-", "date"))
        },
    )


@dataclass
class Script:
    """Answers in turn, or from a function of the request; remembers what was asked."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    answer: Callable[[Request], Reply] | None = None
    requests: list[Request] = field(default_factory=list)

    def will(self, *replies):
        self.replies.extend(replies)

    def next_reply(self, request):
        self.requests.append(request)
        if self.answer:
            return self.answer(request)
        return self.replies.pop(0) if self.replies else Reply(418, b"not scripted")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        headers = {key.lower(): value for key, value in self.headers.items()}
        query = dict(parse_qsl(url.query))
        self._send(
            self.script.next_reply(Request(self.command, url.path, query, headers))
        )

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names http.server looks for

    def _send(self, answer: Reply):
        if answer.fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.fault == "drip":
            self._drip(answer)
            return
        missing = 10 if answer.fault == "truncated" else 0
        self.send_header("Content-Length", str(len(answer.body) + missing))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = bool(missing)

    def _drip(self, answer: Reply):
        """A byte every 0.05 s, each a chunk of its own if the headers say so."""
        is_chunked = "Transfer-Encoding" in answer.headers
        if not is_chunked:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        with suppress(ConnectionError):  # nobody listens any more
            for byte in answer.body:
                self.wfile.write(b"1\r\n%c\r\n" % byte if is_chunked else bytes([byte]))
                time.sleep(0.05)
            if is_chunked:
                self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args):
        """Keep the output of the tests quiet."""


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    handler = type("ScriptedHandler", (Handler,), {"script": script})
    with QuietServer(("127.0.0.1", 0), handler) as server:
        script.url = f"http://127.0.0.1:{server.server_port}/v2"
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield script
        server.shutdown()


@pytest.fixture
def pauses() -> list[float]:
    """The seconds the client slept, or would have."""
    return []


@pytest.fixture
def client(script, pauses) -> Iterator[CalClient]:
    with CalClient(script.url, ApiKey(KEY), sleep=pauses.append) as client:
        yield client
