"""Deliveries that were refused for their signature: nothing of them is stored, but they are counted in the cache."""

import logging
import time
from collections.abc import Iterable

from django.core.cache import BaseCache, caches

from cal_bookings import conf

logger = logging.getLogger(__name__)

#: This many refusals within two hours come from no scan of the internet: a secret differs, or a proxy changes the body.
MANY = 10

_HOUR = 3600


def count(account_id: int) -> None:
    """Count one refused delivery of this account. A cache that fails is logged and keeps nobody waiting."""
    try:
        cache, key = _cache(), _key(account_id, _hour())
        cache.add(key, 0, timeout=3 * _HOUR)
        cache.incr(key)
    except Exception as error:  # noqa: BLE001 - each cache raises errors of its own
        logger.warning("A refused delivery was not counted: %s", type(error).__name__)


def counts(account_ids: Iterable[int]) -> dict[int, int]:
    """Return how many deliveries of each account were refused in this hour and the one before. One query of the cache.

    Without a cache that all processes share, each process counts its own.
    """
    ids, hour = list(account_ids), _hour()
    keys = {_key(one, each): one for one in ids for each in (hour, hour - 1)}
    try:
        found = _cache().get_many(keys)
    except Exception as error:  # noqa: BLE001 - each cache raises errors of its own
        logger.warning("Refused deliveries cannot be read: %s", type(error).__name__)
        found = {}
    total = dict.fromkeys(ids, 0)
    for key, number in found.items():
        total[keys[key]] += int(number)
    return total


def _cache() -> BaseCache:
    return caches[conf.get("CACHE")]


def _hour() -> int:
    return int(time.time()) // _HOUR


def _key(account_id: int, hour: int) -> str:
    return f"cal_bookings:refused_deliveries:{account_id}:{hour}"
