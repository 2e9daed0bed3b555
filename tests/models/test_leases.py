"""A leased row belongs to one worker at a time, and a worker that lost its lease writes nothing."""

import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings.models import Account, Mode, SyncState, leases

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def state():
    account = Account.objects.create(alias="default")
    return SyncState.objects.create(account=account, mode=Mode.FULL)


def read(state):
    return SyncState.objects.get(pk=state.pk)


def test_of_two_workers_that_read_the_same_row_one_takes_the_lease(state):
    first, second = read(state), read(state)

    assert (first.take_lease(), second.take_lease()) == (True, False)
    assert read(state).lease_token == first.lease_token == 1
    assert second.lease_token == 0


def test_a_row_that_its_holder_gave_back_since_it_was_read_is_not_taken(state):
    holder = read(state)
    holder.take_lease()
    late = read(state)
    holder.write_leased(lease_until=None)

    assert not late.take_lease()
    assert read(state).take_lease()


def test_a_worker_that_slept_through_the_end_of_its_lease_writes_nothing(state):
    sleeper = read(state)
    sleeper.take_lease()
    SyncState.objects.update(lease_until=timezone.now() - MINUTE)
    other = SyncState.objects.filter(leases.is_free()).get()
    other.take_lease(lease_owner="other:1")

    assert not sleeper.write_leased(last_error="late")
    assert (read(state).last_error, read(state).lease_owner) == ("", "other:1")


def test_a_lease_lasts_as_long_as_the_setting_says(state, settings):
    settings.CAL_BOOKINGS = {"LEASE_SECONDS": 90}
    state.take_lease()

    left = read(state).lease_until - timezone.now()

    assert timedelta(seconds=85) < left <= timedelta(seconds=90)
    assert not SyncState.objects.filter(leases.is_free()).exists()


def test_only_a_process_of_this_host_that_has_ended_is_known_to_be_gone():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    host = socket.gethostname()

    assert leases.is_gone(f"{host}:{process.pid}")
    assert not leases.is_gone(f"{host}:{os.getpid()}")
    assert not leases.is_gone(f"elsewhere:{process.pid}")
    assert not leases.is_gone("")
