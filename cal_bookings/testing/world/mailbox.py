"""The codes that Cal.com mails to those who book, so that their addresses are proven."""

from __future__ import annotations

from random import Random


class Mailbox:
    """The codes by e-mail address, the last one of each, as if the test could read everybody's mail."""

    def __init__(self, rng: Random) -> None:
        self._random = rng
        self.codes: dict[str, str] = {}
        #: The addresses that Cal.com wants to be verified: those of its users who chose that.
        self.protected: set[str] = set()

    def send(self, email: str) -> None:
        """Mail a code; an earlier one is void."""
        self.codes[email.lower()] = f"{self._random.randrange(10**6):06}"

    def is_right(self, email: str, code: str) -> bool:
        """Return whether this is the code that was mailed last to this address."""
        return bool(code) and self.codes.get(email.lower()) == code
