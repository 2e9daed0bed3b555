"""The tables: accounts, the mirror, the outbox, and the state of the sync. No model makes a request."""

from cal_bookings.models.account import Account
from cal_bookings.models.action_codes import ErrorCode, RefusalCode
from cal_bookings.models.booking import (
    AppointmentLock,
    Attendee,
    Booking,
    BookingChange,
    EventType,
    Host,
    Status,
)
from cal_bookings.models.derivation import Derivation
from cal_bookings.models.outbox import ActionAttempt, BookingAction
from cal_bookings.models.rate_window import RateWindow
from cal_bookings.models.slots import SlotReservation
from cal_bookings.models.sync import Mode, SyncRun, SyncState, WalkPage
from cal_bookings.models.webhooks import WebhookDelivery, WebhookReceiver

__all__ = [
    "Account",
    "ActionAttempt",
    "AppointmentLock",
    "Attendee",
    "Booking",
    "BookingAction",
    "BookingChange",
    "Derivation",
    "ErrorCode",
    "EventType",
    "Host",
    "Mode",
    "RateWindow",
    "RefusalCode",
    "SlotReservation",
    "Status",
    "SyncRun",
    "SyncState",
    "WalkPage",
    "WebhookDelivery",
    "WebhookReceiver",
]
