"""The reasons why a request is not made at the moment, although it is a valid request."""

from datetime import datetime

from django.utils import timezone

from cal_bookings.models import Account
from cal_bookings.sentences import english

#: The seconds after which a caller looks again at an account that a person paused.
_COME_BACK = 60.0  # seconds


class NotNow(Exception):
    """No request was made, and none is made for a while.

    `seconds` is the time to wait before the next attempt. The text is for logs: `advice.explain` says what a person can
    do.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class BudgetExhausted(NotNow):
    """The next request would have to wait longer than the caller allows."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"Cal.com's rate limit allows the next request in {seconds:.1f} s", seconds
        )


class CircuitOpen(NotNow):
    """The account is paused: its credential is refused, its server is down, or a person paused it.

    `until` is when the pause ends; None for a pause by hand, whose end is not known.
    """

    def __init__(self, account: Account, until: datetime | None = None) -> None:
        end, seconds = "resumed", _COME_BACK
        if until:
            end = f"{until:%Y-%m-%d %H:%M:%S} UTC"
            seconds = max(0.0, (until - timezone.now()).total_seconds())
        reason = english(account.pause_message)
        super().__init__(f"{account}: paused until {end}. {reason}", seconds)
        self.account = account
        self.until = until
