"""The conversion of an HTTP answer into JSON or into the error that it means.

Cal.com has four shapes of error, its OAuth endpoint a fifth, and proxies send HTML. The text
that is kept of them is bounded, one line, and without uids, e-mail addresses and credentials.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

from cal_bookings.client.errors import (
    CalError,
    CalForbidden,
    CalNotFound,
    CalRateLimited,
    CalRefused,
    CalTokenExpired,
    CalUnauthorized,
    CalUnavailable,
    CalUnexpected,
    CalUnsupported,
    Cause,
)
from cal_bookings.client.rate_limit import (
    endpoint_limit,
    read_retry_after,
)
from cal_bookings.client.redaction import (
    Secrets,
    printable,
    redact,
)

_MESSAGE_LIMIT = 600  # characters
_NAME_LIMIT = 100  # characters

#: Cal.com's words for a token that does not begin like its API keys, and is no access token that it issued.
_NO_KEY = "no oauth client found for access token"

#: The ends of the paths for which Cal.com passes on the answer of a video service.
_OF_VIDEO = ("/recordings", "/transcripts", "/conferencing-sessions")
#: The code of a 429 of Cal.com's own [rec 406].
_OWN_LIMIT = "ThrottlerException"

E = TypeVar("E", bound=CalError)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, in words that may be printed, and with the secrets that may not."""

    method: str
    path: str
    base_url: str
    #: The credential, and the uid in the path.
    secrets: Secrets = field(default_factory=Secrets)

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def endpoint_limit(self) -> str:
        """Return the rate limit of its own that the request counts towards; empty for the credential's."""
        return endpoint_limit(self.method, self.path)

    @property
    def asks_video_service(self) -> bool:
        """Return whether Cal.com gets the answer from a video service, and passes on that service's 429."""
        return self.path.endswith(_OF_VIDEO)

    @property
    def url(self) -> str:
        return f"{self.base_url}{self.path}"

    def clean(self, text: str, limit: int = _NAME_LIMIT) -> str:
        """Return one bounded line without the secrets of this request."""
        return printable(self.secrets.hide(text), limit)

    def error(
        self,
        kind: type[E],
        message: str,
        *,
        code: str = "",
        request_id: str = "",
        **more: Any,
    ) -> E:
        """Return an error of this request. All errors are made here, so that none shows an echoed secret."""
        return kind(
            self.clean(message, _MESSAGE_LIMIT),
            method=self.method,
            path=self.path,
            code=self.clean(code),
            request_id=self.clean(request_id),
            **more,
        )


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A complete HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_json(self) -> bool:
        return "json" in self.headers.get("Content-Type", "").lower()

    @property
    def content_type(self) -> str:
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        return kind.strip() or "no content type"

    @property
    def request_id(self) -> str:
        return self.headers.get("X-Request-Id", "")


