"""The periodic tasks, to be merged into the site's ``CELERY_BEAT_SCHEDULE``."""

from typing import Any

from celery.schedules import crontab

#: How often due loops are looked for, in seconds. The loops' own intervals are in CAL_BOOKINGS["INTERVALS"].
LOOK_EVERY = 15.0

#: How often due actions and deliveries are looked for, in seconds. New ones do not wait for it.
SWEEP_EVERY = 10.0

#: How often reserved slots are looked for that are to be released or have run out, in seconds.
RELEASE_EVERY = 30.0

#: A message that nobody took up before the next one is not worth keeping.
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
    # By the clock: an interval would begin anew each time that beat is started.
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
