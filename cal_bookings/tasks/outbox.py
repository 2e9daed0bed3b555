"""Push: what is put into the outbox is delivered at once, and what was missed, put off or lost is found by the sweep."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app, shared_task
from django.dispatch import receiver
from kombu import Producer, pools
from kombu.exceptions import OperationalError

from cal_bookings import conf, outbox, signals
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

#: How long the wake-up waits for the broker to connect, and for each reply. A broker that freezes on an open connection is
#: waited for three times. By default Celery waits for a reply for ever.
PATIENCE = 0.6  # seconds

#: How each transport is given that patience. Other transports get it for the connection alone.
_TIMEOUTS = {
    "redis": {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE},
    "amqp": {"read_timeout": PATIENCE, "write_timeout": PATIENCE},
}


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


@contextmanager
def _producer() -> Iterator[Producer]:
    """Lend a producer whose connection waits no longer than PATIENCE for the broker.

    Its connections are pooled beside those of the site's Celery app, whose own options stay as they are: a worker
    waits long for messages on purpose.
    """
    connection = current_app.connection_for_write()
    timeouts = _TIMEOUTS.get(connection.get_transport_cls().driver_type, {})
    impatient = current_app.connection_for_write(
        connect_timeout=PATIENCE, transport_options=timeouts
    )
    with pools.producers[impatient].acquire(block=True, timeout=PATIENCE) as producer:
        yield producer


UNABLE_TO_WAKE = (
    "Could not wake a worker: %s. The action stays in the outbox: the periodic task cal_bookings.deliver_due_actions "
    'delivers it, and so does `manage.py cal_push`. A site without Celery sets CAL_BOOKINGS["WORKER"] to None.'
)


class _Waker:
    """Wakes a worker for an action that was just enqueued. A broker that is down costs the caller next to nothing."""

    def __init__(self) -> None:
        self.quiet_until = 0.0

    def wake(self, action_id: int) -> None:
        if time.monotonic() < self.quiet_until:
            return
        try:
            with _producer() as producer:
                deliver_action.apply_async(
                    (action_id,), producer=producer, retry_policy=_RETRY, **routing()
                )
        except (OperationalError, OSError) as error:
            self.quiet_until = time.monotonic() + QUIET
            logger.warning(UNABLE_TO_WAKE, error)


_waker = _Waker()


@receiver(
    signals.action_enqueued,
    sender=BookingAction,
    dispatch_uid="cal_bookings.deliver_action",
)
def wake_a_worker(action: BookingAction, **_: Any) -> None:
    """Wake a worker for `action`, unless the site has none. Runs after commit; an exception is logged by the sender."""
    if conf.get("WORKER") == "celery":
        _waker.wake(action.pk)
