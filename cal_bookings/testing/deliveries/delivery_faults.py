"""The scripted faults of deliveries, and the deliveries that they meet."""

from __future__ import annotations

from dataclasses import dataclass

from cal_bookings.testing.script import Script, Step

KINDS = {
    "lost": "the delivery is not sent",
    "doubled": "the delivery is sent twice, byte by byte the same",
    "held": "the delivery is sent after the next one of its subscription",
    "delayed": "the delivery is sent `seconds` later",
}


@dataclass
class DeliveryFault(Step):
    trigger: str
    seconds: float


class DeliveryFaults(Script[DeliveryFault]):
    """The script of faults; the first fault that meets a delivery and is not used up strikes."""

    def plan(
        self,
        kind: str,
        *,
        times: int = 1,
        skip: int = 0,
        trigger: str = "",
        seconds: float = 1.0,
    ) -> None:
        """Plan a fault for deliveries of this trigger, "" for any trigger. Raises ValueError for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(
                f"There is no delivery fault {kind!r}: choose one of {', '.join(KINDS)}"
            )
        self.add(DeliveryFault(kind, times, skip, trigger, seconds))

    def strike(self, trigger: str) -> DeliveryFault | None:
        """Return the fault that meets a delivery of this trigger, and count it."""
        return self.take(lambda fault: fault.trigger in ("", trigger))
