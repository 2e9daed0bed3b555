"""The verification of e-mail addresses: whether an address needs it, the mailed code, and the check of a code."""

from __future__ import annotations

from cal_bookings.testing.endpoints import validation
from cal_bookings.testing.endpoints.calls import Call, Change
from cal_bookings.testing.endpoints.validation import (
    Field,
    refuse,
)
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    invalid,
    success,
)

_SEND = {
    "email": Field(validation.email, required=True),
    "username": Field(validation.text),
    "language": Field(validation.text),
    "isVerifyingEmail": Field(validation.boolean),
}
_VERIFY = {
    "email": Field(validation.email, required=True),
    "code": Field(validation.text, required=True),
}
#: The errors of the booking core, which demands a code only where the event type does.
_MISSING, _WRONG = "email_verification_required", "invalid_verification_code"


def check(call: Call) -> Change:
    email = call.request.one("email")
    if not validation.is_email(email):
        raise invalid("email", email, isEmail="email must be an email")
    required = email.lower() in call.world.mailbox.protected
    return lambda: success(required)


def send_code(call: Call) -> Change:
    refuse(_SEND, call.body)

    def carry_out() -> Answer:
        email = call.text("email")
        call.world.mailbox.send(email)
        call.effect("send_code", "", email=email)
        return success({"sent": True})

    return carry_out


def verify_code(call: Call) -> Change:
    refuse(_VERIFY, call.body)
    if not call.world.mailbox.is_right(call.text("email"), call.text("code")):
        raise Refusal(400, _WRONG)
    return lambda: success({"verified": True})


def must_be_verified(call: Call, email: str) -> None:
    """Refuse a booker without the last mailed code, for an event type that demands one. Raises Refusal."""
    code = call.text("emailVerificationCode")
    if not code:
        raise Refusal(400, _MISSING)
    if not call.world.mailbox.is_right(email, code):
        raise Refusal(400, _WRONG)
