"""The settings of the example project. The environment sets the values that differ between machines (docs/settings.md).

The defaults need no server and are safe on a public one: no debug pages, local host names only, HTTPS-only cookies.
"""

from pathlib import Path
from typing import Any

import environ
from django.core.management.utils import get_random_secret_key

from cal_bookings.tasks import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DJANGO_DEBUG", default=False)
# A random key is as safe as any, but signs everybody out at each restart and cannot be shared by two processes.
SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="") or get_random_secret_key()
ALLOWED_HOSTS = env.list(
    "DJANGO_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "cal_bookings",
    "example_project",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "build" / "static"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

DATABASE_OPTIONS: dict[str, dict[str, Any]] = {
    # A web server and a worker share the file. WAL lets one read while the other writes. IMMEDIATE takes the write lock
    # at BEGIN, where SQLite waits for it (20 s); a transaction that starts by reading and then writes fails at once.
    "django.db.backends.sqlite3": {
        "init_command": "PRAGMA journal_mode=WAL",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    },
    # Strict: text that does not fit is an error, not cut. utf8mb4: the names of attendees hold emoji.
    "django.db.backends.mysql": {"charset": "utf8mb4", "sql_mode": "TRADITIONAL"},
}
database: dict[str, Any] = (
    env.db("DATABASE_URL")
    if env.str("DATABASE_URL", default="")
    else {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}
)
database["OPTIONS"] = {
    **DATABASE_OPTIONS.get(database["ENGINE"], {}),
    **database.get("OPTIONS", {}),
}
DATABASES = {"default": database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://")}

NO_BROKER = "memory://"  # no other process can reach it
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=NO_BROKER)
CELERY_TASK_IGNORE_RESULT = True
CELERY_BEAT_SCHEDULE = {**BEAT_SCHEDULE}

CAL_BOOKINGS: dict[str, Any] = {
    "ACCOUNTS": {},
    "ENCRYPTION_KEYS": env.list("CAL_BOOKINGS_ENCRYPTION_KEYS", default=[]),
    "ALLOWED_SERVERS": env.list("CAL_BOOKINGS_ALLOWED_SERVERS", default=None),
    # Without workers, `manage.py cal_push` sends the requested actions.
    "WORKER": None if CELERY_BROKER_URL == NO_BROKER else "celery",
}
if api_key := env.str("CAL_BOOKINGS_API_KEY", default=""):
    CAL_BOOKINGS["ACCOUNTS"]["default"] = {
        "API_KEY": api_key,
        "BASE_URL": env.str("CAL_BOOKINGS_BASE_URL", default=""),
        "WEBHOOK_SECRET": env.str("CAL_BOOKINGS_WEBHOOK_SECRET", default=""),
    }
