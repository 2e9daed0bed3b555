"""The admin: what is booked, what is wrong, and what staff want done about it, which goes through the outbox.

Rows of the mirror are never changed here: Cal.com is where bookings change. Lists cost the same queries at any length.
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
