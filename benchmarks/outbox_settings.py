"""The example project with a queue of its own, so that no other worker on the broker takes part."""

import os

from cryptography.fernet import Fernet

from example_project.settings import *  # noqa: F403
from example_project.settings import CAL_BOOKINGS, DATABASES

os.environ.setdefault("BENCHMARK_KEY", Fernet.generate_key().decode())
CAL_BOOKINGS |= {
    "ENCRYPTION_KEYS": [os.environ["BENCHMARK_KEY"]],
    "ALLOWED_SERVERS": ["127.0.0.1"],
}
CELERY_TASK_DEFAULT_QUEUE = os.environ["BENCHMARK_QUEUE"]
# As docs/scaling.md advises: else Celery opens a connection for each task.
DATABASES["default"]["CONN_MAX_AGE"] = 60
