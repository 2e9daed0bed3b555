"""The settings of the site that `benchmarks.webhooks` delivers to."""

from example_project.settings import *  # noqa: F403 - settings build upon settings
from example_project.settings import CAL_BOOKINGS, DATABASES

ROOT_URLCONF = "benchmarks.webhooks_urls"
DATABASES["default"]["CONN_MAX_AGE"] = None
CAL_BOOKINGS["ACCOUNTS"] = {
    "bench": {"API_KEY": "cal_benchmark", "WEBHOOK_SECRET": "whsec_benchmark"}
}
