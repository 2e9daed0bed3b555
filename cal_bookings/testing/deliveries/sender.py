"""The request to a receiver, and the journal of all requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from cal_bookings.testing.deliveries.envelopes import Envelope
from cal_bookings.testing.deliveries.subscriptions import Subscription


@dataclass(frozen=True)
class Delivery:
    """A sealed body for one subscription. A retry sends the very same body."""

    subscription: Subscription
    trigger: str
    uid: str
    envelope: Envelope


@dataclass(frozen=True)
class Attempt:
    """One request of the journal, or a request that a scripted fault kept from being sent."""

    delivery: Delivery
    #: The number of the attempt: 1 for the first request, 2 for the first retry.
    number: int
    at: datetime
    #: The status of the receiver's answer; 0 without an answer.
    status: int
    #: The reason why there is no answer.
    error: str = ""

    @property
    def trigger(self) -> str:
        return self.delivery.trigger

    @property
    def uid(self) -> str:
        return self.delivery.uid

    @property
    def body(self) -> bytes:
        return self.delivery.envelope.body

    @property
    def is_accepted(self) -> bool:
        return 200 <= self.status < 300


def post(
    url: str, body: bytes, headers: dict[str, str], timeout: float
) -> tuple[int, str]:
    """Send a body, and return the status and the reason why there is none. Redirects and proxies are not used."""
    parts = urlsplit(url)
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=timeout)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException) as error:
        return 0, repr(error)
    else:
        return answer.status, ""
    finally:
        connection.close()
