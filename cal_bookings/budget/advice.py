"""What a person can do about a request that failed: which account, which key, which region, which URL."""

from urllib.parse import urlsplit

from cal_bookings import client, conf
from cal_bookings.client import Cause
from cal_bookings.models import Account

#: What helps where the cause is known. Redirects and pages have functions of their own.
_OF_CAUSE = {
    Cause.NAME: (
        'The name "{host}" is unknown here: check BASE_URL for a typing error, and the network and the name servers '
        "(DNS) of this machine."
    ),
    Cause.CONNECTION: (
        "The server cannot be reached: nothing accepts connections at {netloc}. Check the host and the port in "
        "BASE_URL, that the server runs, and that no firewall is in between."
    ),
    Cause.CERTIFICATE: (
        "This machine does not trust the certificate of {host}, or it was made for another name. If it is signed by "
        "yourself or your own authority, set the environment variable REQUESTS_CA_BUNDLE to the file of that "
        "certificate. Else check BASE_URL."
    ),
    Cause.TLS: (
        "The server at {netloc} does not speak TLS as this machine does: check the port in BASE_URL, and that https:// "
        "is right."
    ),
    Cause.PROXY: (
        "The proxy of this machine (environment variables HTTP_PROXY and HTTPS_PROXY) does not let the request "
        "through: check its address, user name and password, or name {host} in NO_PROXY."
    ),
    Cause.TIMEOUT: (
        'The server cannot be reached in time (CAL_BOOKINGS["TIMEOUT"]): try again later. If it happens often, use '
        "longer times or a smaller PAGE_SIZE."
    ),
    Cause.PRIVATE: (
        "{host} has an address in a private network. If it is your own Cal.com, name it in "
        'CAL_BOOKINGS["ALLOWED_SERVERS"].'
    ),
    Cause.NOT_A_KEY: (
        "The server does not take {credential} for an API key of its own. Its keys begin with a prefix: "
        '"cal_" on Cal.com, API_KEY_PREFIX on a self-hosted server. Check that the key is whole, and that BASE_URL is '
        "the server that issued it."
    ),
}


def explain(
    account: Account,
    error: client.CalError,
    *,
    walking: bool = False,
    quoting: bool = True,
) -> str:
    """One paragraph for a terminal or the admin: what happened, and the cure.

    `walking` adds what becomes of the walk that it ended, and quotes nothing of Cal.com's words. Without `quoting` nothing of the answer is shown but its
    status: for people who may name a server that is none of Cal.com's.
    """
    if walking:
        what = error.unquoted  # kept in rows that people without `view_attendee` see
    else:
        what = error.summary if quoting or error.status is None else error.where
    sentences = [f'Account "{account}" at {account.base_url}: {what}.']
    sentences.append(_cure(account, error))
    if walking:
        sentences.append(_rest_of_the_walk(error))
    return " ".join(sentence for sentence in sentences if sentence)


def _cure(account: Account, error: client.CalError) -> str:
    if error.cause is Cause.REDIRECT:
        return _cure_of_redirect(account, error.location)
    if error.cause is Cause.PAGE:
        return _cure_of_page(account, error)
    if error.cause:
        url, credential = urlsplit(account.base_url), _credential_of(account)
        return _OF_CAUSE[error.cause].format(
            host=url.hostname, netloc=url.netloc, credential=credential
        )
    return _cure_of_kind(account, error)


def _cure_of_kind(account: Account, error: client.CalError) -> str:  # noqa: C901 - a table
    match error:
        case client.CalTokenExpired():
            return _cure_of_expiry(account)
        case client.CalUnauthorized() if "/oauth" in error.path:
            return "Its tokens can no longer be exchanged: whoever owns it has to connect Cal.com again."
        case client.CalUnauthorized():
            return (
                f"Cal.com does not accept {_credential_of(account)}. Check that it is whole and has not expired, and "
                "that BASE_URL is the server that issued it: keys of the EU region work at https://api.cal.eu/v2 only, "
                "keys of a self-hosted server at its own URL only."
            )
        case client.CalForbidden():
            return f"{_capital(_credential_of(account))} may not do this: check its permissions and the account's SCOPE."
        case client.CalNotFound():
            return _cure_of_absence(error)
        case client.CalUnexpected():
            return "Check that BASE_URL is a Cal.com API v2 and ends with /v2."
        case client.CalRateLimited():
            return "There were too many requests with this key: wait a minute."
        case client.CalUnavailable():
            return "The server cannot be reached or fails: try again later."
        case _:
            return ""


def _cure_of_redirect(account: Account, location: str) -> str:
    base, to = urlsplit(account.base_url), urlsplit(location)
    if (base.scheme, to.scheme) == ("http", "https") and base.hostname == to.hostname:
        return f"The server at {base.hostname} wants https: write BASE_URL with https:// instead of http://."
    where = f"points to {location}" if location else "does not say where to"
    return (
        f"The redirect {where}: a login page, or another address of the server. Redirects are not followed, for they "
        "would carry the credential along. Set BASE_URL to the address of the API itself, and let requests of this "
        "machine pass any login in front of it."
    )


def _cure_of_page(account: Account, error: client.CalError) -> str:
    if error.status in (401, 403, 405, 451):
        return (
            "The answer is a page of a firewall, proxy or login in front of Cal.com, and says nothing about the "
            f"credential. Let requests of this machine to {urlsplit(account.base_url).hostname} through."
        )
    return (
        "A web page answers there, not the API: a login page or the website of the server. Check that BASE_URL is the "
        f"address of the API and ends with /v2, such as {conf.DEFAULT_BASE_URL}."
    )


def _cure_of_absence(error: client.CalError) -> str:
    if error.path.endswith("/bookings"):
        return "There is no such list: check that BASE_URL ends with /v2 and that SCOPE names what exists there."
    return "Cal.com does not have what was asked for. It may have been deleted there."


def _cure_of_expiry(account: Account) -> str:
    if account.alias in conf.aliases():
        return (
            "The access token has expired, and tokens in the settings are not exchanged for new ones: use an API key, "
            "or keep the account in the database with its REFRESH_TOKEN."
        )
    return "The access token has expired: store a new one, with its REFRESH_TOKEN."


def _rest_of_the_walk(error: client.CalError) -> str:
    if isinstance(error, client.CalUnexpected):
        return "The mirror was left as it is."
    if isinstance(error, client.CalRateLimited | client.CalUnavailable):
        return "The next run of the walk goes on from its checkpoint."
    return ""


def _credential_of(account: Account) -> str:
    if account.alias in conf.aliases():
        return f'the credential in CAL_BOOKINGS["ACCOUNTS"]["{account.alias}"]'
    return "the credential stored on the account"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
