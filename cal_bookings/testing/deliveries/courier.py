"""The real HTTP requests to receivers, with a journal, scripted faults, and the retries of hosted Cal.com."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Condition, Event
from typing import Any

from cal_bookings.testing.deliveries import sender
from cal_bookings.testing.deliveries.delivery_faults import DeliveryFaults
from cal_bookings.testing.deliveries.sender import Attempt, Delivery
from cal_bookings.testing.world.clock import Clock

#: The statuses after which hosted Cal.com tries again; 0 stands for no answer.
RETRYABLE = frozenset({0, 408, 429, 500, 502, 503, 504})
_CONCURRENCY = 25
_RETRIES = 3
_FACTOR, _LONGEST_PAUSE = 1.5, 600.0


class Courier:
    """The sender of sealed deliveries to their receivers, in the caller's thread or in threads of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.journal: list[Attempt] = []
        self.faults = DeliveryFaults()
        #: The errors in the fake's own threads.
        self.crashes: list[Exception] = []
        #: The middle of the names of the two headers; re-branded servers have another.
        self.brand = "Cal"
        #: The seconds before the second retry; the pause grows by half each time, up to ten minutes.
        self.retry_pause = 10.0
        #: The seconds after which the fake gives up a receiver. Cal.com has no such limit.
        self.timeout = 60.0
        self._held: list[Delivery] = []
        self._random = Random(0)  # noqa: S311 - no secret hangs on it
        self._pool: ThreadPoolExecutor | None = None
        self._stopping = Event()
        self._underway = 0
        self._idle = Condition()

    def fault(self, kind: str, **options: Any) -> None:
        """Plan a fault of deliveries: see `DeliveryFaults.plan` and `delivery_faults.KINDS`."""
        self.faults.plan(kind, **options)

    def release(self) -> None:
        """Send the deliveries that the fault "held" still keeps back."""
        held, self._held = self._held, []
        for delivery in held:
            self.attempt(delivery)

    def flush(self, timeout: float = 10.0) -> None:
        """Wait until no delivery is under way. Raises TimeoutError after `timeout` seconds."""
        with self._idle:
            if not self._idle.wait_for(lambda: not self._underway, timeout):
                raise TimeoutError(f"{self._underway} deliveries are still under way")

    def accepted(self, trigger: str = "") -> list[Attempt]:
        """Return the attempts that a receiver accepted, of one trigger or of all."""
        return [
            one
            for one in list(self.journal)
            if one.is_accepted and trigger in ("", one.trigger)
        ]

    def open(self) -> None:
        """Allow deliveries again after `stop`."""
        self._stopping.clear()

    def stop(self) -> None:
        """Drop the queued deliveries and end the threads. No delivery is sent afterwards."""
        self._stopping.set()
        with self._idle:
            pool, self._pool, self._underway = self._pool, None, 0
        if pool:
            pool.shutdown(wait=False, cancel_futures=True)

    def send(self, delivery: Delivery) -> int:
        """Send a delivery unless a fault strikes it; return the status, 200 for one that is sent later or lost."""
        fault = self.faults.strike(delivery.trigger)
        kind = fault.kind if fault else ""
        if kind == "lost":
            self._note(delivery, 1, 0, "lost on purpose")
            return 200
        if kind == "held":
            self._held.append(delivery)
            return 200
        if kind == "delayed" and fault:
            self.start(self._send_later, delivery, fault.seconds)
            return 200
        status = self.attempt(delivery)
        if kind == "doubled":
            self.attempt(delivery)
        self._release_after(delivery)
        return status

    def retry(self, delivery: Delivery) -> int:
        """Try up to three times more, first at once, until the receiver's answer is final; return the status."""
        status = 0
        for number in range(_RETRIES):
            if number:
                pause = self.retry_pause * _FACTOR ** (number - 1)
                jitter = 1 + self._random.random()
                self._stopping.wait(min(pause * jitter, _LONGEST_PAUSE))
            if self._stopping.is_set():
                return status
            status = self.attempt(delivery, number + 2)
            if status not in RETRYABLE:
                return status
        return status

    def attempt(self, delivery: Delivery, number: int = 1) -> int:
        """Send a delivery, whatever faults are planned, and return the status; 0 without an answer."""
        envelope, url = delivery.envelope, delivery.subscription.subscriber_url
        headers = envelope.headers(self.brand)
        status, error = sender.post(url, envelope.body, headers, self.timeout)
        self._note(delivery, number, status, error)
        return status

    def start(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do some work in a thread of the courier's, for which `flush` waits."""
        with self._idle:
            if self._stopping.is_set():
                return
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_CONCURRENCY, "webhooks")
            self._underway += 1
            self._pool.submit(self._run, work, arguments)

    def _send_later(self, delivery: Delivery, seconds: float) -> None:
        if not self._stopping.wait(seconds):
            self.attempt(delivery)

    def _release_after(self, delivery: Delivery) -> None:
        subscription = delivery.subscription
        with self._idle:
            mine = [one for one in self._held if one.subscription is subscription]
            self._held = [one for one in self._held if one not in mine]
        for one in mine:
            self.attempt(one)

    def _note(self, delivery: Delivery, number: int, status: int, error: str) -> None:
        attempt = Attempt(delivery, number, self._clock.now(), status, error)
        self.journal.append(attempt)

    def _run(self, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 - the fake raises it at its end
            self.crashes.append(error)
        finally:
            with self._idle:
                self._underway = max(0, self._underway - 1)
                self._idle.notify_all()
