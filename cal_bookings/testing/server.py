"""The fake Cal.com over real HTTP."""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from .actions import Action, Actions
from .answers import Answer, Refusal, Request, as_json
from .calls import Effect
from .catalog import User
from .changes import Changes
from .clock import Clock, wire
from .faults import BREAKS, Fault, Faults, garbled, too_many
from .rate_limit import RateLimit, endpoint, endpoint_limits
from .routes import Routes

DIALECTS = ("cursor", "offset")
_REQUESTS_KEPT = 100_000
_BODY_LIMIT = 100_000


class FakeCal(Changes):
    """A Cal.com to test against: a context manager that serves its world on a free port.

        with FakeCal(bookings=50) as cal:
            ...  # point CAL_BOOKINGS at cal.url and cal.api_key
            cal.cancel(cal.bookings[0])

    `dialect` is "cursor" for hosted Cal.com, "offset" for a self-hosted one. The same `seed` gives the same
    bookings relative to the clock. `rate_limit` is not enforced unless given, nor is `endpoint_limit`, that of changing
    locations, attendees and guests (five a minute on Cal.com).
    """

    def __init__(
        self,
        *,
        bookings: int = 0,
        seed: int = 0,
        dialect: str = "cursor",
        clock: Clock | None = None,
        rate_limit: RateLimit | None = None,
        endpoint_limit: RateLimit | None = None,
        api_key: str | None = None,
        port: int = 0,
    ) -> None:
        if dialect not in DIALECTS:
            raise ValueError(f"dialect is one of {', '.join(DIALECTS)}: {dialect!r}")
        super().__init__(seed=seed, clock=clock)
        self.routes = Routes(self, dialect)
        self.actions = Actions(self)
        self.faults = Faults()
        self.rate_limit = rate_limit or RateLimit(limit=100_000)
        self.endpoint_limits = endpoint_limits(endpoint_limit)
        #: What was asked, oldest first.
        self.requests: deque[Request] = deque(maxlen=_REQUESTS_KEPT)
        #: How many connections were opened.
        self.connections = 0
        #: Called with each request before it is answered, for instance to change bookings during a walk.
        self.on_request: Callable[[Request], None] | None = None
        #: Seconds that every answer takes, as over a network.
        self.latency = 0.0
        self._port = port
        self._server: _Server | None = None
        self.add_user(api_key=api_key)
        for _ in range(2):
            self.add_user()
        self.seed(bookings, user=self.users[1])

    def add_user(self, name: str = "", **options: Any) -> User:
        user = super().add_user(name, **options)
        self.routes.credentials[user.api_key] = user
        return user

    @property
    def dialect(self) -> str:
        """May be set while the server runs, as if Cal.com were updated."""
        return self.routes.dialect

    @dialect.setter
    def dialect(self, dialect: str) -> None:
        self.routes.dialect = dialect

    @property
    def api_key(self) -> str:
        """Of the first user, to whom all seeded bookings belong."""
        return self.users[1].api_key

    @property
    def url(self) -> str:
        """The base URL, such as http://127.0.0.1:49152/v2."""
        if self._server is None:
            raise RuntimeError("The fake Cal.com does not run: use it in a with block")
        return f"http://127.0.0.1:{self._server.server_port}/v2"

    def fault(self, kind: str, **options: Any) -> None:
        """Lets something go wrong: see `Faults.plan` for the options, `faults.KINDS` for the kinds."""
        self.faults.plan(kind, **options)

    def forget_cursors(self) -> None:
        """From now on, the cursors handed out so far are refused."""
        self.routes.listing.epoch += 1

    def accept_client(self, client_id: str, secret: str, user: User) -> None:
        """Lets an OAuth client with its secret act for a user."""
        self.routes.credentials[f"{client_id}:{secret}"] = user

    def accept_token(self, token: str, user: User) -> None:
        """Lets an access token act for a user, until `expire_token`."""
        self.routes.credentials[token] = user

    def issue_tokens(
        self,
        user: User,
        *,
        client_id: str = "client",
        secret: str = "hush",  # noqa: S107 - of a fake
    ) -> tuple[str, str]:
        """An access token and its refresh token, which its client may exchange once for the next pair."""
        self.routes.tokens.clients[client_id] = secret
        return self.routes.tokens.issue(client_id, user)

    def expire_token(self, token: str) -> None:
        self.routes.expired_tokens.add(token)

    @property
    def effects(self) -> list[Effect]:
        """What was done because a request asked for it, in order: the judge of what a client believes."""
        with self.lock:
            return list(self.actions.effects)

    def carry_out_late(self) -> None:
        """Does what the fault "late" put off, as far as Cal.com still takes it."""
        self.actions.carry_out_late()

    def __enter__(self) -> Self:
        if self._server is not None:
            raise RuntimeError("The fake Cal.com already runs: enter it once.")
        self._server = _Server(self, self._port)
        Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            daemon=True,
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def hang_up(self) -> None:
        """Closes the connections that clients keep open, as servers do after some idle time."""
        if self._server is not None:
            self._server.hang_up()

    def respond(self, request: Request) -> tuple[Answer, Fault | None]:
        """The answer to a request, and the fault that strikes it on the way."""
        if self.on_request:
            self.on_request(request)
        if self.latency:
            time.sleep(self.latency)
        fault = self.faults.strike(request)
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        credential = self.routes.credential(request)
        limit = self.endpoint_limits.get(endpoint(request), self.rate_limit)
        allowed, headers = limit.count(credential)
        answer = self._answer(request, fault, allowed=allowed)
        request.status = answer.status
        self.requests.append(request)
        answer.headers = self._headers() | headers | answer.headers
        if fault and fault.kind == "undated":
            del answer.headers["Date"]
        return answer, fault

    def _headers(self) -> dict[str, str]:
        return {
            "Date": format_datetime(self.clock.now(), usegmt=True),
            "X-Request-Id": str(uuid4()),
        }

    def _answer(
        self, request: Request, fault: Fault | None, *, allowed: bool
    ) -> Answer:
        try:
            if not allowed:
                raise too_many()
            instead = fault.answer() if fault else None
            if instead:
                return instead
            action = self.actions.find(request)
            if action:
                return self._act(*action, request, fault.kind if fault else "")
            with self.lock:
                answer = self.routes.answer(request)
        except Refusal as refusal:
            return refusal.answer(request, wire(self.clock.now()))
        if fault and fault.kind == "repeat-cursor":
            return _with_cursor(answer, request.one("cursor"))
        return answer

    def _act(
        self, action: Action, parts: dict[str, str], request: Request, fault: str
    ) -> Answer:
        user = self.routes.authenticate(request, None if action.open else 403)
        hosted = self.dialect == "cursor"

        def act() -> Answer:
            return self.actions.answer(action, request, user, parts, hosted=hosted)

        def act_late() -> None:
            with suppress(Refusal):
                act()

        if fault in ("unapplied", "outdated"):
            before = self.actions.unapplied(action, request, user, parts, hosted=hosted)
            if fault == "outdated":
                act()
            return before
        if fault == "late":
            self.actions.late.append(act_late)
        if fault in ("late", "dropped"):
            return as_json(None)  # which nobody receives
        answer = act()
        if fault == "500-applied":
            raise Refusal(500, "Internal server error")
        return garbled() if fault == "garbled" else answer


