"""What a person can do about a request that failed: which account, which key, which region, which URL."""

from cal_bookings import client, conf
from cal_bookings.models import Account


def explain(account: Account, error: client.CalError) -> str:
    """One paragraph for a terminal or the admin: what happened, and the cure."""
    told = f'Account "{account}" at {account.base_url}: {error.summary}. {_cure(account, error)}'
    return told.strip()


def _cure(account: Account, error: client.CalError) -> str:  # noqa: C901 - a table
    match error:
        case client.CalTokenExpired():
            return _cure_of_expiry(account)
        case client.CalUnauthorized() if "/oauth" in error.path:
            return "Its tokens can no longer be exchanged: whoever owns it has to connect Cal.com again."
        case client.CalUnauthorized():
            return (
                f"Cal.com does not accept {_where_from(account)}. Check that it is whole and has not expired, and that "
                "BASE_URL is the server that issued it: keys of the EU region work at https://api.cal.eu/v2 only, "
                "keys of a self-hosted server at its own URL only."
            )
        case client.CalForbidden():
            return f"{_where_from(account)} is valid but may not do this: check its permissions and the account's SCOPE."
        case client.CalNotFound():
            return "There is no such list: check that BASE_URL ends with /v2 and that SCOPE names what exists there."
        case client.CalUnexpected():
            return "The mirror was left as it is. Check that BASE_URL is a Cal.com API v2 and ends with /v2."
        case client.CalRateLimited():
            return "Too many requests with this key: wait a minute; the walk goes on from its checkpoint."
        case client.CalUnavailable():
            return "The server cannot be reached or fails: try again; the walk goes on from its checkpoint."
        case _:
            return ""


def _cure_of_expiry(account: Account) -> str:
    if account.alias in conf.aliases():
        return (
            "The access token has expired, and tokens in the settings are not exchanged for new ones: use an API key, "
            "or keep the account in the database with its REFRESH_TOKEN."
        )
    return "The access token has expired: store a new one, with its REFRESH_TOKEN."


def _where_from(account: Account) -> str:
    if account.alias in conf.aliases():
        return f'the credential in CAL_BOOKINGS["ACCOUNTS"]["{account.alias}"]'
    return "the credential stored on the account"
