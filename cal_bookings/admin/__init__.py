"""The admin: what is booked, what is wrong, and what staff want done about it, which goes through the outbox.

Rows of the mirror are never changed here: Cal.com is where bookings change. Lists cost the same queries at any length.
"""

from cal_bookings.admin.accounts import AccountAdmin, EventTypeAdmin, HostAdmin
from cal_bookings.admin.actions import BookingActionAdmin
from cal_bookings.admin.bookings import BookingAdmin
from cal_bookings.admin.history import AttendeeAdmin, BookingChangeAdmin
from cal_bookings.admin.sync import SyncRunAdmin, SyncStateAdmin

__all__ = [
    "AccountAdmin",
    "AttendeeAdmin",
    "BookingActionAdmin",
    "BookingAdmin",
    "BookingChangeAdmin",
    "EventTypeAdmin",
    "HostAdmin",
    "SyncRunAdmin",
    "SyncStateAdmin",
]
