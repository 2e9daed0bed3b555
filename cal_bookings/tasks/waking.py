"""The waking of a worker from a request: a broker that is down, or frozen, costs the caller next to nothing."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Task, current_app
from kombu import Producer, pools
from kombu.exceptions import OperationalError

from cal_bookings.tasks.options import routing

logger = logging.getLogger(__name__)

#: The seconds between two wake-ups while the broker is down. The periodic tasks find the work all the same.
QUIET = 30.0  # seconds

#: The retry policy: one retry for a connection that had gone stale; nobody waits for a broker that is down.
_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0}

#: The seconds that the wake-up waits for the broker to connect, and for each reply. A broker that freezes on an open
#: connection is waited for three times. By default Celery waits for a reply without end.
PATIENCE = 0.6  # seconds

#: The options that give each transport that patience. Other transports get it for the connection alone.
_TIMEOUTS = {
    "redis": {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE},
    "amqp": {"read_timeout": PATIENCE, "write_timeout": PATIENCE},
}


@contextmanager
def _producer() -> Iterator[Producer]:
    """Lend a producer whose connection waits no longer than PATIENCE for the broker.

    Its connections are pooled beside those of the site's Celery app, whose own options stay as they are: a worker waits
    long for messages on purpose.
    """
    connection = current_app.connection_for_write()
    timeouts = _TIMEOUTS.get(connection.get_transport_cls().driver_type, {})
    impatient = current_app.connection_for_write(
        connect_timeout=PATIENCE, transport_options=timeouts
    )
    with pools.producers[impatient].acquire(block=True, timeout=PATIENCE) as producer:
        yield producer


class Waker:
    """The publisher of tasks on behalf of callers who do not wait for them."""

    def __init__(self) -> None:
        self.quiet_until = 0.0

    def wake(self, task: Task, argument: int, unable: str, **options: Any) -> None:
        """Publish `task` with one argument. A broker that does not take it is logged as `unable`, with the error."""
        if time.monotonic() < self.quiet_until:
            return
        try:
            with _producer() as producer:
                task.apply_async(
                    (argument,),
                    producer=producer,
                    retry_policy=_RETRY,
                    **routing(),
                    **options,
                )
        except (OperationalError, OSError) as error:
            self.quiet_until = time.monotonic() + QUIET
            logger.warning(unable, error)


#: The waker of this process: a broker that is down is down for all tasks.
waker = Waker()