def read_json(call: Call, answer: RawAnswer) -> Any:
    """Return the JSON of a 2xx answer; any other answer raises the CalError that it means."""
    if not 200 <= answer.status < 300:
        raise _error(call, answer)
    try:
        return json.loads(answer.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # Without a Content-Length, JSON that breaks off is the only sign of a cut transfer.
        kind = CalUnavailable if answer.is_json else CalUnexpected
    raise call.error(
        kind,
        f"expected JSON from {call.url}, got {answer.content_type} "
        f"of {len(answer.body)} bytes that does not parse",
        status=answer.status,
        request_id=answer.request_id,
        may_have_applied=call.writes,
        cause=None if answer.is_json else Cause.PAGE,
    )


def _refuse_constant(constant: str) -> NoReturn:
    # NaN and Infinity are no JSON, and no database stores them.
    raise ValueError(constant)


def _error(call: Call, answer: RawAnswer) -> CalError:
    code, said = _words(answer)
    message = redact(said, call.secrets) or f"answered {answer.content_type}"
    known: dict[str, Any] = {"code": code, "request_id": answer.request_id}
    if answer.status == 429:
        wait = read_retry_after(answer.headers)
        upstream = call.asks_video_service and code != _OWN_LIMIT
        return call.error(
            CalRateLimited, message, retry_after=wait, is_upstream=upstream, **known
        )
    location = _location(call, answer)
    if location:
        message = f"a redirect to {location}"
    kind, cause = _kind(answer, code, message), _cause(answer, message)
    if issubclass(kind, CalUnexpected):
        message = f"expected an answer of Cal.com from {call.url}, got: {message}"
    # A 409 of a recurring create leaves the earlier occurrences booked; a 400 of
    # cancelSubsequentBookings has cancelled. So a refusal may hide an effect too.
    may_have_applied = kind in (CalUnavailable, CalUnexpected, CalRefused)
    return call.error(
        kind,
        message,
        status=answer.status,
        may_have_applied=call.writes and may_have_applied and cause != Cause.PROXY,
        cause=cause,
        location=call.clean(location),
        **known,
    )


def _kind(answer: RawAnswer, code: str, message: str) -> type[CalError]:
    match answer.status:
        case 401:
            return _kind_of_401(code)
        case 403:
            return CalUnauthorized if _is_no_key(answer, message) else CalForbidden
        case 404:
            return _kind_of_404(answer, message)
        case 407 | 408:
            return CalUnavailable
        case 498:
            return CalTokenExpired
        case status if 400 <= status < 500:
            return CalUnauthorized if code == "invalid_grant" else CalRefused
        case status if status >= 500:
            return CalUnavailable
        case _:
            return CalUnexpected


def _cause(answer: RawAnswer, message: str) -> Cause | None:
    if answer.status == 407:
        return Cause.PROXY
    if 300 <= answer.status < 400:
        return Cause.REDIRECT
    if _is_no_key(answer, message):
        return Cause.NOT_A_KEY
    return Cause.PAGE if not answer.is_json and answer.status < 500 else None


def _is_no_key(answer: RawAnswer, message: str) -> bool:
    return answer.status == 403 and answer.is_json and _NO_KEY in message.lower()


def _location(call: Call, answer: RawAnswer) -> str:
    """Return the scheme and the host of a redirect's target; its path and query may hold any secret."""
    if not 300 <= answer.status < 400 or not answer.headers.get("Location"):
        return ""
    try:
        url = urlsplit(urljoin(call.url, answer.headers["Location"]))
        return f"{url.scheme}://{url.hostname or ''}" + (
            f":{url.port}" if url.port else ""
        )
    except ValueError:
        return ""


def _kind_of_401(code: str) -> type[CalError]:
    # A 401 with TRPCError [rec 530] or without an envelope [rec 251] means "not allowed on
    # this booking": it must not condemn a key that works.
    bad = ("UnauthorizedException", "invalid_client", "invalid_token")
    return CalUnauthorized if code in bad else CalForbidden


def _kind_of_404(answer: RawAnswer, message: str) -> type[CalError]:
    # A proxy's 404, or Cal.com's "Cannot GET ..." for a route this version lacks [rec 126],
    # says nothing about the object asked for.
    if not answer.is_json:
        return CalUnexpected
    return CalUnsupported if message.startswith("Cannot ") else CalNotFound


def _words(answer: RawAnswer) -> tuple[str, str]:
    """Return the code and the message of an error in any of the shapes."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    error = body.get("error")
    if isinstance(error, dict):
        return _text(error.get("code")), _envelope_message(error, body)
    # RFC 6749: {"error": "invalid_grant", "error_description": "..."}; else no envelope:
    # {"statusCode": 409, "message": "booking_conflict_error"} [rec 049].
    message = _text(body.get("error_description")) or _text(body.get("message"))
    return _text(error) if "error_description" in body else "", message


def _envelope_message(error: dict[str, Any], body: dict[str, Any]) -> str:
    return (
        _constraints(error.get("details"))
        or _text(error.get("message"))
        or _text(body.get("message"))
    )


def _constraints(details: Any) -> str:
    # Query validation says "Bad Request Exception" and keeps its text in these `errors` [rec 073]. The
    # `target` and `value` beside it echo the input, and are left out.
    errors = details.get("errors") if isinstance(details, dict) else None
    texts = [
        _text(text)
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict) and isinstance(error.get("constraints"), dict)
        for text in error["constraints"].values()
    ]
    return "; ".join(text for text in texts if text)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) else ""
