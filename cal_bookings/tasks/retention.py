"""Records that have grown old."""

from celery import shared_task

from cal_bookings import retention
from cal_bookings.tasks.options import OPTIONS


@shared_task(name="cal_bookings.prune", **OPTIONS)
def prune() -> None:
    """Deletes what is older than CAL_BOOKINGS["KEEP_DAYS"]; what it has no time for is left for the next night."""
    retention.prune()
