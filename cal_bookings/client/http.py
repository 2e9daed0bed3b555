"""The transport: one session, bounded in time and size, that repeats only what is safe.

A GET is repeated after a broken connection, a timeout or a 5xx. Nothing else is: a write may
have had its effect, and after a 429 each further request is in vain.
"""

from __future__ import annotations

import logging
import os
import random
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from cal_bookings import __version__

from .answers import Call, RawAnswer, read_json
from .credentials import Credential, Signer
from .errors import CalError, CalUnauthorized, CalUnavailable, CalUnexpected
from .rate_limit import RateLimit, read_http_date, read_rate_limit

logger = logging.getLogger(__name__)

RETRIES = 3
_FIRST_DELAY = 0.5  # seconds, then doubled
_CHUNK = 64 * 1024  # bytes
#: So many times the read timeout, which is only that between two bytes, for a whole answer. Looked at with each piece of
#: its body: of a head that drips only http.client's bounds on its size see an end.
_PATIENCE = 4
_ERROR_BYTES = 64 * 1024  # more than any error of Cal.com, less than a proxy's page
_IDLE_CONNECTIONS = 100  # kept for each host: what exceeds it, with more threads than these, is closed after use
MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer."""

    body: Any
    #: The server's own clock, from its Date header.
    answered_at: datetime | None
    call: Call
    status: int
    request_id: str


class Http:
    """Requests to one Cal.com with one credential. Not to be shared between threads."""

    def __init__(
        self,
        base_url: str,
        credential: Signer,
        *,
        timeout: tuple[float, float],
        max_bytes: int,
        before_request: Callable[[], None] | None = None,
        on_answer: Callable[[RateLimit | None, int], None] | None = None,
        on_error: Callable[[CalError], None] | None = None,
        renew: Callable[[CalUnauthorized], Credential] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = _checked_url(base_url)
        self.requests = 0
        self.rate_limit: RateLimit | None = None
        self.answered_at: datetime | None = None
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._before_request = before_request
        self._on_answer = on_answer
        self._on_error = on_error
        self._renew = renew
        self._sleep = sleep
        self._session = _session(credential)

    def close(self) -> None:
        self._session.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        version: str,
        parts: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        retries: int = RETRIES,
    ) -> Answer:
        """Return the answer to one request; `parts` fill the braces of the path, quoted.

        A read that gets no usable answer is repeated up to `retries` times, a write never.
        """
        plain = {name: str(value) for name, value in (parts or {}).items()}
        quoted = {name: _quoted(value) for name, value in plain.items()}
        secrets = (*plain.values(), *quoted.values())
        call = Call(method, path, self.base_url, secrets)
        request = requests.Request(
            method,
            self.base_url + path.format_map(quoted),
            headers={"cal-api-version": version},
            params=dict(params or {}),
            json=json,
        )
        retries = 0 if call.writes else retries
        if self._renew is None:
            return self._persist(call, request, retries)
        try:
            return self._persist(call, request, retries, is_told=_is_no_expiry)
        except CalUnauthorized as error:
            # Refused, so it had no effect, and even a write may be repeated.
            self._session.auth = _signature(self._renew(error))
        return self._persist(call, request, retries)

    def _persist(
        self,
        call: Call,
        request: requests.Request,
        retries: int,
        *,
        is_told: Callable[[CalError], bool] = lambda error: True,
    ) -> Answer:
        for delay in _delays(retries):
            try:
                return self._attempt(call, self._session.prepare_request(request))
            except CalError as error:
                if self._on_error and is_told(error):
                    self._on_error(error)
                if delay is None or not isinstance(error, CalUnavailable):
                    raise
                logger.info("%s; trying again in %.1f s", error, delay)
                self._sleep(delay)
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    def _attempt(self, call: Call, request: requests.PreparedRequest) -> Answer:
        if self._before_request:
            self._before_request()
        self.requests += 1
        answer = self._send(call, request)
        self.rate_limit = read_rate_limit(answer.headers) or self.rate_limit
        self.answered_at = read_http_date(answer.headers.get("Date", ""))
        if self._on_answer:
            self._on_answer(read_rate_limit(answer.headers), answer.status)
        body = read_json(call, answer)
        return Answer(
            body=body,
            answered_at=self.answered_at,
            call=call,
            status=answer.status,
            request_id=answer.request_id,
        )

    def _send(self, call: Call, request: requests.PreparedRequest) -> RawAnswer:
        settings = self._session.merge_environment_settings(
            request.url, {}, stream=True, verify=None, cert=None
        )
        failure: CalError
        deadline = time.monotonic() + _PATIENCE * self._timeout[1]
        try:
            # A redirect would carry the credential wherever the answer points.
            with self._session.send(
                request, timeout=self._timeout, allow_redirects=False, **settings
            ) as response:
                return self._receive(call, response, deadline)
        except (requests.RequestException, HTTPError) as error:
            failure = _unavailable(call, error)
        # Outside the except block: requests' own error prints the URL with uid and query,
        # and would be shown as the context of ours.
        raise failure

    def _receive(
        self, call: Call, response: requests.Response, deadline: float
    ) -> RawAnswer:
        limit = self._max_bytes if response.ok else _ERROR_BYTES
        decode = _decoder(response)
        body = bytearray()
        # What is there, and as it was sent: a read that waits for so many bytes, or for so many decoded ones, would wait
        # for ever where they drip.
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            body += decode(chunk, limit + 1 - len(body))
            if len(body) > limit:
                break
            if time.monotonic() > deadline:
                raise requests.ReadTimeout
        if response.ok and len(body) > limit:
            raise CalUnexpected(
                f"expected at most {limit} bytes from {call.url}, got more",
                method=call.method,
                path=call.path,
                status=response.status_code,
                may_have_applied=call.writes,
            )
        return RawAnswer(response.status_code, response.headers, bytes(body[:limit]))


def _decoder(response: requests.Response) -> Callable[[bytes, int], bytes]:
    """Decodes a piece to at most so many bytes. Of the encoding we ask for: another one is left, and then is no JSON."""
    if response.headers.get("Content-Encoding", "").lower() != "gzip":
        return lambda piece, at_most: piece
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress

    def decode(piece: bytes, at_most: int) -> bytes:
        try:
            return inflate(piece, at_most)
        except zlib.error as error:
            raise requests.exceptions.ContentDecodingError(error) from error

    return decode


def _is_no_expiry(error: CalError) -> bool:
    return not isinstance(error, CalUnauthorized)


def _delays(retries: int) -> list[float | None]:
    """The pause after each attempt; None after the last."""
    # Jitter, so that the workers of a site do not come back all at once.
    pauses: list[float | None] = [
        _FIRST_DELAY * 2**n * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        for n in range(retries)
    ]
    return [*pauses, None]


def _signature(
    credential: Signer,
) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(credential.headers())
        return request

    return sign


class _Connections(HTTPAdapter):
    """Open connections that the next client of this process takes over: most clients make one to three requests, and
    with TLS a new connection costs more than one. Nothing of a credential is in them.
    """

    def close(self) -> None:
        """Called with each session, which these connections outlive."""


@cache
def _connections() -> _Connections:
    return _Connections(pool_maxsize=_IDLE_CONNECTIONS)


if hasattr(os, "register_at_fork"):  # not on Windows
    # Two processes on one connection would read each other's answers.
    os.register_at_fork(after_in_child=_connections.cache_clear)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: else `send` reads the body of a redirect, without our bounds, although it does not follow it."""


