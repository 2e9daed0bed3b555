"""The example project takes what differs between machines from the environment, and is safe without any of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
SHOW = (
    "import json; from django.conf import settings as s; "
    "print(json.dumps({k: getattr(s, k) for k in %r}, default=str))"
)


def settings_under(environment, *names):
    """The settings as a fresh process sees them: they are read once, when Django starts."""
    program = SHOW % (names,)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_without_an_environment_it_is_safe_and_needs_no_server():
    names = ["DEBUG", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "ALLOWED_HOSTS"]
    names += ["CELERY_BROKER_URL", "CAL_BOOKINGS", "DATABASES", "CACHES", "USE_TZ"]

    found = settings_under({}, *names)

    databases, caches = found.pop("DATABASES"), found.pop("CACHES")
    assert databases["default"]["NAME"] == str(ROOT / "db.sqlite3")
    assert caches["default"]["BACKEND"].endswith("LocMemCache")
    assert found == {
        "DEBUG": False,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
        "CELERY_BROKER_URL": "memory://",
        "CAL_BOOKINGS": {
            "ACCOUNTS": {},
            "ENCRYPTION_KEYS": [],
            "ALLOWED_SERVERS": None,
            "WORKER": None,
        },
        "USE_TZ": True,
    }


def test_the_environment_names_the_account():
    environment = {
        "CAL_BOOKINGS_API_KEY": "cal_sesame",
        "CAL_BOOKINGS_BASE_URL": "https://api.cal.eu/v2",
        "CAL_BOOKINGS_WEBHOOK_SECRET": "hush",
        "CAL_BOOKINGS_ENCRYPTION_KEYS": "one,two",
        "CAL_BOOKINGS_ALLOWED_SERVERS": "cal.example,10.1.2.3",
    }

    found = settings_under(environment, "CAL_BOOKINGS")

    assert found["CAL_BOOKINGS"] == {
        "ACCOUNTS": {
            "default": {
                "API_KEY": "cal_sesame",
                "BASE_URL": "https://api.cal.eu/v2",
                "WEBHOOK_SECRET": "hush",
            }
        },
        "ENCRYPTION_KEYS": ["one", "two"],
        "ALLOWED_SERVERS": ["cal.example", "10.1.2.3"],
        "WORKER": None,
    }


def test_a_broker_in_the_environment_means_workers():
    found = settings_under({"CELERY_BROKER_URL": "amqp://127.0.0.1//"}, "CAL_BOOKINGS")

    assert found["CAL_BOOKINGS"]["WORKER"] == "celery"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postgres://postgres@127.0.0.1:5432/site", {}),
        (
            "mysql://root@127.0.0.1:3306/site",
            {"charset": "utf8mb4", "sql_mode": "TRADITIONAL"},
        ),
    ],
)
def test_database_url_names_another_database(url, options):
    database = settings_under({"DATABASE_URL": url}, "DATABASES")["DATABASES"][
        "default"
    ]

    assert (database["NAME"], database["OPTIONS"]) == ("site", options)


def test_secret_keys_are_random_unless_one_is_given():
    first, second = (settings_under({}, "SECRET_KEY") for _ in range(2))

    assert first != second
    assert settings_under({"DJANGO_SECRET_KEY": "mine"}, "SECRET_KEY") == {
        "SECRET_KEY": "mine"
    }


def test_the_front_page_leads_to_the_admin(client):
    response = client.get("/")

    assert (response.status_code, response.url) == (302, "/admin/")


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
