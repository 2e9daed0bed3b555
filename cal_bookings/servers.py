"""The facts known of an account's Cal.com server, and the requests that depend on them.

The dialect of a list and the kind of server are two facts. The kind of server decides the versions of the actions,
and whether the actions that only hosted Cal.com has are available.
"""

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from cal_bookings.client import (
    Anonymous,
    CalClient,
    CalError,
    CalRefused,
    CalUnexpected,
    Dialect,
    Filters,
    Page,
    Position,
    Server,
    UnexpectedAnswer,
)
from cal_bookings.models import Account

#: The hosts of hosted Cal.com. A request finds out the kind of any other server.
HOSTED = frozenset({"api.cal.com", "api.cal.eu"})

#: The time after which a list version that was not available is requested once more.
ASK_AGAIN = timedelta(days=1)


#: The time after which a request tries once more whether the list of a team filters by change.
CHECK_FILTERS_AGAIN = timedelta(days=7)

logger = logging.getLogger(__name__)


def list_bookings(
    account: Account,
    connection: CalClient,
    position: Position | None = None,
    *,
    filters: Filters | None = None,
    page_size: int | None = None,
    persist: bool = True,
    learns: bool = True,
) -> Page:
    """Return a page of the account's bookings, requested in the dialect that its server speaks.

    `account` gets the facts that the page proves about the server, in one UPDATE and only if they are new; not with
    `learns=False`. Raises what `CalClient.list_bookings` raises.
    """
    page = connection.list_bookings(
        position,
        filters=filters,
        dialect=_known_dialect(account),
        forced=account.forced_dialect,
        page_size=page_size,
        persist=persist,
    )
    if learns:
        account.begin_mirror(page.answered_at or page.asked_at)
        learn(account, page)
    return page


def kind_of(account: Account, connection: CalClient) -> Server:
    """Return the kind of server that the account is on; one request finds it out if it is not known.

    A server that cannot be recognised counts as self-hosted: every server serves the versions of self-hosted Cal.com.
    """
    if account.server:
        return Server(account.server)
    server = _by_address(account.base_url)
    if not server and not isinstance(connection.credential, Anonymous):
        server = connection.find_server()
    if server:
        _save(account, {"server": str(server)})
    return server or Server.SELF_HOSTED


def learn_change_filters(account: Account, connection: CalClient, page: Page) -> None:
    """Find out, once a week with one request, whether the server filters the list of a team by change.

    `page` is the first page of the unfiltered list; an empty page proves nothing. Only the lists of teams need this.
    """
    checked_at = account.change_filters_checked_at
    is_fresh = checked_at and timezone.now() - checked_at < CHECK_FILTERS_AGAIN
    if connection.scope.has_change_filters or is_fresh or not page.payloads:
        return
    try:
        has_filters = connection.filters_by_change()
    except (CalRefused, CalUnexpected, UnexpectedAnswer):
        has_filters = False  # the next request would be refused as well
    except CalError as error:
        logger.info("%s: filters by change could not be tried: %s", account, error)
        return
    _save(
        account,
        {
            "has_change_filters": has_filters,
            "change_filters_checked_at": timezone.now(),
        },
    )


def _known_dialect(account: Account) -> Dialect | None:
    again = account.dialect_expires_at
    if not account.dialect or (again and again <= timezone.now()):
        return None
    return Dialect(account.dialect)


def learn(account: Account, page: Page) -> None:
    """Save the facts that `page` proves about the server, in one UPDATE and only if they are new."""
    learnt: dict[str, Any] = {"dialect": str(page.dialect)}
    if page.server:
        learnt["server"] = str(page.server)
    if page.unavailable is Dialect.CURSOR:
        learnt["dialect_expires_at"] = timezone.now() + ASK_AGAIN
    elif page.dialect is Dialect.CURSOR:
        learnt["dialect_expires_at"] = None
    _save(account, learnt)


def _save(account: Account, learnt: dict[str, Any]) -> None:
    news = {
        name: value for name, value in learnt.items() if getattr(account, name) != value
    }
    if news:
        for name, value in news.items():
            setattr(account, name, value)
        account.save(update_fields=news)


def _by_address(base_url: str) -> Server | None:
    return Server.HOSTED if urlsplit(base_url).hostname in HOSTED else None
