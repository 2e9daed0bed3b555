"""What goes wrong on purpose with deliveries, and when."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

KINDS = {
    "lost": "the delivery is not sent",
    "doubled": "the delivery is sent twice, byte by byte the same",
    "held": "the delivery is sent after the next one of its subscription",
    "delayed": "the delivery is sent `seconds` later",
}


@dataclass
class DeliveryFault:
    kind: str
    times: int
    skip: int
    trigger: str
    seconds: float


class DeliveryFaults:
    """Scripted faults; the first that meets a delivery and is not used up strikes."""

    def __init__(self) -> None:
        self._planned: list[DeliveryFault] = []
        self._lock = Lock()

    def plan(
        self,
        kind: str,
        *,
        times: int = 1,
        skip: int = 0,
        trigger: str = "",
        seconds: float = 1.0,
    ) -> None:
        """Plan a fault for deliveries of this trigger; "" matches all. Raises ValueError for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(
                f"There is no delivery fault {kind!r}: choose one of {', '.join(KINDS)}"
            )
        with self._lock:
            self._planned.append(DeliveryFault(kind, times, skip, trigger, seconds))

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def strike(self, trigger: str) -> DeliveryFault | None:
        """Return the fault that meets a delivery of this trigger, and count it."""
        with self._lock:
            for fault in self._planned:
                if fault.trigger not in ("", trigger):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if not fault.times:
                    self._planned.remove(fault)
                return fault
        return None
