"""The advice on a failed request to Cal.com, chosen by the error and by the operation.

No other module gives advice. The text of an exception says what happened, and is for logs.
"""

from enum import Enum, auto
from math import ceil
from urllib.parse import urlsplit

from cal_bookings import client, conf
from cal_bookings.budget.advice_texts import Advice
from cal_bookings.budget.errors import BudgetExhausted, CircuitOpen, NotNow
from cal_bookings.client import CalError, Cause
from cal_bookings.models import Account
from cal_bookings.sentences import Message


class Operation(Enum):
    """The operation during which a request failed: it decides what helps, and who does it."""

    #: A walk, which the next run continues.
    WALK = auto()
    #: An action of the outbox, which tries again by itself.
    ACTION = auto()
    #: The question of a person who waits for its response, and can ask again.
    QUESTION = auto()


#: The cures where the cause of an error is known, whatever its kind. Redirects and pages have functions of their own.
_OF_CAUSE = {
    Cause.NAME: Advice.NAME,
    Cause.CONNECTION: Advice.CONNECTION,
    Cause.CERTIFICATE: Advice.CERTIFICATE,
    Cause.TLS: Advice.TLS,
    Cause.PROXY: Advice.PROXY,
    Cause.TIMEOUT: Advice.TIMEOUT,
    Cause.PRIVATE: Advice.PRIVATE,
    Cause.NOT_A_KEY: Advice.NOT_A_KEY,
}

#: The cures where only the kind of an error is known; the first match is used.
_OF_KIND = (
    (client.CalUnsupported, Advice.UNSUPPORTED),
    (client.CalUnexpected, Advice.UNEXPECTED),
    (client.CalRateLimited, Advice.TOO_MANY),
    (client.CalUnavailable, Advice.UNAVAILABLE),
)


def explain(
    account: Account,
    error: Exception,
    operation: Operation,
    *,
    quoting: bool = False,
) -> Message:
    """Return what happened to a request of `account` during `operation`, and what a person can do.

    `error` is a `CalError`, a `NotNow`, or an exception that names the cure itself, as a `Message` in `explanation` or as
    its text, such as ImproperlyConfigured.
    With `quoting`, Cal.com's own words are repeated, which may name people: for people who may view attendees, and of a
    server that may be trusted. Without it, a refusal is shown by its request and status alone. A walk never quotes a
    refusal, because its rows are shown to everybody.
    """
    match error:
        case CalError():
            what = _what(error, operation, quoting=quoting)
            head = Advice.WHAT(
                account=str(account), base_url=account.base_url, what=what
            )
            return head + _cure(account, error, operation) + _next(error, operation)
        case BudgetExhausted():
            return Advice.USED_UP() + _next(error, operation)
        case CircuitOpen():
            return _of_pause(error)
        case _:
            own = getattr(error, "explanation", None)
            return own if isinstance(own, Message) else Advice.VERBATIM(text=str(error))


def _what(error: CalError, operation: Operation, *, quoting: bool) -> str:
    if operation is Operation.WALK:
        return error.unquoted
    return error.summary if quoting or error.status is None else error.where


def _cure(account: Account, error: CalError, operation: Operation) -> Message:
    match error.cause:
        case None:
            return _cure_of_kind(account, error)
        case Cause.REDIRECT:
            return _cure_of_redirect(account, error.location)
        case Cause.PAGE:
            return _cure_of_page(account, error)
        case Cause.TIMEOUT if operation is Operation.WALK:
            return Advice.TIMEOUT_OF_A_PAGE()
    url = urlsplit(account.base_url)
    return _OF_CAUSE[error.cause](
        host=url.hostname, netloc=url.netloc, credential=credential_of(account)
    )


def _cure_of_kind(account: Account, error: CalError) -> Message:
    match error:
        case client.CalUnauthorized():
            return _cure_of_credential(account, error)
        case client.CalForbidden():
            return Advice.FORBIDDEN(credential=credential_of(account))
        case client.CalNotFound():
            return _cure_of_absence(error)
        case _:
            cures = (cure() for kind, cure in _OF_KIND if isinstance(error, kind))
            return next(cures, Message())


def _cure_of_credential(account: Account, error: client.CalUnauthorized) -> Message:
    if isinstance(error, client.CalTokenExpired):
        in_settings = account.alias in conf.aliases()
        return Advice.EXPIRED_IN_SETTINGS() if in_settings else Advice.EXPIRED()
    if "/oauth" in error.path:
        return Advice.CONNECT_AGAIN()
    return Advice.UNAUTHORIZED(credential=credential_of(account))


def _cure_of_redirect(account: Account, location: str) -> Message:
    base, to = urlsplit(account.base_url), urlsplit(location)
    if (base.scheme, to.scheme) == ("http", "https") and base.hostname == to.hostname:
        return Advice.WANTS_HTTPS(host=base.hostname)
    where = Advice.REDIRECT_TO_NOWHERE()
    if location:
        where = Advice.REDIRECT(location=location)
    return where + Advice.NO_REDIRECTS()


def _cure_of_page(account: Account, error: CalError) -> Message:
    if error.status in (401, 403, 405, 451):
        return Advice.FIREWALL(host=urlsplit(account.base_url).hostname)
    return Advice.WEB_PAGE(example=conf.DEFAULT_BASE_URL)


def _cure_of_absence(error: CalError) -> Message:
    if error.path.endswith("/bookings"):
        return Advice.NO_LIST()
    is_of_booking = error.path.startswith("/bookings/{uid}")
    return Advice.NO_BOOKING() if is_of_booking else Advice.NOT_FOUND()


def credential_of(account: Account) -> Message:
    """Return a noun phrase that says where the account's credential is kept."""
    if account.alias in conf.aliases():
        return Advice.CREDENTIAL_IN_SETTINGS(alias=account.alias)
    return Advice.CREDENTIAL()


def _of_pause(error: CircuitOpen) -> Message:
    account = error.account
    reason = account.pause_message
    if error.until is None:
        return Advice.PAUSED_BY_HAND(account=str(account), reason=reason)
    until = f"{error.until:%Y-%m-%d %H:%M:%S}"
    return Advice.PAUSED(account=str(account), until=until, reason=reason)


def _next(error: CalError | NotNow, operation: Operation) -> Message:
    """Return the next step after the failure: what this software does by itself, or what the person can do."""
    is_passing = isinstance(
        error, client.CalRateLimited | client.CalUnavailable | NotNow
    )
    match operation:
        case Operation.WALK if isinstance(error, client.CalUnexpected):
            return Advice.MIRROR_UNTOUCHED()
        case Operation.WALK if is_passing:
            return Advice.WALK_GOES_ON()
        case Operation.QUESTION if isinstance(error, NotNow):
            return Advice.TRY_AGAIN_IN(seconds=max(1, ceil(error.seconds)))
        case Operation.QUESTION if isinstance(error, client.CalUnavailable):
            return Advice.TRY_LATER()
        case _:
            return Message()
