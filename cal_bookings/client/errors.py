"""What can go wrong with Cal.com, named by what the caller should do about it.

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
    """What stands between us and Cal.com, where that is known. Says more than the kind of an error about its cure."""

    #: The name of the host cannot be resolved.
    NAME = "name"
    #: Nobody accepts a connection there.
    CONNECTION = "connection"
    #: The server's certificate is not trusted, or not for this host.
    CERTIFICATE = "certificate"
    #: What answers there does not speak TLS as we do.
    TLS = "tls"
    #: A proxy cannot be reached, or does not let us through.
    PROXY = "proxy"
    #: No answer within the time limit.
    TIMEOUT = "timeout"
    #: The host has an address in a private network, which the caller did not allow.
    PRIVATE = "private"
    #: The answer points elsewhere; `CalError.location` says where.
    REDIRECT = "redirect"
    #: The answer is no JSON: a web page, a login, a firewall.
    PAGE = "page"
    #: Cal.com does not take the credential for one of its API keys at all.
    NOT_A_KEY = "not a key"


class CalError(Exception):
    """Prints as one complete log line: no uid, query, body or credential in it."""

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
        #: The template, such as /bookings/{uid}: on Cal.com a uid is a secret.
        self.path = path
        self.status = status
        #: Cal.com's own name for it, such as NotFoundException.
        self.code = code
        self.request_id = request_id
        #: A write that may have had its effect although it failed here.
        self.may_have_applied = may_have_applied
        self.cause = cause
        #: Scheme and host that a redirect points at.
        self.location = location

    def __str__(self) -> str:
        return self.summary

    @property
    def where(self) -> str:
        """The request and the status of its answer, in no words of the server's."""
        status = "" if self.status is None else str(self.status)
        return ": ".join(
            part for part in (f"{self.method} {self.path}".strip(), status) if part
        )

    @property
    def unquoted(self) -> str:
        """What happened, without the words of a refusal, which may name people.

        Of an answer below 400, only its shape is described, in our words.
        """
        refused = self.status is not None and self.status >= 400
        return self.where if refused else self.summary

    @property
    def summary(self) -> str:
        """The request, the status, Cal.com's own words, and its id of the request."""
        what = " ".join(str(part) for part in (self.status, self.code) if part)
        parts = (f"{self.method} {self.path}".strip(), what, self.message)
        line = ": ".join(part for part in parts if part)
        if self.request_id:
            line = f"{line} (request {self.request_id})"
        return line


class CalUnavailable(CalError):
    """No connection, a timeout, a 5xx, or an answer that broke off."""


class CalRateLimited(CalError):
    """429: every further request prolongs nothing but the queue."""

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
        #: Seconds to wait, if the server said.
        self.retry_after = retry_after
        #: The limit is that of the video service which Cal.com asked, and says nothing about the credential.
        self.is_upstream = is_upstream


class CalUnauthorized(CalError):
    """The credential itself is bad, whatever it is used for."""


class CalTokenExpired(CalUnauthorized):
    """498: a managed user's access token lives for an hour."""


class CalForbidden(CalError):
    """The credential is good, but does not reach this object."""


class CalNotFound(CalError):
    """Cal.com itself says that there is no such object."""


class CalRefused(CalError):
    """Any other 4xx: the same request will be refused again."""


class CalUnexpected(CalError):
    """An answer that no known Cal.com gives; never to be read as "no bookings"."""


class CalDialectChanged(CalUnexpected):
    """The server speaks another list dialect than when the walk began."""


class CalUnsupported(CalUnexpected):
    """Cal.com itself says that it has no such route: another version of it. A write had no effect."""
