"""The task of reserved slots: it releases slots on request, and records slots that have run out."""

from celery import shared_task

from cal_bookings import slots
from cal_bookings.tasks.options import OPTIONS


@shared_task(name="cal_bookings.release_reservations", **OPTIONS)
def release_reservations() -> None:
    """Sweep the reservations. Slots that cannot be released now are left for a later sweep, or run out."""
    slots.sweep()
