"""The verification of e-mail addresses by a code from Cal.com, which some event types demand of bookers.

None of these requests needs a credential. They exist on hosted Cal.com only.
"""

from __future__ import annotations

from typing import Any

from cal_bookings.client.booking_list import unexpected
from cal_bookings.client.guard import Guard
from cal_bookings.client.transport import (
    Answer,
    Http,
)

#: The version, although every version works: the documentation names none.
EMAIL_VERIFICATION_VERSION = "2026-02-25"
_PATH = "/bookings/verification/email"


class EmailVerification:
    """The codes that Cal.com mails; each method raises `CalError`s, CalUnsupported where the server has no such routes.

    `guard` is called right before each write, and may stop it by raising.
    """

    def __init__(self, http: Http, guard: Guard | None = None) -> None:
        self._http = http
        self._guard = guard

    def is_required(self, email: str) -> bool:
        """Return whether Cal.com wants this address to be verified before somebody books with it.

        The answer does not say whether an event type demands a code of everybody.
        """
        answer = self._http.request(
            "GET",
            f"{_PATH}/check",
            version=EMAIL_VERIFICATION_VERSION,
            params={"email": email},
        )
        # The documentation says "returns true", and shows no shape.
        data = answer.body.get("data") if isinstance(answer.body, dict) else answer.body
        flags = list(data.values()) if isinstance(data, dict) else [data]
        found = [flag for flag in flags if isinstance(flag, bool)]
        if len(found) != 1:
            raise unexpected(answer, "whether verification is required, true or false")
        return found[0]

    def send_code(self, email: str, *, language: str = "", username: str = "") -> None:
        """Request a mail with a code to this address, in `language`. `username` is the host's, whom the mail names.

        Raises CalUnexpected if Cal.com answers success and says that it has sent none.
        """
        body = {"email": email, "language": language, "username": username}
        given = {name: value for name, value in body.items() if value}
        answer = self._post("send-code", given)
        if _flag(answer, "sent") is not True:
            raise _odd(answer, "that the code was sent")

    def verify(self, email: str, code: str) -> bool:
        """Return whether this is the code that was mailed to this address. Raises CalRefused for a wrong code."""
        answer = self._post("verify-code", {"email": email, "code": code})
        verified = _flag(answer, "verified")
        if not isinstance(verified, bool):
            raise _odd(answer, "whether the code was right, true or false")
        return verified

    def _post(self, name: str, body: dict[str, str]) -> Answer:
        return self._http.request(
            "POST",
            f"{_PATH}/{name}",
            version=EMAIL_VERIFICATION_VERSION,
            json=body,
            guard=self._guard,
        )


def _flag(answer: Answer, name: str) -> Any:
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    return data.get(name) if isinstance(data, dict) else None


def _odd(answer: Answer, expected: str) -> Exception:
    error = unexpected(answer, expected)
    error.may_have_applied = True
    return error
