from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache


class SharedCache(BaseCache):
    """Stands for a cache that all processes share: in a test there is one process."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._inner = LocMemCache(f"shared {name}", params)
        for method in ("add", "get", "set", "delete", "incr", "clear"):
            setattr(self, method, getattr(self._inner, method))


class CacheOutOfOrder(SharedCache):
    """A cache whose server may go away."""

    is_down = False

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(name, params)
        for method in ("add", "get", "set", "delete", "incr"):
            setattr(self, method, self._or_fail(getattr(self, method)))

    def _or_fail(self, method):
        def call(*args, **kwargs):
            if CacheOutOfOrder.is_down:
                raise ConnectionError
            return method(*args, **kwargs)

        return call
