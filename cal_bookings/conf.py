"""The ``CAL_BOOKINGS`` setting, read at access time so that ``override_settings`` works.

`setting_table` lists the keys, docs/settings.md describes them, and `checks` reports unknown keys and wrong values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.core.cache.backends import db, dummy, filebased, locmem
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from cal_bookings.client import (
    AccessToken,
    Anonymous,
    ApiKey,
    ClientSecret,
    Credential,
    Scope,
    is_public,
)
from cal_bookings.setting_table import ACCOUNT_SETTINGS, SETTINGS

#: A host name or an IP address, as `urlsplit` reads it.
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+(%\w+)?", re.IGNORECASE)

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

#: Every key of CAL_BOOKINGS with its default.
DEFAULTS: dict[str, Any] = {each.name: each.default for each in SETTINGS}

#: A whole response may take this many times the read timeout (`TIMEOUT[1]`).
WHOLE_RESPONSE = 4

#: The time limit of a Celery task in seconds. LEASE_SECONDS must be longer.
TASK_SECONDS = 270

#: Caches of one process, or whose counters lose updates between processes.
_NOT_SHARED = (
    dummy.DummyCache,
    locmem.LocMemCache,
    filebased.FileBasedCache,
    db.DatabaseCache,
)

#: Every key of one entry of ACCOUNTS, with its default.
ACCOUNT_DEFAULTS: dict[str, Any] = {
    each.name: each.default for each in ACCOUNT_SETTINGS
}
DEFAULT_BASE_URL: str = ACCOUNT_DEFAULTS["BASE_URL"]
#: What authenticates, or is exchanged for what does.
_TEXTS = ("API_KEY", "ACCESS_TOKEN", "REFRESH_TOKEN", "CLIENT_ID", "CLIENT_SECRET")
SCOPE_KEYS = frozenset({"organization", "team", "user"})


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One entry of ``CAL_BOOKINGS["ACCOUNTS"]``, without its credential."""

    alias: str
    base_url: str
    scope: dict[str, int]


def get(name: str) -> Any:
    """The value of one key of CAL_BOOKINGS, or its default."""
    return getattr(settings, "CAL_BOOKINGS", {}).get(name, DEFAULTS[name])


def shared_cache(alias: str = "") -> BaseCache | None:
    """The cache CAL_BOOKINGS["CACHE"], or `alias`, if all processes share it and its counters are atomic.

    Raises InvalidCacheBackendError for an alias that CACHES does not have.
    """
    cache = caches[alias or get("CACHE")]
    return None if isinstance(cache, _NOT_SHARED) else cache


def interval(mode: str) -> float:
    """Seconds between two walks of a loop."""
    seconds: float = (DEFAULTS["INTERVALS"] | get("INTERVALS"))[mode]
    return seconds


def keep_days() -> dict[str, float | None]:
    """How long each kind of record is kept, in days; None: for ever."""
    days: dict[str, float | None] = DEFAULTS["KEEP_DAYS"] | get("KEEP_DAYS")
    return days


def aliases() -> list[str]:
    """The accounts that the settings define."""
    return list(get("ACCOUNTS"))


def account(alias: str) -> AccountSettings:
    """Where the account `alias` of the settings lives, and which part of it is mirrored."""
    entry = get("ACCOUNTS")[alias]
    return AccountSettings(
        alias, entry.get("BASE_URL") or DEFAULT_BASE_URL, dict(entry.get("SCOPE") or {})
    )


def list_version(alias: str) -> str:
    """Return the list version that the settings prescribe for an account; empty if they leave it to the server."""
    version: str = get("ACCOUNTS").get(alias, {}).get("LIST_VERSION") or ""
    return version


def webhook_secrets(entry: Mapping[str, Any]) -> list[str]:
    """Return the webhook secrets of one account, newest first: WEBHOOK_SECRETS, and WEBHOOK_SECRET as its one-item form."""
    single = entry.get("WEBHOOK_SECRET") or ""
    return [each for each in [*(entry.get("WEBHOOK_SECRETS") or []), single] if each]


def account_credential(alias: str) -> Credential:
    """The credential of the account `alias` of the settings; raises ImproperlyConfigured with the cure."""
    return credential(get("ACCOUNTS")[alias], of=f'CAL_BOOKINGS["ACCOUNTS"]["{alias}"]')


def credential(entry: Mapping[str, Any], *, of: str) -> Credential:
    """The credential in `entry`: exactly one of an API key, an access token, a client id with its secret, or none on
    purpose (ANONYMOUS); raises ImproperlyConfigured if it has none or more, or one that cannot be sent.

    Beside a REFRESH_TOKEN, the client is the one that exchanges it.
    """
    try:
        credentials = _credentials(entry)
    except ValueError as error:
        raise ImproperlyConfigured(f"{of}: {error}") from None
    if len(credentials) != 1:
        raise ImproperlyConfigured(
            f"{of} needs exactly one credential: API_KEY, or ACCESS_TOKEN, or CLIENT_ID with CLIENT_SECRET, or "
            f"ANONYMOUS: True to go without one; it has {len(credentials)}."
        )
    return credentials[0]