def _session(credential: Signer) -> requests.Session:
    session = _Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _connections())
    # As auth, not as headers: else requests replaces them by a login found in ~/.netrc.
    session.auth = _signature(credential)
    session.headers["User-Agent"] = f"django-cal-bookings/{__version__}"
    session.headers["Accept"] = "application/json"
    session.headers["Accept-Encoding"] = "gzip"
    return session


def _checked_url(base_url: str) -> str:
    url = urlsplit(base_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(
            "The base URL must be complete, such as https://api.cal.com/v2"
        )
    if url.username or url.password or url.query or url.fragment:
        raise ValueError(
            "The base URL must be only scheme, host and path: "
            "the credential is given apart, and queries are added per request"
        )
    return base_url.rstrip("/")


def _quoted(text: str) -> str:
    # Dots survive quoting, and urllib3 then resolves them: /bookings/.. would be /.
    if text.strip(".") == "":
        raise ValueError("Part of a path must not be empty or dots only")
    return quote(text, safe="")


def _unavailable(call: Call, error: Exception) -> CalUnavailable:
    return CalUnavailable(
        f"no complete answer from {call.url}: {type(error).__name__}",
        method=call.method,
        path=call.path,
        may_have_applied=call.writes and not _never_sent(error),
    )


def _never_sent(error: Exception) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(
        cause.reason, NewConnectionError
    )
