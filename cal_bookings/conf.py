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

#: Cache backends that belong to one process, or whose counters lose updates between processes.
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
#: The keys whose text authenticates, or is exchanged for a token that authenticates.
_TEXTS = ("API_KEY", "ACCESS_TOKEN", "REFRESH_TOKEN", "CLIENT_ID", "CLIENT_SECRET")
SCOPE_KEYS = frozenset({"organization", "team", "user"})


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """An entry of ``CAL_BOOKINGS["ACCOUNTS"]``, without its credential."""

    alias: str
    base_url: str
    scope: dict[str, int]


def get(name: str) -> Any:
    """Return the value of a key of CAL_BOOKINGS, or its default."""
    return getattr(settings, "CAL_BOOKINGS", {}).get(name, DEFAULTS[name])


def shared_cache(alias: str = "") -> BaseCache | None:
    """Return the cache `alias`, by default CAL_BOOKINGS["CACHE"]; None if it is not shared by all processes and atomic.

    Raises InvalidCacheBackendError for an alias that CACHES does not have.
    """
    cache = caches[alias or get("CACHE")]
    return None if isinstance(cache, _NOT_SHARED) else cache


def interval(mode: str) -> float:
    """Return the seconds between two walks of the loop `mode`."""
    seconds: float = (DEFAULTS["INTERVALS"] | get("INTERVALS"))[mode]
    return seconds


def keep_days() -> dict[str, float | None]:
    """Return the days for which each kind of record is kept; None means for ever."""
    days: dict[str, float | None] = DEFAULTS["KEEP_DAYS"] | get("KEEP_DAYS")
    return days


def aliases() -> list[str]:
    """Return the aliases of the accounts that the settings define."""
    return list(get("ACCOUNTS"))


def account(alias: str) -> AccountSettings:
    """Return the server of the account `alias` of the settings, and the part of it that is mirrored."""
    entry = get("ACCOUNTS")[alias]
    return AccountSettings(
        alias, entry.get("BASE_URL") or DEFAULT_BASE_URL, dict(entry.get("SCOPE") or {})
    )


def list_version(alias: str) -> str:
    """Return the list version that the settings prescribe for an account; empty if they prescribe none."""
    version: str = get("ACCOUNTS").get(alias, {}).get("LIST_VERSION") or ""
    return version


def webhook_secrets(entry: Mapping[str, Any]) -> list[str]:
    """Return the webhook secrets of an account, newest first: those of WEBHOOK_SECRETS, then WEBHOOK_SECRET."""
    single = entry.get("WEBHOOK_SECRET") or ""
    return [each for each in [*(entry.get("WEBHOOK_SECRETS") or []), single] if each]


def account_credential(alias: str) -> Credential:
    """Return the credential of the account `alias` of the settings. Raises ImproperlyConfigured with the cure."""
    return credential(get("ACCOUNTS")[alias], of=f'CAL_BOOKINGS["ACCOUNTS"]["{alias}"]')


def credential(entry: Mapping[str, Any], *, of: str) -> Credential:
    """Return the credential in `entry`: an API key, an access token, a client id with its secret, or ANONYMOUS.

    Raises ImproperlyConfigured if `entry` has none of them or several, or a credential that cannot be sent. The client
    beside a REFRESH_TOKEN is the client that exchanges it.
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
    """Return the id of the platform's client, which reservations name beside a managed user's token; empty for none.

    A client beside any other refresh token only exchanges that token, and belongs to no platform.
    """
    is_platform = entry.get("MANAGED_USER") or not entry.get("REFRESH_TOKEN")
    return (is_platform and entry.get("CLIENT_ID")) or ""


def _is_anonymous(entry: Mapping[str, Any]) -> bool:
    value = entry.get("ANONYMOUS") or False
    if not isinstance(value, bool):
        raise ValueError("ANONYMOUS must be True or False.")  # noqa: TRY004 - as above
    return value


def scope(value: Mapping[str, int]) -> Scope:
    """Return the part of Cal.com that an account mirrors, e.g. ``{"organization": 12, "team": 34}``.

    An empty `value` means the account's own bookings. Raises ImproperlyConfigured if `value` is not a valid scope.
    """
    try:
        return Scope(**value)
    except (TypeError, ValueError):
        raise ImproperlyConfigured(
            'The scope of a Cal.com account is an object such as {}, {"team": 34}, {"organization": 12} or '
            f'{{"organization": 12, "user": 56}}, not {value!r}.'
        ) from None


def base_url_problem(url: Any) -> str | None:
    """Return the fault of a base URL, as the end of a sentence; None if it has none."""
    try:
        parts = urlsplit(url)
        host, has_user = parts.hostname, parts.username is not None
    except (AttributeError, TypeError, ValueError):
        return "is not a URL"
    problems = {
        "needs http:// or https:// and a host": parts.scheme not in {"http", "https"}
        or not host,
        # The HTTP client's parser ends such a host earlier, and would connect to another host.
        "has a host with characters that no host has": not _HOST.fullmatch(host or ""),
        "holds a user name, which would be shown wherever the URL is": has_user,
        "must not have a query or a fragment": bool(parts.query or parts.fragment),
        "must end in /v2": not parts.path.rstrip("/").endswith("/v2"),
    }
    return next((problem for problem, is_so in problems.items() if is_so), None)


def stored_base_url_problem(url: str) -> str | None:
    """Return why an account of the database must not use its base URL, as the end of a sentence; None if it may.

    People who cannot write the settings may have entered the URL. Makes no request and looks up no name.
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
    """Return whether the server at the base URL of an account in the database must be on the public internet.

    A server that ALLOWED_SERVERS lists need not be. Without a list, this machine is allowed while DEBUG is on, as with
    Django's ALLOWED_HOSTS.
    """
    if get("ALLOWED_SERVERS") is not None:
        return False
    return not (settings.DEBUG and urlsplit(url).hostname in LOCAL_HOSTS)


def _is_listed(host: str) -> bool:
    # Django writes IPv6 addresses with brackets.
    return validate_host(f"[{host}]" if ":" in host else host, get("ALLOWED_SERVERS"))


def is_private(host: str) -> bool:
    """Return whether a host is this machine or an address in a private network. Looks up no name."""
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
