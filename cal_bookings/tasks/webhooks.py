"""The tasks of webhooks: a delivery wakes a worker, at most once a second and account, and the sweep finds the rest."""

import logging
import time
from datetime import datetime
from typing import Any

from celery import shared_task
from django.core.cache import caches
from django.dispatch import receiver
from django.utils import timezone

from cal_bookings import conf, signals
from cal_bookings.models import WebhookDelivery
from cal_bookings.tasks.options import OPTIONS, routing
from cal_bookings.tasks.waking import waker
from cal_bookings.webhooks import health, processing

logger = logging.getLogger(__name__)

#: The seconds that a task waits for its turn in the budget before it leaves the worker to others.
MAX_WAIT = 5.0

#: The seconds within which a delivery is due soon; the sweep takes a later delivery.
_SOON = 60.0  # seconds

#: The last second of each account with a known wake-up in this process: most deliveries of a storm need no cache.
_known: dict[int, int] = {}


@shared_task(name="cal_bookings.process_delivery", **OPTIONS)
def process_deliveries(account_id: int) -> None:
    """Read the bookings that due deliveries of an account name, and come back when the next deliveries are due."""
    began = timezone.now()
    processed = processing.process(account_id, max_wait=MAX_WAIT)
    if processed.stopped:
        return  # the sweep comes back to it
    due_at = processing.next_due(account_id)
    if due_at is None or due_at <= began:
        return  # what was due and still is belongs to another worker, or to an account that is not active
    if (due_at - timezone.now()).total_seconds() < _SOON:
        _wake_in_second_of(account_id, due_at)


@shared_task(name="cal_bookings.sweep", **OPTIONS)
def sweep() -> None:
    """Enqueue `process_deliveries` for each account with due deliveries, so that no delivery is forgotten."""
    health.check()
    for account_id in processing.due_accounts():
        process_deliveries.apply_async((account_id,), **routing())


@receiver(
    signals.delivery_received,
    sender=WebhookDelivery,
    dispatch_uid="cal_bookings.process_delivery",
)
def wake_a_worker(account_id: int, **_: Any) -> None:
    """Wake a worker for the account's deliveries, now or within a second, unless a worker is about to wake anyway.

    Do nothing if the site has no worker.
    """
    if conf.get("WORKER") != "celery":
        return
    now = time.time()
    second = int(now)
    if _known.get(account_id) == second + 1:
        return  # that wake-up is still to come, and will see this delivery
    if _claim(account_id, second):
        _wake(account_id)
    elif _claim(account_id, second + 1):
        _wake(account_id, countdown=second + 1 - now)


def _wake_in_second_of(account_id: int, moment: datetime) -> None:
    """Wake a worker at the end of the second of `moment`, unless a worker wakes then in any case."""
    second = int(moment.timestamp()) + 1
    if _claim(account_id, second):
        _wake(account_id, countdown=max(0.0, second - time.time()))


def _claim(account_id: int, second: int) -> bool:
    """Return whether this process is the first to want the account's wake-up of this second."""
    if conf.get("WORKER") != "celery":
        return False
    _known[account_id] = second
    try:
        cache = caches[conf.get("CACHE")]
        key = f"cal_bookings:wake:{account_id}:{second}"
        return bool(cache.add(key, 1, timeout=120))
    except Exception as error:  # noqa: BLE001 - each cache raises errors of its own
        logger.warning("Wake-ups are not counted: %s", type(error).__name__)
        return True


def _wake(account_id: int, **options: Any) -> None:
    waker.wake(process_deliveries, account_id, UNABLE_TO_WAKE, **options)


UNABLE_TO_WAKE = (
    "Could not wake a worker: %s. The delivery stays in the inbox: the periodic task cal_bookings.sweep processes it, and "
    'so does `manage.py cal_webhooks process`. A site without Celery sets CAL_BOOKINGS["WORKER"] to None.'
)
