"""The fake Cal.com over real HTTP."""

from __future__ import annotations

import json
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from email.utils import format_datetime
from threading import Thread
from typing import Any, Self
from uuid import uuid4

from cal_bookings.testing.deliveries.publisher import Webhooks
from cal_bookings.testing.endpoints.booking_actions import (
    Action,
    Actions,
)
from cal_bookings.testing.endpoints.calls import Effect
from cal_bookings.testing.endpoints.router import Routes
from cal_bookings.testing.faults import (
    Fault,
    Faults,
    garbled,
    too_many,
)
from cal_bookings.testing.rate_limit import (
    RateLimit,
    endpoint,
    endpoint_limits,
)
from cal_bookings.testing.responses import (
    Answer,
    Bare,
    Refusal,
    Request,
    as_json,
)
from cal_bookings.testing.web_server import WebServer
from cal_bookings.testing.world.catalog import User
from cal_bookings.testing.world.clock import (
    Clock,
    wire,
)
from cal_bookings.testing.world.random_changes import RandomChanges

DIALECTS = ("cursor", "offset")
_REQUESTS_KEPT = 100_000


class FakeCal(RandomChanges):
    """A fake Cal.com to test against: a context manager that serves its world on a free port.

        with FakeCal(bookings=50) as cal:
            ...  # point CAL_BOOKINGS at cal.url and cal.api_key
            cal.cancel(cal.bookings[0])

    `dialect` is "cursor" for hosted Cal.com, "offset" for a self-hosted one. The same `seed` gives the same
    bookings relative to the clock. `rate_limit` is not enforced unless given, nor is `endpoint_limit`, that of changing
    locations, attendees and guests (five a minute on Cal.com). `private_webhooks` lets hosted Cal.com deliver webhooks
    to http and private addresses, where tests and demos run.
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
        private_webhooks: bool = False,
    ) -> None:
        if dialect not in DIALECTS:
            raise ValueError(f"dialect is one of {', '.join(DIALECTS)}: {dialect!r}")
        super().__init__(seed=seed, clock=clock)
        #: The webhooks: subscriptions, the journal of deliveries, and their faults.
        self.webhooks = Webhooks(self, allows_private=private_webhooks)
        self.webhooks.is_hosted = lambda: self.dialect == "cursor"
        self.routes = Routes(self, dialect, self.webhooks)
        self.actions = Actions(self)
        self.faults = Faults()
        self.rate_limit = rate_limit or RateLimit(limit=100_000)
        self.endpoint_limits = endpoint_limits(endpoint_limit)
        #: The requests, oldest first.
        self.requests: deque[Request] = deque(maxlen=_REQUESTS_KEPT)
        #: The errors in the fake's own code, or in `on_request`: the answer to each was 500.
        self.crashes: list[Exception] = []
        #: The number of opened connections.
        self.connections = 0
        #: The function called with each request before its answer, for instance to change bookings during a walk.
        self.on_request: Callable[[Request], None] | None = None
        #: The seconds that every answer takes, as over a network.
        self.latency = 0.0
        self._port = port
        self._server: WebServer | None = None
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
        """Return the dialect, which may be set while the server runs, as if Cal.com were updated."""
        return self.routes.dialect

    @dialect.setter
    def dialect(self, dialect: str) -> None:
        self.routes.dialect = dialect

    @property
    def api_key(self) -> str:
        """Return the key of the first user, to whom all seeded bookings belong."""
        return self.users[1].api_key

    @property
    def url(self) -> str:
        """Return the base URL, such as http://127.0.0.1:49152/v2."""
        if self._server is None:
            raise RuntimeError("The fake Cal.com does not run: use it in a with block")
        return f"http://127.0.0.1:{self._server.server_port}/v2"

    def fault(self, kind: str, **options: Any) -> None:
        """Plan a fault: see `Faults.plan` for the options, `faults.KINDS` for the kinds."""
        self.faults.plan(kind, **options)

    def forget_cursors(self) -> None:
        """Refuse from now on the cursors that were handed out so far."""
        self.routes.listing.epoch += 1

    def accept_client(self, client_id: str, secret: str, user: User) -> None:
        """Allow an OAuth client with its secret to act for a user."""
        self.routes.credentials[f"{client_id}:{secret}"] = user
        self.webhooks.clients[client_id].add(user.id)

    def accept_token(self, token: str, user: User) -> None:
        """Allow an access token to act for a user, until `expire_token`."""
        self.routes.credentials[token] = user

    def issue_tokens(
        self,
        user: User,
        *,
        client_id: str = "client",
        secret: str = "hush",  # noqa: S107 - of a fake
    ) -> tuple[str, str]:
        """Return an access token and its refresh token, which its client may exchange once for the next pair."""
        self.routes.tokens.clients[client_id] = secret
        return self.routes.tokens.issue(client_id, user)

    def expire_token(self, token: str) -> None:
        self.routes.expired_tokens.add(token)

    @property
    def effects(self) -> list[Effect]:
        """Return the effects of all requests, in order, by which the belief of a client is judged."""
        with self.lock:
            return list(self.actions.effects)

    def carry_out_late(self) -> None:
        """Do what the fault "late" put off, as far as Cal.com still takes it."""
        self.actions.carry_out_late()

    def __enter__(self) -> Self:
        if self._server is not None:
            raise RuntimeError("The fake Cal.com already runs: enter it once.")
        self._server = WebServer(self, self._port)
        self.webhooks.open()
        Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            daemon=True,
        ).start()
        return self

    def __exit__(self, error: object = None, *_: object) -> None:
        """Raise the errors of the fake's own code, unless something else is being raised."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self.webhooks.stop()
        crashes, self.crashes = self.crashes + self.webhooks.crashes, []
        if crashes and error is None:
            message = "The fake Cal.com failed to answer: this is its own fault, and not the caller's."
            raise RuntimeError(message) from crashes[0]

    def hang_up(self) -> None:
        """Close the connections that clients keep open, as servers do after some idle time."""
        if self._server is not None:
            self._server.hang_up()

    def respond(self, request: Request) -> tuple[Answer, Fault | None]:
        """Return the answer to a request, and the fault that strikes it on the way.

        No request is left without an answer: an error of the fake's own is kept in `crashes`, and answered with 500.
        """
        try:
            return self._respond(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, there must be an answer
            traceback.print_exception(error)
            self.crashes.append(error)
            return Bare(500, "Internal server error").answer(request, ""), None

    def _respond(self, request: Request) -> tuple[Answer, Fault | None]:
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
            if request.unreadable:
                raise request.unreadable
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

        def carry_out() -> Answer:
            return self.actions.answer(action, request, user, parts, hosted=hosted)

        def act_late() -> None:
            with suppress(Refusal):
                carry_out()

        if fault in ("unapplied", "outdated"):
            before = self.actions.unapplied(action, request, user, parts, hosted=hosted)
            if fault == "outdated":
                carry_out()
            return before
        if fault == "late":
            self.actions.late.append(act_late)
        if fault in ("late", "dropped"):
            return as_json(None)  # nobody receives it
        answer = carry_out()
        if fault == "500-applied":
            raise Refusal(500, "Internal server error")
        return garbled() if fault == "garbled" else answer


def _with_cursor(answer: Answer, cursor: str) -> Answer:
    body = json.loads(answer.body)
    if isinstance(body.get("pagination"), dict) and cursor:
        body["pagination"] = {"nextCursor": cursor, "hasMore": True}
    return as_json(body)
