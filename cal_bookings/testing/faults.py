"""The scripted faults of requests, and the requests that they meet."""

from __future__ import annotations

from dataclasses import dataclass

from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    Request,
)
from cal_bookings.testing.script import Script, Step

#: The effect of each fault on the answer.
KINDS = {
    "429": "too many requests, without Retry-After, as Cal.com answers",
    "429-retry-after": "too many requests, with Retry-After",
    "429-endpoint": "too many requests of this kind, with the headers of a limit of its own",
    "429-upstream": "the video service that Cal.com asks refuses, with Retry-After",
    "401": "the key is not accepted",
    "403": "the key may not do this",
    "498": "the access token has run out",
    "500": "an internal error in Cal.com's envelope",
    "502": "a proxy's HTML",
    "524": "a proxy's HTML, after it has waited long enough",
    "slow": "the answer comes after `seconds`",
    "reset": "it is done, and the connection is reset instead of an answer",
    "truncated": "it is done, and the connection ends in the middle of the answer",
    "shape": "200, with a body that nobody described",
    "html": "200, with a page",
    "dropped": "the connection is reset, and nothing is done",
    "500-applied": "an internal error, after it was done",
    "garbled": "200, with a page, after it was done",
    "unapplied": "success, and nothing is done",
    "outdated": "it is done, and the answer shows the booking as it was before",
    "no-route": "a server too old for this action",
    "late": "the connection is reset, and it is done later: at `cal.carry_out_late()`",
    "undated": "the answer has no Date header",
    "repeat-cursor": "the answer of a cursor page names the cursor it was asked with",
}


#: The faults after which there is no answer.
BREAKS = frozenset({"reset", "dropped", "late"})

_PAGE = b"<html><body>Something else lives here</body></html>"
_REFUSALS = {
    "401": (401, "ApiAuthStrategy - api key - Your api key is expired", ""),
    "403": (403, "PermissionsGuard - insufficient permissions", ""),
    "498": (498, "Access token expired", "TokenExpiredException"),
    "500": (500, "Internal server error", ""),
    "no-route": (404, "Cannot POST to this path", "NotFoundException"),
}
_ANSWERS = {
    "502": (502, "text/html", _PAGE),
    "524": (524, "text/html", _PAGE),
    "html": (200, "text/html", _PAGE),
    "shape": (200, "application/json", b'{"status":"success","data":{"items":[]}}'),
}


def garbled() -> Answer:
    return Answer(200, _PAGE, content_type="text/html")


def too_many() -> Refusal:
    message = "CustomThrottlerGuard - Too many requests. Please try again later."
    return Refusal(429, message, code="ThrottlerException", details=message)


@dataclass
class Fault(Step):
    path: str
    method: str
    version: str
    seconds: float
    retry_after: int

    def answer(self) -> Answer | None:
        """Return the answer of a fault; None for faults that leave the answer as it is. Raises Refusal."""
        if self.kind in _REFUSALS:
            status, message, code = _REFUSALS[self.kind]
            raise Refusal(status, message, code=code)
        if self.kind in _ANSWERS:
            status, content_type, body = _ANSWERS[self.kind]
            return Answer(status, body, content_type=content_type)
        if self.kind == "429-upstream":
            told = b'{"statusCode":429,"message":"The conferencing provider limits the requests"}'
            return Answer(429, told, {"Retry-After": str(self.retry_after)})
        if self.kind.startswith("429"):
            return self._too_many()
        return None

    def _too_many(self) -> Answer:
        wait = str(self.retry_after)
        name = "Booking_update" if self.kind == "429-endpoint" else "Default"
        headers = {f"X-RateLimit-Remaining-{name}": "0"}
        headers[f"X-RateLimit-Reset-{name}"] = wait
        if self.kind == "429-retry-after":
            headers["Retry-After"] = wait
        answer = too_many().answer(Request("GET", "", {}, {}), "")
        return Answer(429, answer.body, headers)

    def meets(self, request: Request) -> bool:
        return (
            self.method in ("", request.method)
            and self.path in request.path
            and self.version in ("", request.version)
        )


class Faults(Script[Fault]):
    """The script of faults; the first fault that meets a request and is not used up strikes."""

    def plan(
        self,
        kind: str,
        *,
        times: int = 1,
        skip: int = 0,
        path: str = "",
        method: str = "",
        version: str = "",
        seconds: float = 1.0,
        retry_after: int = 1,
    ) -> None:
        """Plan a fault for requests with this method, part of the path and `cal-api-version`; empty ones match all."""
        if kind not in KINDS:
            raise ValueError(
                f"There is no fault {kind!r}: choose one of {', '.join(KINDS)}"
            )
        self.add(Fault(kind, times, skip, path, method, version, seconds, retry_after))

    def strike(self, request: Request) -> Fault | None:
        """Return the fault that meets a request, and count it."""
        return self.take(lambda fault: fault.meets(request))
