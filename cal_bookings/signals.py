"""The signals of the mirror and the outbox, sent after commit and robustly: a failing receiver harms no other.

Signals of the mirror have ``sender=Booking``, those of the outbox ``sender=BookingAction``. Receivers get instances as
they were committed.
"""

from functools import partial
from typing import Any

from django.dispatch import Signal

from cal_bookings import db

#: A booking was seen for the first time. ``booking``, ``source``, ``trigger``, ``first_mirror``.
#: The signal is not sent for a booking that Cal.com created before the account's mirror began, unless the setting
#: ``ANNOUNCE_FIRST_MIRROR`` is on; `first_mirror` is True for such a booking and False for a new one.
booking_created = Signal()

#: Typed fields of a booking changed. ``booking``, ``changes`` ({field: [old, new]}), ``source``, ``trigger``.
booking_changed = Signal()

#: Two bookings turned out to be the old and the new half of a reschedule. ``old``, ``new``, ``source``,
#: ``trigger``, ``first_mirror``. The creation time of `new` decides whether the signal is sent, as for a new booking.
booking_rescheduled = Signal()

#: A booking that a complete walk should have shown is gone from Cal.com. ``booking``, ``source``, ``trigger``.
booking_missing = Signal()

#: A webhook delivery was stored, or the same body arrived again. ``account_id``. Sent inside the request of Cal.com.
delivery_received = Signal()

#: An action was put into the outbox. ``action``.
action_enqueued = Signal()

#: The effect of an action is on Cal.com and in the mirror. ``action``.
action_done = Signal()

#: An action ended without effect; ``action.error_code`` and ``action.error_message`` say why. ``action``.
action_failed = Signal()


def send_after_commit(signal: Signal, sender: type, **arguments: Any) -> None:
    """Send `signal` robustly once the current transaction has committed, or now if there is none."""
    db.after_commit(partial(signal.send_robust, sender, **arguments))
