"""Free slots, and reservations that hold one while somebody makes up their mind or types their name.

A reservation keeps Cal.com from offering the slot to others. It does not keep them from booking it, and a booking neither
needs nor consumes it (docs/slots.md).
"""

from cal_bookings.client import Slot
from cal_bookings.slots.availability import free
from cal_bookings.slots.refusals import SlotRefused
from cal_bookings.slots.releases import release, release_held_by, sweep
from cal_bookings.slots.reservations import check, hold, renew, reserve

__all__ = [
    "Slot",
    "SlotRefused",
    "check",
    "free",
    "hold",
    "release",
    "release_held_by",
    "renew",
    "reserve",
    "sweep",
]
