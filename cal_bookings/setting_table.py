"""The keys of ``CAL_BOOKINGS``, with the default of each and the values that it accepts.

A new setting is one entry here and one row in docs/settings.md. Its default, its system check and the test of the
documents follow from the entry.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cal_bookings.client import LIST_VERSION, SIGNATURE_HEADER


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of ``CAL_BOOKINGS``, or of an account in it."""

    name: str
    #: The value if the site sets none. A site that sets part of INTERVALS or KEEP_DAYS keeps the defaults of the rest.
    default: Any
    #: The requirement on a value, as the end of the sentence "TIMEOUT must be …".
    expected: str
    accepts: Callable[[Any], bool]


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and value >= 0


def _is_positive(value: Any) -> bool:
    return _is_seconds(value) and value > 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_header_name(value: Any) -> bool:
    return _is_text(value) and re.fullmatch(r"[A-Za-z0-9-]+", value) is not None


def _is_site_url(value: Any) -> bool:
    if value == "":
        return True
    try:
        parts = urlsplit(value)
        is_plain = not (parts.query or parts.fragment or parts.username)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain
    except (AttributeError, TypeError, ValueError):
        return False


def _is_anything(_: Any) -> bool:
    """Accept each value, for a key whose mistakes another check reports."""
    return True


def _is_pair(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, tuple | list) and len(value) == 2 and all(map(accepts, value))
    )


def _is_list(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, Sequence)
        and not isinstance(value, str | bytes)
        and all(map(accepts, value))
    )


def _is_count(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and value >= least


def _is_none_or(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or accepts(value)


def _is_one_of(*values: Any) -> Callable[[Any], bool]:
    return lambda value: value in values


def _is_dict(
    keys: Iterable[str], accepts: Callable[[Any], bool]
) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, Mapping)
        and all(key in keys and accepts(each) for key, each in value.items())
    )


_INTERVALS = {"changes": 60, "window": 3600, "full": 86400}
_KEEP_DAYS = {"runs": 30, "history": 365, "actions": 365, "deliveries": 30}

SETTINGS = (
    Setting(
        "ACCOUNTS",
        {},
        "a dict of accounts by alias",
        lambda value: isinstance(value, Mapping),
    ),
    Setting(
        "ENCRYPTION_KEYS",
        [],
        "a list of keys, newest first",
        _is_list(_is_anything),
    ),
    Setting(
        "ALLOWED_SERVERS",
        None,
        "None, or a list of host names as in ALLOWED_HOSTS",
        _is_none_or(_is_list(_is_text)),
    ),
    Setting(
        "TIMEOUT",
        (5, 30),
        "two numbers of seconds above 0, to connect and to read",
        _is_pair(_is_positive),
    ),
    Setting("LEASE_SECONDS", 300, "a number of seconds above 0", _is_positive),
    Setting(
        "PAGE_SIZE",
        None,
        "None, or a number of bookings from 2 on",
        _is_none_or(_is_count(2)),
    ),
    Setting("CACHE", "default", "the alias of a cache", _is_text),
    Setting(
        "RATE_LIMIT",
        None,
        "None, or a number of requests per window",
        _is_none_or(_is_count(1)),
    ),
    Setting("PAGES_PER_TASK", 20, "a number of pages from 1 on", _is_count(1)),
    Setting(
        "WORKER",
        "celery",
        '"celery", or None for a site that runs cal_sync and cal_push from cron',
        _is_one_of("celery", None),
    ),
    Setting(
        "QUEUE",
        None,
        "None, or the name of a Celery queue",
        _is_none_or(lambda value: _is_text(value) and value != ""),
    ),
    Setting(
        "INTERVALS",
        _INTERVALS,
        'a dict of seconds for "changes", "window", "full"',
        _is_dict(_INTERVALS, _is_seconds),
    ),
    Setting(
        "WINDOW_DAYS",
        (7, 60),
        "two numbers of days, back and ahead",
        _is_pair(_is_seconds),
    ),
    Setting("OVERLAP_SECONDS", 300, "a number of seconds", _is_seconds),
    Setting(
        "ANNOUNCE_FIRST_MIRROR",
        False,  # noqa: FBT003 - a value, not a switch
        "True or False",
        lambda value: isinstance(value, bool),
    ),
    Setting("ACTION_SETTLE_SECONDS", 600, "a number of seconds", _is_seconds),
    Setting(
        "SITE_URL",
        "",
        "the address of this site, such as https://example.com, without a query",
        _is_site_url,
    ),
    Setting(
        "WEBHOOK_SIGNATURE_HEADER",
        SIGNATURE_HEADER,
        'the name of a header, such as "X-Cal-Signature-256"',
        _is_header_name,
    ),
    Setting(
        "CHANGES_INTERVAL_WITH_WEBHOOKS",
        None,
        "None, or a number of seconds above 0",
        _is_none_or(_is_positive),
    ),
    Setting(
        "KEEP_DAYS",
        _KEEP_DAYS,
        'a dict of days, or None for ever, for "runs", "history", "actions", "deliveries"',
        _is_dict(_KEEP_DAYS, _is_none_or(_is_seconds)),
    ),
)

_TEXT = "text"

#: The keys of one account. Each may be left out or empty; `conf.credential` and `checks` judge the credentials, the URL
#: and the numbers of the scope.
ACCOUNT_SETTINGS = (
    Setting("API_KEY", "", _TEXT, _is_anything),
    Setting("ACCESS_TOKEN", "", _TEXT, _is_anything),
    Setting("CLIENT_ID", "", _TEXT, _is_anything),
    Setting("CLIENT_SECRET", "", _TEXT, _is_anything),
    Setting(
        "ANONYMOUS",
        False,  # noqa: FBT003 - a value, not a switch
        "True or False",
        lambda value: isinstance(value, bool),
    ),
    Setting("BASE_URL", "https://api.cal.com/v2", "a URL", _is_anything),
    Setting(
        "SCOPE",
        {},
        'a dict such as {"team": 34}',
        lambda value: isinstance(value, Mapping),
    ),
    Setting(
        "LIST_VERSION",
        "",
        " or ".join(f'"{version}"' for version in LIST_VERSION.values()),
        _is_one_of(*LIST_VERSION.values()),
    ),
    Setting("WEBHOOK_SECRET", "", _TEXT, _is_text),
    Setting("WEBHOOK_SECRETS", [], "a list of texts, newest first", _is_list(_is_text)),
)
