"""Fifty customers want one slot: real processes, eight at a time, and one that dies while it holds it."""

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from cal_bookings.testing import FakeCal
from tests.slots.conftest import TEN

ROOT = Path(__file__).parents[2]
CUSTOMERS, AT_ONCE = 50, 8
LOOK = """
import django, json; django.setup()
from datetime import timedelta
from django.db.models import F
from cal_bookings import slots
from cal_bookings.models import SlotReservation
SlotReservation.objects.update(until=F("until") - timedelta(minutes=%d))
slots.sweep()
print(json.dumps(list(SlotReservation.objects.values_list("state", flat=True))))
"""
#: The account of the settings has its row before anybody comes.
PREPARE = """
import django; django.setup()
from django.conf import settings
from cal_bookings.models import Account
settings.CAL_BOOKINGS = %r
Account.objects.configured()
"""


class Site:
    """The processes of a site that share a database, and the Cal.com that they ask."""

    def __init__(self, cal, folder):
        self.cal = cal
        account = {"API_KEY": cal.api_key, "BASE_URL": cal.url}
        self.settings = {"ACCOUNTS": {"default": account}}
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "DJANGO_SECRET_KEY": "of all processes",
            "DATABASE_URL": os.environ.get("TEST_DATABASE_URL")
            or f"sqlite:///{folder}/db.sqlite3",
        }
        self.event_type = cal.event_type(cal.users[1], "consultation").id
        self.run("manage.py", "migrate", "-v0")
        self.run("manage.py", "flush", "--no-input")
        self.run("-c", PREPARE % self.settings)

    def run(self, *arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode in (0, -9), done.stderr
        return done.stdout

    def customer(self, ending="book"):
        settings = json.dumps(self.settings)
        of_slot = (str(self.event_type), TEN.isoformat(), ending)
        return self.run("-m", "tests.slots.customer", settings, *of_slot)

    def states_after(self, minutes):
        self.cal.clock.advance(timedelta(minutes=minutes))
        return json.loads(self.run("-c", LOOK % minutes))


@pytest.fixture
def site(tmp_path):
    with FakeCal() as cal:
        yield Site(cal, tmp_path)


@pytest.mark.slow
def test_one_of_fifty_books_and_the_others_are_refused(site):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        customers = [pool.submit(site.customer) for _ in range(CUSTOMERS)]
        outcomes = [json.loads(customer.result()) for customer in customers]

    assert Counter(each.get("status") or each["refused"] for each in outcomes) == {
        "done": 1,
        "taken": CUSTOMERS - 1,
    }
    messages = {each["message"] for each in outcomes if "message" in each}
    assert messages == {"This time is no longer free: choose another one."}
    assert [effect.kind for effect in site.cal.effects].count("create") == 1
    assert len(site.cal.bookings) == 1
    assert not len(site.cal.reservations)
    assert site.states_after(0) == ["released"]


@pytest.mark.slow
def test_a_customer_who_dies_while_they_hold_it_leaves_nothing_after_its_time(site):
    assert site.customer("die") == ""
    assert json.loads(site.customer())["refused"] == "taken"
    assert len(site.cal.reservations) == 1

    assert site.states_after(5) == ["expired"]

    assert not len(site.cal.reservations)
    assert json.loads(site.customer())["status"] == "done"
