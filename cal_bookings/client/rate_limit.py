"""The rate limit, which the server states on every answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_REMAINING = "x-ratelimit-remaining-"

#: The requests that Cal.com counts apart from all others, and the name of each count: five a minute for each name,
#: sixty for the sessions, and header names such as `X-RateLimit-Limit-Booking_guests_add` instead of `Default`
#: (CAL_API.md section 8).
_ENDPOINT_LIMITS = {
    ("PATCH", "/bookings/{uid}/location"): "location",
    ("POST", "/bookings/{uid}/attendees"): "attendees",
    ("DELETE", "/bookings/{uid}/attendees/{attendee_id}"): "attendees",
    ("POST", "/bookings/{uid}/guests"): "guests",
    ("GET", "/bookings/{uid}/conferencing-sessions"): "sessions",
}


def endpoint_limit(method: str, path: str) -> str:
    """Return the name of the limit that this request counts towards; empty for the credential's own.

    `path` is the template, such as /bookings/{uid}/guests.
    """
    return _ENDPOINT_LIMITS.get((method, path), "")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The tightest of the limits named in one answer."""

    limit: int | None
    remaining: int
    #: The seconds until the window ends: Cal.com sends seconds left, not an epoch [rec 403].
    reset_seconds: int | None
    name: str

    @property
    def is_of_an_endpoint(self) -> bool:
        """Return whether the limit is that of some endpoints, such as `Booking_guests_add`, not the credential's."""
        return self.name.startswith("booking")


def read_rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Return the rate limit of the headers, whatever the names of the limits; None without one.

    The name is a suffix, `Default` as a rule; the answers to added guests have another suffix and no
    `Default`.
    """
    lower = {key.lower(): value for key, value in headers.items()}
    limits = [
        RateLimit(
            limit=_count(lower.get(f"x-ratelimit-limit-{name}")),
            remaining=remaining,
            reset_seconds=_count(lower.get(f"x-ratelimit-reset-{name}")),
            name=name,
        )
        for name, remaining in _remaining(lower)
    ]
    return min(limits, key=lambda limit: limit.remaining, default=None)


def _remaining(headers: Mapping[str, str]) -> list[tuple[str, int]]:
    named = (
        (key.removeprefix(_REMAINING), _count(value))
        for key, value in headers.items()
        if key.startswith(_REMAINING)
    )
    return [(name, count) for name, count in named if count is not None]


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait, from a proxy's Retry-After or from Cal.com's headers."""
    said = _retry_after(headers.get("Retry-After", ""))
    if said is not None:
        return said
    limit = read_rate_limit(headers)
    return None if limit is None else limit.reset_seconds


def _retry_after(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        moment = read_http_date(text)
        if moment is None:
            return None
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def read_http_date(text: str) -> datetime | None:
    """Return an HTTP date as an aware time in UTC; None for a text that is no HTTP date."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (
        moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    )
