"""Reserved slots: what is to be released is released, and what has run out is recorded."""

from celery import shared_task

from cal_bookings import slots
from cal_bookings.tasks.options import OPTIONS


@shared_task(name="cal_bookings.release_reservations", **OPTIONS)
def release_reservations() -> None:
    """Sweep the reservations. Those that cannot be released now are left for a later sweep, or run out."""
    slots.sweep()
