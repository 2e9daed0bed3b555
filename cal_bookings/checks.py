"""System checks of ``CAL_BOOKINGS``. Each message names the place of a mistake and its cure, and shows no value."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.validators import slug_re

from cal_bookings import conf
from cal_bookings.models.encryption import MAKE_A_KEY
from cal_bookings.setting_table import ACCOUNT_SETTINGS, SETTINGS, Setting

SETTING = "CAL_BOOKINGS"


@checks.register
def check_settings(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Return every mistake in the setting that can be recognised without a request."""
    return list(_setting_errors(getattr(settings, SETTING, {})))


@checks.register(checks.Tags.security, deploy=True)
def check_encrypted_transport(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Warn of accounts whose credential is sent over plain HTTP, where everybody on the way can read it."""
    accounts = _mapping(_mapping(getattr(settings, SETTING, {})).get("ACCOUNTS"))
    return [
        checks.Warning(
            f'{place}["BASE_URL"] is not encrypted: the credential travels in clear.',
            hint="Use https:// (http:// is fine for localhost only).",
            id="cal_bookings.W001",
        )
        for place, entry in _places(accounts)
        if _is_plain_http(str(_mapping(entry).get("BASE_URL") or ""))
    ]


@checks.register
def check_lease_outlasts_requests(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Warn of a lease that is shorter than a slow response: another worker takes it while its holder still waits."""
    if any(_setting_errors(getattr(settings, SETTING, {}))):
        return []
    lease, (_, read) = conf.get("LEASE_SECONDS"), conf.get("TIMEOUT")
    longest = max(conf.WHOLE_RESPONSE * read, conf.TASK_SECONDS)
    if lease > longest:
        return []
    return [
        checks.Warning(
            f'{SETTING}["LEASE_SECONDS"] is {lease}, but a worker may be busy for {longest} seconds before it can renew '
            "its lease. Another worker then repeats its work.",
            hint=f"Set LEASE_SECONDS above {longest}: a whole response may take {conf.WHOLE_RESPONSE} times the second "
            f"number of TIMEOUT, and a Celery task {conf.TASK_SECONDS} seconds.",
            id="cal_bookings.W003",
        )
    ]


@checks.register
def check_shared_cache(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Warn of a cache that workers do not share: the request budget is then kept in the database, which is slower."""
    alias = _mapping(getattr(settings, SETTING, {})).get("CACHE", "default")
    if not isinstance(alias, str):
        return []  # check_settings reports this mistake
    if alias not in settings.CACHES:
        return [
            checks.Error(
                f'{SETTING}["CACHE"] names the cache "{alias}", which CACHES does not have.',
                hint=f"Known caches: {', '.join(sorted(settings.CACHES))}.",
                id="cal_bookings.E007",
            )
        ]
    if conf.shared_cache(alias) is not None or _is_local_broker():
        return []
    return [
        checks.Warning(
            f'The cache "{alias}" is not shared by all processes, or its counters are not atomic: the request budget '
            "of each Cal.com credential is kept in the database instead.",
            hint=f'Set {SETTING}["CACHE"] to a cache in Redis or Memcached.',
            id="cal_bookings.W002",
        )
    ]


def _is_local_broker() -> bool:
    """Return whether the site has no broker, or one without a server: it then has one process, or a developer's two."""
    broker = str(getattr(settings, "CELERY_BROKER_URL", None) or "")
    return broker.partition("://")[0] in {"", "memory", "filesystem"}


def _setting_errors(setting: Any) -> Iterator[checks.Error]:
    if not isinstance(setting, Mapping):
        yield _wrong_type(SETTING, "a dict")
        return
    yield from _unknown_keys(SETTING, setting, conf.DEFAULTS)
    yield from _value_errors(SETTING, setting, SETTINGS)
    yield from _key_errors(setting.get("ENCRYPTION_KEYS"))
    accounts = _mapping(setting.get("ACCOUNTS"))
    yield from _alias_errors(accounts)
    for place, entry in _places(accounts):
        yield from _account_errors(place, entry)


def _value_errors(
    place: str, values: Mapping[str, Any], table: Iterable[Setting]
) -> Iterator[checks.Error]:
    for each in table:
        if each.name in values and not each.accepts(values[each.name]):
            yield _wrong_type(f'{place}["{each.name}"]', each.expected)


def _account_errors(place: str, entry: Any) -> Iterator[checks.Error]:
    if not isinstance(entry, Mapping):
        yield _wrong_type(place, "a dict")
        return
    yield from _unknown_keys(place, entry, conf.ACCOUNT_DEFAULTS)
    # An empty value counts as left out: it may come from an environment variable that is not set.
    given = {key: value for key, value in entry.items() if value}
    yield from _value_errors(place, given, ACCOUNT_SETTINGS)
    yield from _credential_errors(place, entry)
    yield from _base_url_errors(place, entry.get("BASE_URL"))
    yield from _scope_errors(f'{place}["SCOPE"]', _mapping(entry.get("SCOPE")))


def _unknown_keys(
    place: str, given: Mapping[str, Any], known: Collection[str]
) -> Iterator[checks.Error]:
    for key in given:
        if key in known:
            continue
        nearest = get_close_matches(str(key).upper(), [name.upper() for name in known])
        meant = next((name for name in known if name.upper() in nearest[:1]), None)
        yield checks.Error(
            f'{place} has the unknown key "{key}".',
            hint=(f'Did you mean "{meant}"? ' if meant else "")
            + f"Known keys: {', '.join(sorted(known))}.",
            id="cal_bookings.E001",
        )


def _credential_errors(place: str, entry: Mapping[str, Any]) -> Iterator[checks.Error]:
    try:
        conf.credential(entry, of=place)
    except ImproperlyConfigured as error:
        yield checks.Error(
            str(error),
            hint='Set "API_KEY" to a key from Cal.com: Settings > Developer > API keys. Remove other credentials.',
            id="cal_bookings.E002",
        )


def _base_url_errors(place: str, url: Any) -> Iterator[checks.Error]:
    if url and (problem := conf.base_url_problem(url)):
        yield checks.Error(
            f'{place}["BASE_URL"] {problem}.',
            hint=f'For Cal.com use "{conf.DEFAULT_BASE_URL}" or "https://api.cal.eu/v2"; for your own server '
            'its address with the path of the API, e.g. "https://cal.example.com/api/v2".',
            id="cal_bookings.E003",
        )


def _scope_errors(place: str, scope: Mapping[str, Any]) -> Iterator[checks.Error]:
    yield from _unknown_keys(place, scope, conf.SCOPE_KEYS)
    for key in conf.SCOPE_KEYS & scope.keys():
        if not isinstance(scope[key], int) or isinstance(scope[key], bool):
            yield _wrong_type(f'{place}["{key}"]', "a number, Cal.com's id")
    if "user" in scope and ("organization" not in scope or "team" in scope):
        yield checks.Error(
            f"{place} names a user, whose bookings Cal.com lists within an organization and not by team.",
            hint='Use {"organization": 12, "user": 56}.',
            id="cal_bookings.E008",
        )


def _alias_errors(accounts: Mapping[Any, Any]) -> Iterator[checks.Error]:
    for alias in accounts:
        if isinstance(alias, str) and slug_re.fullmatch(alias):
            continue
        yield checks.Error(
            f'{SETTING}["ACCOUNTS"] has the alias "{alias}", which cannot be part of a URL.',
            hint="Use letters, digits, hyphens and underscores only.",
            id="cal_bookings.E006",
        )


def _key_errors(keys: Any) -> Iterator[checks.Error]:
    if isinstance(keys, str | bytes) or not isinstance(keys, Sequence):
        return  # _value_errors reports this mistake
    place = f'{SETTING}["ENCRYPTION_KEYS"]'
    for number, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except (TypeError, ValueError):
            yield checks.Error(
                f"Key {number} of {place} is not a Fernet key.",
                hint=f"Make one with: {MAKE_A_KEY}",
                id="cal_bookings.E004",
            )


def _wrong_type(place: str, wanted: str) -> checks.Error:
    return checks.Error(
        f"{place} must be {wanted}.",
        hint="Each key is described in docs/settings.md.",
        id="cal_bookings.E005",
    )


def _places(accounts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for alias, entry in accounts.items():
        yield f'{SETTING}["ACCOUNTS"]["{alias}"]', entry


def _is_plain_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and parts.hostname not in conf.LOCAL_HOSTS
    except ValueError:
        return False


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