def _credentials(entry: Mapping[str, Any]) -> list[Credential]:
    for name in _TEXTS:
        if not isinstance(entry.get(name) or "", str):
            raise ValueError(f"{name} must be text.")  # noqa: TRY004 - one kind of error for all that is wrong in it
    credentials: list[Credential] = []
    if entry.get("API_KEY"):
        credentials.append(ApiKey(entry["API_KEY"]))
    if entry.get("ACCESS_TOKEN"):
        credentials.append(AccessToken(entry["ACCESS_TOKEN"], _named_client(entry)))
    has_client = entry.get("CLIENT_ID") and entry.get("CLIENT_SECRET")
    if has_client and not entry.get("REFRESH_TOKEN"):
        credentials.append(ClientSecret(entry["CLIENT_ID"], entry["CLIENT_SECRET"]))
    if _is_anonymous(entry):
        credentials.append(Anonymous(entry.get("CLIENT_ID") or ""))
    return credentials


def _named_client(entry: Mapping[str, Any]) -> str:
    """Return the platform's client that reservations name beside the token of a managed user; empty for none.

    The client beside another refresh token exchanges it, and is no platform's.
    """
    is_platform = entry.get("MANAGED_USER") or not entry.get("REFRESH_TOKEN")
    return (is_platform and entry.get("CLIENT_ID")) or ""


def _is_anonymous(entry: Mapping[str, Any]) -> bool:
    value = entry.get("ANONYMOUS") or False
    if not isinstance(value, bool):
        raise ValueError("ANONYMOUS must be True or False.")  # noqa: TRY004 - as above
    return value


def scope(value: Mapping[str, int]) -> Scope:
    """The part of Cal.com an account mirrors, e.g. ``{"organization": 12, "team": 34}``; empty: its own bookings.

    Raises ImproperlyConfigured if `value` is none.
    """
    try:
        return Scope(**value)
    except (TypeError, ValueError):
        raise ImproperlyConfigured(
            'The scope of a Cal.com account is an object such as {}, {"team": 34}, {"organization": 12} or '
            f'{{"organization": 12, "user": 56}}, not {value!r}.'
        ) from None


def base_url_problem(url: Any) -> str | None:
    """What is wrong with a base URL, as the end of a sentence; None if nothing is."""
    try:
        parts = urlsplit(url)
        host, has_user = parts.hostname, parts.username is not None
    except (AttributeError, TypeError, ValueError):
        return "is not a URL"
    problems = {
        "needs http:// or https:// and a host": parts.scheme not in {"http", "https"}
        or not host,
        # The parser of the HTTP client ends such a host earlier, and would connect to another one.
        "has a host with characters that no host has": not _HOST.fullmatch(host or ""),
        "holds a user name, which would be shown wherever the URL is": has_user,
        "must not have a query or a fragment": bool(parts.query or parts.fragment),
        "must end in /v2": not parts.path.rstrip("/").endswith("/v2"),
    }
    return next((problem for problem, is_so in problems.items() if is_so), None)


def stored_base_url_problem(url: str) -> str | None:
    """What keeps the base URL of an account in the database from being used, as the end of a sentence.

    It may have been entered by people who could not write the settings. Makes no request and looks up no name.
    """
    problem = base_url_problem(url)
    if problem:
        return problem
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and host not in LOCAL_HOSTS:
        return "needs https://"
    if get("ALLOWED_SERVERS") is not None and not _is_listed(host):
        return 'names a host that CAL_BOOKINGS["ALLOWED_SERVERS"] does not list'
    if is_restricted_to_public(url) and is_private(host):
        return (
            "names a host in a private network: if it is your own Cal.com, list it in "
            'CAL_BOOKINGS["ALLOWED_SERVERS"]'
        )
    return None


def is_restricted_to_public(url: str) -> bool:
    """Whether the server at this base URL of an account in the database has to be on the public internet.

    Not if the settings list it. Like Django's ALLOWED_HOSTS, no list allows this machine itself while DEBUG is on.
    """
    if get("ALLOWED_SERVERS") is not None:
        return False
    return not (settings.DEBUG and urlsplit(url).hostname in LOCAL_HOSTS)


def _is_listed(host: str) -> bool:
    # Django writes IPv6 addresses with brackets.
    return validate_host(f"[{host}]" if ":" in host else host, get("ALLOWED_SERVERS"))


def is_private(host: str) -> bool:
    """Return whether a host is an address in a private network, or this machine. Looks up no name."""
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
