"""What the app needs of the site's settings for its database is named by ``manage.py check``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cal_bookings.database_checks import check_time_zones

ROOT = Path(__file__).parents[1]


def check(database_url):
    """What ``manage.py check`` says of this database."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr + done.stdout


@pytest.mark.parametrize(
    ("options", "warns"),
    [("", False), ("?transaction_mode=DEFERRED", True)],
    ids=["as the example project", "as Django's default"],
)
def test_an_sqlite_file_is_asked_for_the_options_that_two_processes_need(
    tmp_path, options, warns
):
    said = check(f"sqlite:///{tmp_path}/db.sqlite3{options}")

    assert ("cal_bookings.W004" in said) is warns
    assert ('"transaction_mode": "IMMEDIATE"' in said) is warns


def test_a_site_without_time_zones_is_refused_with_the_cure(settings):
    assert check_time_zones(None) == []
    settings.USE_TZ = False

    (error,) = check_time_zones(None)

    assert (error.id, error.is_serious()) == ("cal_bookings.E009", True)
    assert "USE_TZ = True" in str(error.hint)
