"""Cal.com's rate limit: a fixed window from the first request, and a block beyond it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class RateLimit:
    """`limit` requests in `window` seconds per credential; one more blocks it for `block` seconds."""

    limit: int = 120
    window: float = 60.0
    block: float = 60.0
    #: How many requests were answered with 429.
    refused: int = 0
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    _blocked: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, credential: str) -> tuple[bool, dict[str, str]]:
        """Whether the request may pass, and the headers that say how many more may."""
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

    def _headers(self, remaining: int, seconds: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit-Default": str(self.limit),
            "X-RateLimit-Remaining-Default": str(remaining),
            "X-RateLimit-Reset-Default": str(math.ceil(seconds)),
        }
