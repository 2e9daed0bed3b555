"""The example project's settings, hurried: what takes minutes on a site takes seconds in a test."""

import os

from example_project.settings import *  # noqa: F403
from example_project.settings import CAL_BOOKINGS

CAL_BOOKINGS |= {
    "LEASE_SECONDS": 10,
    "PAGES_PER_TASK": 5,
    "OVERLAP_SECONDS": 5,
    "ACTION_SETTLE_SECONDS": 6,
    "INTERVALS": {"changes": 5, "window": 600, "full": 600},
    "SITE_URL": os.environ.get("TEST_SITE_URL", ""),
}
CELERY_TASK_DEFAULT_QUEUE = os.environ["TEST_QUEUE"]
# Redis hands out again what was not acknowledged for so long.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60}
