"""The admin, which shows bookings and problems, and puts the actions of staff into the outbox.

The admin never changes rows of the mirror: bookings change on Cal.com. The number of queries of a list does not grow
with its length.
"""

from cal_bookings.admin.accounts.account_admin import AccountAdmin
from cal_bookings.admin.bookings.attendees_and_changes import (
    AttendeeAdmin,
    BookingChangeAdmin,
)
from cal_bookings.admin.bookings.booking_admin import BookingAdmin
from cal_bookings.admin.catalog import EventTypeAdmin, HostAdmin
from cal_bookings.admin.deliveries import WebhookDeliveryAdmin
from cal_bookings.admin.outbox import BookingActionAdmin
from cal_bookings.admin.slot_reservations import SlotReservationAdmin
from cal_bookings.admin.sync_health.run_admin import (
    SyncRunAdmin,
    SyncStateAdmin,
)

__all__ = [
    "AccountAdmin",
    "AttendeeAdmin",
    "BookingActionAdmin",
    "BookingAdmin",
    "BookingChangeAdmin",
    "EventTypeAdmin",
    "HostAdmin",
    "SlotReservationAdmin",
    "SyncRunAdmin",
    "SyncStateAdmin",
    "WebhookDeliveryAdmin",
]
