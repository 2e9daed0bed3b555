"""The errors of Cal.com, named by what the caller should do about them.

CalError
├── CalUnavailable      no usable answer             -> try again later
├── CalRateLimited      too many requests            -> wait
├── CalUnauthorized     the credential is bad        -> check key, region, base URL
│   └── CalTokenExpired an access token has run out  -> refresh the token
├── CalForbidden        not allowed on this object   -> ask for access
├── CalNotFound         no such object               -> final
├── CalRefused          Cal.com said no              -> final for this request
└── CalUnexpected       an answer nobody described   -> check URL and API version
    ├── CalDialectChanged  ... in the middle of a walk -> begin the walk again
    └── CalUnsupported     a version without this route -> update it
"""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """The cause of a failure between us and Cal.com, if known. It shows the cure better than the kind of the error."""

    #: The name of the host cannot be resolved.
    NAME = "name"
    #: No server accepts a connection there.
    CONNECTION = "connection"
    #: The server's certificate is not trusted, or not for this host.
    CERTIFICATE = "certificate"
    #: The server does not speak TLS, or not in a way that we know.
    TLS = "tls"
    #: A proxy cannot be reached, or does not let us through.
    PROXY = "proxy"
    #: No answer within the time limit.
    TIMEOUT = "timeout"
    #: The host has an address in a private network, which the caller did not allow.
    PRIVATE = "private"
    #: The answer is a redirect; `CalError.location` says where it leads.
    REDIRECT = "redirect"
    #: The answer is no JSON: a web page, a login, a firewall.
    PAGE = "page"
    #: Cal.com does not recognise the credential as one of its API keys.
    NOT_A_KEY = "not a key"


class CalError(Exception):
    """The base of all errors. It prints as one complete log line: without uid, query, body and credential."""

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        may_have_applied: bool = False,
        cause: Cause | None = None,
        location: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.method = method
        #: The template of the path, such as /bookings/{uid}: on Cal.com a uid is a secret.
        self.path = path
        self.status = status
        #: Cal.com's own name for the error, such as NotFoundException.
        self.code = code
        self.request_id = request_id
        #: True if a write may have had its effect although it failed here.
        self.may_have_applied = may_have_applied
        self.cause = cause
        #: The scheme and the host to which a redirect leads.
        self.location = location

    def __str__(self) -> str:
        return self.summary

    @property
    def where(self) -> str:
        """Return the request and the status of its answer, without the server's words."""
        status = "" if self.status is None else str(self.status)
        return ": ".join(
            part for part in (f"{self.method} {self.path}".strip(), status) if part
        )

    @property
    def unquoted(self) -> str:
        """Return what happened, without the words of a refusal, which may name people.

        For an answer below 400, only the shape is described, in our words.
        """
        refused = self.status is not None and self.status >= 400
        return self.where if refused else self.summary

    @property
    def summary(self) -> str:
        """Return the request, the status, Cal.com's own words, and its id of the request."""
        what = " ".join(str(part) for part in (self.status, self.code) if part)
        parts = (f"{self.method} {self.path}".strip(), what, self.message)
        line = ": ".join(part for part in parts if part)
        if self.request_id:
            line = f"{line} (request {self.request_id})"
        return line


class CalUnavailable(CalError):
    """The error for a missing answer: no connection, a timeout, a 5xx, or an answer that broke off."""


class CalRateLimited(CalError):
    """The error for a 429: a further request would only lengthen the wait."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        is_upstream: bool = False,
        method: str = "",
        path: str = "",
        status: int | None = 429,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(
            message,
            method=method,
            path=path,
            status=status,
            code=code,
            request_id=request_id,
        )
        #: The seconds to wait, if the server said.
        self.retry_after = retry_after
        #: True if the limit is that of the video service behind Cal.com, and does not concern the credential.
        self.is_upstream = is_upstream


class CalUnauthorized(CalError):
    """The error for a bad credential, whatever the request."""


class CalTokenExpired(CalUnauthorized):
    """The error for a 498: a managed user's access token lives for an hour."""


class CalForbidden(CalError):
    """The error for a good credential that does not reach this object."""


class CalNotFound(CalError):
    """The error for an object of which Cal.com itself says that it does not exist."""


class CalRefused(CalError):
    """The error for any other 4xx: the same request will be refused again."""


class CalUnexpected(CalError):
    """The error for an answer that no known Cal.com gives; it must never be read as "no bookings"."""


class CalDialectChanged(CalUnexpected):
    """The error for a server that speaks another list dialect than when the walk began."""


class CalUnsupported(CalUnexpected):
    """The error for a route that this version of Cal.com says it does not have. A write had no effect."""
