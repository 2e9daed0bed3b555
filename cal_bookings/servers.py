"""What is known of an account's Cal.com server, and the requests that depend on it.

Which dialect a list is in and which kind of server it is are two things: the versions of the actions and the actions
that only hosted Cal.com has follow from the second.
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

#: The hosts of hosted Cal.com. Others are asked.
HOSTED = frozenset({"api.cal.com", "api.cal.eu"})

#: After this time, a list version that was not available is asked for once more.
ASK_AGAIN = timedelta(days=1)


#: Whether the list of a team filters by change is tried again after this time.
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
    """Return a page of the account's bookings, asked for in the dialect that its server speaks.

    What the page proves about the server is saved on `account`, in one UPDATE and only if it is news; not with
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
    """Return which kind of server the account is on, and ask it once if that is not known.

    A server that cannot be recognised counts as self-hosted: the versions of those are served everywhere.
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
    """Find out whether the server filters the list of a team by change: once a week, with one request.

    `page` is the first one of the unfiltered list; one without bookings proves nothing. Only the lists of teams need it.
    """
    checked_at = account.change_filters_checked_at
    is_fresh = checked_at and timezone.now() - checked_at < CHECK_FILTERS_AGAIN
    if connection.scope.has_change_filters or is_fresh or not page.payloads:
        return
    try:
        has_filters = connection.filters_by_change()
    except (CalRefused, CalUnexpected, UnexpectedAnswer):
        has_filters = False  # and so it will be next time
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
    """Save what `page` proves about the server, in one UPDATE and only if it is news."""
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
