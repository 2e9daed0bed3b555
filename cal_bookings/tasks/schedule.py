"""The periodic tasks, to be merged into the site's ``CELERY_BEAT_SCHEDULE``."""

from typing import Any

from celery.schedules import crontab

#: The interval in seconds of the search for due loops. The loops' own intervals are in CAL_BOOKINGS["INTERVALS"].
LOOK_EVERY = 15.0

#: The interval in seconds of the search for due actions and deliveries. New actions and deliveries do not wait for it.
SWEEP_EVERY = 10.0

#: The interval in seconds of the search for reserved slots that are to be released or have run out.
RELEASE_EVERY = 30.0

#: The options of periodic messages: a message that no worker took up before the next message is not worth keeping.
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "cal_bookings.sync_accounts": {
        "task": "cal_bookings.sync_accounts",
        "schedule": LOOK_EVERY,
        "options": {"expires": LOOK_EVERY},
    },
    "cal_bookings.release_reservations": {
        "task": "cal_bookings.release_reservations",
        "schedule": RELEASE_EVERY,
        "options": {"expires": RELEASE_EVERY},
    },
    # The time is by the clock: an interval would begin again each time that beat is started.
    "cal_bookings.prune": {
        "task": "cal_bookings.prune",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": 3600},
    },
    "cal_bookings.sweep": {
        "task": "cal_bookings.sweep",
        "schedule": SWEEP_EVERY,
        "options": {"expires": SWEEP_EVERY},
    },
    "cal_bookings.deliver_due_actions": {
        "task": "cal_bookings.deliver_due_actions",
        "schedule": SWEEP_EVERY,
        "options": {"expires": SWEEP_EVERY},
    },
}
