"""The task that deletes old records."""

from celery import shared_task

from cal_bookings import retention
from cal_bookings.tasks.options import OPTIONS


@shared_task(name="cal_bookings.prune", **OPTIONS)
def prune() -> None:
    """Delete records older than CAL_BOOKINGS["KEEP_DAYS"]; the time limit leaves the rest to the next night."""
    retention.prune()
