"""What the contenders printed, by name; several rounds of one thing are spoken of by their median."""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from typing import Any


class Results:
    def __init__(self) -> None:
        self._found: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def add(self, told: dict[str, Any]) -> None:
        self._found[told["name"]].append(told)

    def of(self, name: str) -> list[dict[str, Any]]:
        return self._found.get(name, [])

    def values(self, name: str, key: str) -> list[float]:
        return [told[key] for told in self._found[name]]

    def rates(self, name: str) -> list[float]:
        """Bookings per second, of each round."""
        return [
            told["bookings"] / told["seconds"]
            for told in self._found[name]
            if "seconds" in told
        ]

    def cpu(self, name: str) -> float:
        """Of the contender's own process, microseconds a booking; what a busy machine distorts least."""
        spent = self._found[name]
        return statistics.median(
            told["cpu_seconds"] / told["bookings"] * 1e6 for told in spent
        )

    def rate(self, name: str) -> float:
        return statistics.median(self.rates(name))

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        return dict(self._found)
