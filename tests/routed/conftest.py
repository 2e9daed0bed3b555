"""Tests of two databases: `pytest --ds=tests.routed.settings tests/routed`. Other settings have one."""

from django.conf import settings

collect_ignore_glob = [] if "bookings" in settings.DATABASES else ["test_*.py"]
