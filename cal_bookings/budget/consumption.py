"""The use of each credential's budget, read without using any of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from cal_bookings import conf
from cal_bookings.budget import cache_store, database_store
from cal_bookings.budget.fallback_store import FallbackStore
from cal_bookings.budget.naming import name_of
from cal_bookings.budget.window import Reading
from cal_bookings.models import Account


@dataclass(frozen=True, slots=True)
class Usage:
    """The use by all processes together, and by others with the same credential as far as Cal.com reported it."""

    #: The number of requests in a window; None if no request was made yet, or the last was too long ago to know.
    slots: int | None = None
    used: int = 0
    #: The seconds until the next window; 0 if none is open.
    ends_in: float = 0.0
    #: The length of a window in seconds; 0 if none is known.
    period: float = 0.0
    #: The seconds for which Cal.com refuses all requests after a 429.
    blocked_for: float = 0.0
    #: The reason why the account has no credential whose budget could be read.
    problem: str = ""

    @property
    def is_blocked(self) -> bool:
        return self.blocked_for > 0

    @property
    def is_used_up(self) -> bool:
        return self.slots is not None and self.used >= self.slots


def usage(accounts: Sequence[Account], now: float, limit: str = "") -> dict[int, Usage]:
    """Return the use of each account's budget, by primary key, at `now` (seconds since the epoch).

    With `limit`, such as "guests", return the use of the limit that Cal.com counts apart under this name. The function
    makes one query, or two requests to the cache, and no request to Cal.com.
    """
    names: dict[int, str] = {}
    usages: dict[int, Usage] = {}
    for account in accounts:
        try:
            names[account.pk] = name_of(account.base_url, account.credential, limit)
        except (ImproperlyConfigured, ValueError) as error:
            usages[account.pk] = Usage(problem=str(error))
    readings = _read(set(names.values()))
    for pk, name in names.items():
        usages[pk] = _at(readings[name], now) if name in readings else Usage()
    return usages


def _read(names: Collection[str]) -> dict[str, Reading]:
    cache = conf.shared_cache()
    if cache is not None:
        try:
            return cache_store.read_many(cache, names)
        except Exception as error:  # noqa: BLE001 - each cache has errors of its own
            FallbackStore.say(error)
    return database_store.read_many(names)


def _at(reading: Reading, now: float) -> Usage:
    window, used, blocked_until = reading
    blocked_for = max(0.0, blocked_until - now)
    if window is None:
        return Usage(blocked_for=blocked_for)
    ends_in = max(0.0, window.ends - now)
    return Usage(
        slots=window.slots,
        # Others with this credential may use the slots that we leave alone.
        used=min(used, window.slots) if ends_in else 0,
        ends_in=ends_in,
        period=window.ends - window.began,
        blocked_for=blocked_for,
    )
