"""The transport: one session, bounded in time and size, that repeats only requests that are safe to repeat.

A GET is repeated after a broken connection, a timeout or a 5xx. Nothing else is: a write may
have had its effect, and after a 429 each further request is in vain.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError

from cal_bookings import __version__, backoff
from cal_bookings.client.causes import (
    cause_of,
    is_never_sent,
)
from cal_bookings.client.connections import connections
from cal_bookings.client.credentials import (
    Credential,
    Signer,
)
from cal_bookings.client.errors import (
    CalError,
    CalRefused,
    CalUnauthorized,
    CalUnavailable,
    CalUnexpected,
)
from cal_bookings.client.guard import (
    Guard,
    guarded,
)
from cal_bookings.client.path_logging import logged_as
from cal_bookings.client.rate_limit import (
    RateLimit,
    read_http_date,
    read_rate_limit,
)
from cal_bookings.client.redaction import Secrets
from cal_bookings.client.responses import (
    Call,
    RawAnswer,
    read_json,
)

logger = logging.getLogger(__name__)

RETRIES = 3
_FIRST_PAUSE = 0.5  # seconds, then doubled
_CHUNK = 64 * 1024  # bytes
_ERROR_BYTES = 64 * 1024  # more than any error of Cal.com, less than a proxy's page
#: The length below which a part of a path is the number of a team or a user, and no secret.
_UID_LENGTH = 6
MAX_BYTES = 32 * 1024 * 1024


#: The hook before each HTTP request, which gets the name of its endpoint limit (`Call.endpoint_limit`).
BeforeRequest = Callable[[str], None]
#: The hook after each answer, which gets the same name, the answer's rate limit, and its status.
OnAnswer = Callable[[str, RateLimit | None, int], None]


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
    """The requests to one Cal.com with one credential. Threads must not share them."""

    def __init__(
        self,
        base_url: str,
        credential: Signer,
        *,
        timeout: tuple[float, float],
        max_bytes: int,
        before_request: BeforeRequest | None = None,
        on_answer: OnAnswer | None = None,
        on_error: Callable[[CalError], None] | None = None,
        renew: Callable[[CalUnauthorized], Credential] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        public_only: bool = False,
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
        self._session = _session(public_only=public_only)
        self._secrets = Secrets()
        self._sign_with(credential)

    def _sign_with(self, credential: Signer) -> None:
        # The credential is set as auth, not as headers: else requests replaces them by a login found in ~/.netrc.
        self._session.auth = _signature(credential)
        # The secrets of an earlier credential stay hidden too: a late answer may echo them.
        self._secrets = self._secrets.including(*credential.secrets())

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
        guard: Guard | None = None,
        secrets: Iterable[str] = (),
    ) -> Answer:
        """Return the answer to one request; `parts` fill the braces of the path, quoted.

        `secrets` are texts of the body that no error may repeat.

        A read without a usable answer is repeated up to `retries` times, a write never. `guard` is called right before
        the request is written to its connection, each time; its errors stop the request, and reach the caller.
        Raises CalRefused for a part that no path can hold.
        """
        plain = {name: str(value) for name, value in (parts or {}).items()}
        for value in plain.values():
            _check_part(value, method, path)
        quoted = {name: quote(value, safe="") for name, value in plain.items()}
        hidden = [part for part in plain.values() if len(part) >= _UID_LENGTH]
        hidden += secrets
        request = requests.Request(
            method,
            self.base_url + path.format_map(quoted),
            headers={"cal-api-version": version},
            params=dict(params or {}),
            json=json,
        )
        call = Call(method, path, self.base_url, self._secrets.including(*hidden))
        retries = 0 if call.writes else retries
        if self._renew is None:
            return self._persist(call, request, retries, guard)
        try:
            return self._persist(call, request, retries, guard, is_told=_is_no_expiry)
        except CalUnauthorized as error:
            # The request was refused, so it had no effect, and even a write may be repeated.
            self._sign_with(self._renew(error))
        call = Call(method, path, self.base_url, self._secrets.including(*hidden))
        return self._persist(call, request, retries, guard)

    def _persist(
        self,
        call: Call,
        request: requests.Request,
        retries: int,
        guard: Guard | None,
        *,
        is_told: Callable[[CalError], bool] = lambda error: True,
    ) -> Answer:
        for attempt in range(retries + 1):
            try:
                return self._attempt(call, request, guard)
            except CalError as error:
                if self._on_error and is_told(error):
                    self._on_error(error)
                if attempt == retries or not isinstance(error, CalUnavailable):
                    raise
                pause = backoff.seconds(attempt, first=_FIRST_PAUSE, spread=(0.5, 1.0))
                logger.info("%s; trying again in %.1f s", error, pause)
                self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    def _attempt(
        self, call: Call, request: requests.Request, guard: Guard | None
    ) -> Answer:
        if self._before_request:
            self._before_request(call.endpoint_limit)
        with guarded(guard):
            self.requests += 1
            answer = self._send(call, request)
        self.rate_limit = read_rate_limit(answer.headers) or self.rate_limit
        self.answered_at = read_http_date(answer.headers.get("Date", ""))
        if self._on_answer:
            said = read_rate_limit(answer.headers)
            self._on_answer(call.endpoint_limit, said, answer.status)
        body = read_json(call, answer)
        return Answer(
            body=body,
            answered_at=self.answered_at,
            call=call,
            status=answer.status,
            request_id=call.clean(answer.request_id),
        )

    def _send(self, call: Call, request: requests.Request) -> RawAnswer:
        failure: CalError
        try:
            return self._exchange(call, request)
        except CalError:
            raise
        except (requests.RequestException, HTTPError) as error:
            failure = _unavailable(call, error)
        except BaseException as error:  # noqa: BLE001 - raised again
            # At a time limit of the worker, or Ctrl-C, the frames of requests and urllib3 hold the credential in their
            # local variables, which some sites send to a service with each error.
            error.__cause__ = error.__context__ = None
            raise error.with_traceback(None) from None
        # This is outside the except block: requests' own error prints the URL with uid and query,
        # and would be shown as the context of ours.
        raise failure

    def _exchange(self, call: Call, request: requests.Request) -> RawAnswer:
        prepared = self._session.prepare_request(request)
        settings = self._session.merge_environment_settings(
            prepared.url, {}, stream=True, verify=None, cert=None
        )
        with logged_as(call.path):
            # A redirect would carry the credential to another address.
            response = self._session.send(
                prepared, timeout=self._timeout, allow_redirects=False, **settings
            )
        with response:
            return self._receive(call, response)

    def _receive(self, call: Call, response: requests.Response) -> RawAnswer:
        limit = self._max_bytes if response.ok else _ERROR_BYTES
        decode = _decoder(response)
        body = bytearray()
        # The read takes the bytes that are there, as they were sent: a read of a fixed number of bytes, or of decoded
        # bytes, would wait for ever where they drip.
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            body += decode(chunk, limit + 1 - len(body))
            if len(body) > limit:
                break
        if response.ok and len(body) > limit:
            raise call.error(
                CalUnexpected,
                f"expected at most {limit} bytes from {call.url}, got more",
                status=response.status_code,
                may_have_applied=call.writes,
            )
        return RawAnswer(response.status_code, response.headers, bytes(body[:limit]))


def _decoder(response: requests.Response) -> Callable[[bytes, int], bytes]:
    """Return a function that decodes a piece to a bounded size, of the requested encoding; another is no JSON later."""
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


def _signature(
    credential: Signer,
) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(credential.headers())
        return request

    return sign


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: else `send` reads the body of a redirect, without our bounds, although it does not follow it."""


def _session(*, public_only: bool) -> requests.Session:
    session = _Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, connections(public_only=public_only))
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


def _check_part(text: str, method: str, path: str) -> None:
    # Dots survive quoting, and urllib3 then resolves them: /bookings/.. would be /.
    if text.strip(".") == "":
        raise CalRefused(
            "part of the path is empty or dots only: nothing can be asked for by it",
            method=method,
            path=path,
        )


def _unavailable(call: Call, error: Exception) -> CalUnavailable:
    cause, what = cause_of(error)
    return call.error(
        CalUnavailable,
        f"no complete answer from {call.url}: {what}",
        may_have_applied=call.writes and not is_never_sent(error),
        cause=cause,
    )
