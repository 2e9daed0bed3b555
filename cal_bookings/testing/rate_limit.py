"""The rate limit of Cal.com: a fixed window from the first request, and a block beyond it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from threading import Lock

from cal_bookings.testing.responses import Request


@dataclass
class RateLimit:
    """The limit: `limit` requests in `window` seconds per credential; one more blocks it for `block` seconds."""

    limit: int = 120
    window: float = 60.0
    block: float = 60.0
    #: The name in its headers.
    name: str = "Default"
    #: The number of requests with the answer 429.
    refused: int = 0
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    _blocked: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, credential: str) -> tuple[bool, dict[str, str]]:
        """Return whether the request may pass, and the headers that say how many more may."""
        now = time.monotonic()
        with self._lock:
            until = self._blocked.get(credential, 0.0)
            if until <= now:
                began, used = self._windows.get(credential, (now, 0))
                if now - began >= self.window:
                    began, used = now, 0
                self._windows[credential] = began, used + 1
                if used < self.limit:
                    left = began + self.window - now
                    return True, self._headers(self.limit - used - 1, left)
                until = self._blocked[credential] = now + self.block
                del self._windows[credential]
            self.refused += 1
            return False, self._headers(0, until - now)

    def named(self, name: str) -> RateLimit:
        """Return a limit of the same size that counts apart."""
        return RateLimit(self.limit, self.window, self.block, name)

    def _headers(self, remaining: int, seconds: float) -> dict[str, str]:
        return {
            f"X-RateLimit-Limit-{self.name}": str(self.limit),
            f"X-RateLimit-Remaining-{self.name}": str(remaining),
            f"X-RateLimit-Reset-{self.name}": str(math.ceil(seconds)),
        }


#: The requests that Cal.com counts apart, five a minute each and sixty for the sessions, and their names in the headers
#: of the answers. The name for the sessions was not recorded.
_ENDPOINTS = {
    ("PATCH", "location"): "Booking_location_update",
    ("POST", "attendees"): "Booking_attendees_add",
    ("DELETE", "attendees"): "Booking_attendees_remove",
    ("POST", "guests"): "Booking_guests_add",
    ("GET", "conferencing-sessions"): "Booking_conferencing_sessions",
}


def endpoint_limits(size: RateLimit | None) -> dict[tuple[str, str], RateLimit]:
    """Return a limit of this size for each kind of request that is counted apart; none without a size."""
    if size is None:
        return {}
    return {key: size.named(name) for key, name in _ENDPOINTS.items()}


def endpoint(request: Request) -> tuple[str, str]:
    """Return the kind of the request: its method, and the part of a booking that it is about."""
    parts = request.path.split("/")
    return request.method, parts[3] if len(parts) > 3 else ""
