"""The causes of a request without an answer: each is made from an error of requests, urllib3 or the system.

A few harmless words stand beside each cause. The errors' own texts hold the URL with its uid and query: never used.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator

import requests
from urllib3 import exceptions

from cal_bookings.client.connections import PrivateAddress
from cal_bookings.client.errors import Cause

_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")


def cause_of(error: Exception) -> tuple[Cause | None, str]:
    """Return the cause of a request that failed, if it is known, and a description of what happened."""
    for cause in _chain(error):
        known = _known(cause, error)
        if known:
            return known
    return None, type(error).__name__


def is_never_sent(error: Exception) -> bool:
    """Return whether the request cannot have reached the server.

    A refused certificate ends the handshake. Any other TLS error may come after the request was written.
    """
    never = (
        requests.ConnectTimeout,
        ssl.SSLCertVerificationError,
        requests.exceptions.ProxyError,
        exceptions.NewConnectionError,
        PrivateAddress,
    )
    return any(isinstance(cause, never) for cause in _chain(error))


def _known(  # noqa: C901 - a table
    raised: BaseException, whole: Exception
) -> tuple[Cause | None, str] | None:
    match raised:
        case PrivateAddress():
            return Cause.PRIVATE, "the host has an address in a private network"
        case exceptions.ProxyError() | requests.exceptions.ProxyError():
            return Cause.PROXY, _of_proxy(whole)
        case exceptions.NameResolutionError() | exceptions.LocationParseError():
            return Cause.NAME, "the name of the host cannot be resolved"
        case ssl.SSLCertVerificationError():
            return (
                Cause.CERTIFICATE,
                f"the certificate is refused: {raised.verify_message}",
            )
        case ssl.SSLError():
            return (
                Cause.TLS,
                f"TLS fails: {getattr(raised, 'reason', None) or 'no reason given'}",
            )
        case exceptions.NewConnectionError():
            return None  # TimeoutError has this kind too; the cause follows
        case exceptions.TimeoutError() | requests.Timeout() | TimeoutError():
            return Cause.TIMEOUT, "it takes too long"
        case OSError(errno=int(number)):
            cause = Cause.CONNECTION if is_never_sent(whole) else None
            return cause, os.strerror(number)
        case _:
            return None


def _of_proxy(error: Exception) -> str:
    for cause in _chain(error):
        refused = _STATUS.search(str(cause))
        if refused:
            return f"the proxy answers {refused[1]}"
    return "the proxy cannot be reached"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Return the error and the errors that caused it, outermost first."""
    while error is not None:
        yield error
        inside = [
            getattr(error, "reason", None),
            getattr(error, "original_error", None),
        ]
        nested = (
            cause
            for cause in [*inside, *error.args]
            if isinstance(cause, BaseException)
        )
        error = next(nested, error.__cause__ or error.__context__)
