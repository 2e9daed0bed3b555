"""From an HTTP answer to JSON or to the error it means.

Cal.com has four shapes of error, its OAuth endpoint a fifth, and proxies send HTML. What
is kept of them is bounded, one line, and without uids, e-mail addresses and keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from .errors import (
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
)
from .rate_limit import read_retry_after

MESSAGE_LIMIT = 300  # characters
_CODE_LIMIT = 100  # characters

_EMAIL = re.compile(r"[^\s=:<>\"']+@[^\s=:<>\"']+")
_QUERY = re.compile(r"\?\S*")
# Uids, keys and tokens: long words with a digit in them. Error codes have none.
_TOKEN = re.compile(r"(?=[\w-]*\d)[\w-]{20,}")
# Shorter parts of a path are numbers of teams and users, no secret.
_SECRET_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Call:
    """One request, in the words that may be printed, and the ones that may not."""

    method: str
    path: str
    base_url: str
    secrets: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def url(self) -> str:
        return f"{self.base_url}{self.path}"


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
        return _printable(kind, 50) or "no content type"

    @property
    def request_id(self) -> str:
        return _printable(self.headers.get("X-Request-Id", ""), 100)


def read_json(call: Call, answer: RawAnswer) -> Any:
    """The JSON of a 2xx answer; any other answer raises the CalError it means."""
    if not 200 <= answer.status < 300:
        raise _error(call, answer)
    try:
        return json.loads(answer.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # Without a Content-Length, JSON that breaks off is the only sign of a cut transfer.
        kind = CalUnavailable if answer.is_json else CalUnexpected
    raise kind(
        f"expected JSON from {call.url}, got {answer.content_type} "
        f"of {len(answer.body)} bytes that does not parse",
        **_context(call, answer, may_have_applied=call.writes),
    )


def _refuse_constant(constant: str) -> NoReturn:
    # NaN and Infinity are no JSON, and no database stores them.
    raise ValueError(constant)


def _error(call: Call, answer: RawAnswer) -> CalError:
    code, message = _words(answer)
    message = redact(message, call.secrets) or f"answered {answer.content_type}"
    code = _printable(code, _CODE_LIMIT)
    if answer.status == 429:
        return CalRateLimited(
            message,
            retry_after=read_retry_after(answer.headers),
            method=call.method,
            path=call.path,
            code=code,
            request_id=answer.request_id,
        )
    kind = _kind(answer, code, message)
    if issubclass(kind, CalUnexpected):
        message = f"expected an answer of Cal.com from {call.url}, got: {message}"
    return kind(
        message,
        code=code,
        **_context(
            call,
            answer,
            # A 409 of a recurring create leaves the earlier occurrences booked; a 400 of
            # cancelSubsequentBookings has cancelled. So a refusal may hide an effect too.
            may_have_applied=call.writes
            and kind in (CalUnavailable, CalUnexpected, CalRefused),
        ),
    )


def _kind(answer: RawAnswer, code: str, message: str) -> type[CalError]:
    match answer.status:
        case 401:
            return _kind_of_401(code)
        case 403:
            return CalForbidden
        case 404:
            return _kind_of_404(answer, message)
        case 408:
            return CalUnavailable
        case 498:
            return CalTokenExpired
        case status if 400 <= status < 500:
            return CalUnauthorized if code == "invalid_grant" else CalRefused
        case status if status >= 500:
            return CalUnavailable
        case _:
            return CalUnexpected


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
    """Code and message of whichever shape the error has."""
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
    # Query validation says "Bad Request Exception" and hides the text here [rec 073]. The
    # `target` and `value` beside it echo the input, and stay behind.
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


def redact(message: str, secrets: tuple[str, ...] = ()) -> str:
    """One bounded line without the secrets, e-mail addresses, queries and uids."""
    for secret in secrets:
        if len(secret) >= _SECRET_LENGTH:
            message = message.replace(secret, "…")
    for pattern in (_EMAIL, _QUERY, _TOKEN):
        message = pattern.sub("…", message)
    return _printable(message, MESSAGE_LIMIT)


def _printable(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return "".join(char for char in line if char.isprintable())[:limit]


def _context(
    call: Call, answer: RawAnswer, *, may_have_applied: bool
) -> dict[str, Any]:
    return {
        "method": call.method,
        "path": call.path,
        "status": answer.status,
        "request_id": answer.request_id,
        "may_have_applied": may_have_applied,
    }