def _with_cursor(answer: Answer, cursor: str) -> Answer:
    body = json.loads(answer.body)
    if isinstance(body.get("pagination"), dict) and cursor:
        body["pagination"] = {"nextCursor": cursor, "hasMore": True}
    return as_json(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, cal: FakeCal, port: int) -> None:
        self.cal = cal
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.add(connection)
        self.cal.connections += 1
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Else clients would go on asking a server that has stopped."""
        super().server_close()
        self.hang_up()

    def hang_up(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):  # closed meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the server's; anything else is loud."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet: the second of two would wait for an acknowledgement.
    wbufsize = 1 << 16
    timeout = 60
    server: _Server

    def handle_one(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(min(length, _BODY_LIMIT + 1))
        request = Request(
            self.command,
            unquote(_without_prefix(url.path)),
            parse_qs(url.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(sent) if sent else None,
        )
        answer, fault = self.server.cal.respond(request)
        if fault and fault.kind in BREAKS:
            self._reset()
            return
        cut = bool(fault) and fault is not None and fault.kind == "truncated"
        self._send(answer, cut=cut)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_one  # noqa: N815 - the names http.server looks for

    def _send(self, answer: Answer, *, cut: bool) -> None:
        self.send_response_only(answer.status)
        headers = {"Content-Type": answer.content_type} | answer.headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
        self.close_connection = self.close_connection or cut

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests read `cal.requests`."""


def _without_prefix(path: str) -> str:
    for prefix in ("/api/v2", "/v2"):
        if path == prefix or path.startswith(f"{prefix}/"):
            return path.removeprefix(prefix)
    return path
