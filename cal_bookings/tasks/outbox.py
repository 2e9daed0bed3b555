"""Push: what is put into the outbox is delivered at once, and what was missed, put off or lost is found by the sweep."""

import logging
import time
from typing import Any

from celery import shared_task
from django.dispatch import receiver
from kombu.exceptions import OperationalError

from cal_bookings import outbox, signals
from cal_bookings.models import BookingAction
from cal_bookings.tasks.options import OPTIONS, routing
from cal_bookings.tasks.schedule import SWEEP_EVERY

logger = logging.getLogger(__name__)

#: What one sweep hands out at most; the next one is near.
SWEPT = 1000

#: While the broker is down, whoever enqueues tries to wake a worker this seldom only. The sweep delivers all the same.
QUIET = 30.0  # seconds

#: Once more for a connection that had gone stale; nobody waits for a broker that is down.
_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0}


@shared_task(name="cal_bookings.deliver_action", **OPTIONS)
def deliver_action(action_id: int) -> None:
    """Takes a turn at one action; if that ends it, the next one of its lane is due."""
    action = outbox.deliver(action_id)
    if action and not action.is_open:
        following = outbox.following(action)
        if following:
            deliver_action.apply_async((following,), **routing())


@shared_task(name="cal_bookings.deliver_due_actions", **OPTIONS)
def deliver_due_actions() -> None:
    """Enqueues `deliver_action` for whatever is due: the guarantee that nothing is forgotten."""
    for action_id in outbox.due(SWEPT):
        deliver_action.apply_async((action_id,), expires=SWEEP_EVERY, **routing())


class _Waker:
    """Wakes a worker for what was just enqueued. A broker that is down costs latency, and the caller next to nothing."""

    def __init__(self) -> None:
        self.quiet_until = 0.0

    def wake(self, action_id: int) -> None:
        if time.monotonic() < self.quiet_until:
            return
        try:
            deliver_action.apply_async((action_id,), retry_policy=_RETRY, **routing())
        except (OperationalError, OSError) as error:
            self.quiet_until = time.monotonic() + QUIET
            logger.warning(
                "No worker could be woken, the next sweep delivers: %s", error
            )


_waker = _Waker()


@receiver(
    signals.action_enqueued,
    sender=BookingAction,
    dispatch_uid="cal_bookings.deliver_action",
)
def wake_a_worker(action: BookingAction, **_: Any) -> None:
    """Runs after commit, robustly: what it raises is logged and harms nobody."""
    _waker.wake(action.pk)
