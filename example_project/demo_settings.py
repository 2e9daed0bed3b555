"""The settings of ``manage.py demo``: all on this machine, whatever the environment names; its login is no secret."""

import os

from example_project.settings import *  # noqa: F403 - the same site
from example_project.settings import BASE_DIR, DATABASE_OPTIONS, env

DEBUG = env.bool("DJANGO_DEBUG", default=True)
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / f"demo-{os.getpid()}.sqlite3",  # a database for each demo
        "OPTIONS": DATABASE_OPTIONS["django.db.backends.sqlite3"],
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# The demo has no broker and sends actions itself. The account is the fake, once the fake has an address.
CAL_BOOKINGS = {"ACCOUNTS": {}, "WORKER": None}

# The terminal is for the demo's own lines: pages that the admin serves, or does not have, get no line.
LOGGING = {
    "version": 1,
    "incremental": True,
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "ERROR"},
    },
}
