"""A site that was dumped, emptied and loaded again goes on as if nothing had been."""

import io
import json

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from cal_bookings.client import ApiKey
from cal_bookings.models import Account, Attendee, Booking

pytestmark = pytest.mark.django_db(transaction=True)


def sync():
    out = io.StringIO()
    call_command("cal_sync", json=True, stdout=out)
    return {run["account"]: run for run in map(json.loads, out.getvalue().splitlines())}


def rows():
    # Not the times: JSON dumps them without microseconds.
    bookings = Booking.objects.order_by("pk").values(
        "pk", "account_id", "uid", "payload"
    )
    attendees = Attendee.objects.order_by("pk").values("pk", "booking_id", "email")
    return [*bookings, *attendees]


@pytest.mark.cal(bookings=12)
def test_accounts_work_as_before_after_dumpdata_flush_and_loaddata(
    cal, settings, tmp_path
):
    settings.CAL_BOOKINGS |= {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }
    users = {alias: cal.add_user() for alias in ("ada", "eve")}
    for alias, user in users.items():
        cal.seed(12, user=user)
        Account.objects.create(
            alias=alias, base_url=cal.url, credentials={"API_KEY": user.api_key}
        )
    seen = {alias: run["seen"] for alias, run in sync().items()}
    before = rows()
    dump = str(tmp_path / "dump.json")

    call_command("dumpdata", "cal_bookings", output=dump)
    call_command("flush", interactive=False, verbosity=0)
    assert not Account.objects.exists()
    call_command("loaddata", dump, verbosity=0)

    assert rows() == before
    for alias, user in users.items():
        assert Account.objects.get(alias=alias).credential == ApiKey(user.api_key)
    counts = ("complete", "seen", "created", "updated", "unchanged")
    assert {alias: [run[name] for name in counts] for alias, run in sync().items()} == {
        alias: [True, seen[alias], 0, 0, seen[alias]]
        for alias in ("ada", "default", "eve")
    }
