"""Releases are durable: asked for in a transaction, told to Cal.com until it has heard, or the time is over."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from cal_bookings import retention, slots
from cal_bookings.models import SlotReservation
from cal_bookings.slots import releases
from cal_bookings.tasks.slots import release_reservations
from tests.slots.conftest import TEN, kinds, pass_time

State = SlotReservation.State
RESERVATIONS = "/slots/reservations"


def test_a_release_is_told_at_once(cal, reserve):
    held = slots.release(reserve())

    assert (held.state, held.attempts) == (State.RELEASED, 1)
    assert held.ended_at
    assert not len(cal.reservations)


def test_what_is_released_is_not_released_again(cal, reserve):
    held = slots.release(reserve())
    asked = len(cal.requests)

    slots.release(held)

    assert held.state == State.RELEASED
    assert len(cal.requests) == asked


@pytest.mark.parametrize("fault", ["reset", "502", "429", "403", "429-endpoint"])
def test_what_cal_com_did_not_hear_is_told_again_later(cal, reserve, fault):
    held = reserve()
    cal.fault(fault, path=RESERVATIONS, method="DELETE")

    slots.release(held)

    assert held.state == State.RELEASING
    assert held.last_error
    assert slots.sweep() == 0
    pass_time(cal, timedelta(minutes=2))
    assert slots.sweep() == 1
    held.refresh_from_db()
    assert (held.state, held.attempts, held.last_error) == (State.RELEASED, 2, "")
    assert not len(cal.reservations)


def test_what_was_never_heard_runs_out(cal, reserve):
    held = reserve()
    cal.fault("dropped", path=RESERVATIONS, method="DELETE", times=99)
    slots.release(held)

    pass_time(cal, timedelta(minutes=5))
    assert slots.sweep() == 0

    held.refresh_from_db()
    assert held.state == State.EXPIRED


def test_a_release_is_asked_for_in_a_transaction_and_undone_with_it(cal, reserve):
    held = reserve()
    rows = SlotReservation.objects.filter(pk=held.pk)
    with transaction.atomic():
        rows.ask_for_release()
        transaction.set_rollback(True)
    assert slots.sweep() == 0

    with transaction.atomic():
        assert rows.ask_for_release() == 1
    assert kinds(cal) == ["reserve"]

    release_reservations()
    assert kinds(cal) == ["reserve", "release"]


def test_cal_push_sweeps_them_too(cal, account, reserve):
    SlotReservation.objects.filter(pk=reserve().pk).ask_for_release()

    call_command("cal_push", "--account", account.alias)

    assert not len(cal.reservations)


def test_one_that_another_worker_is_at_is_left_alone(cal, reserve):
    rows = SlotReservation.objects.filter(pk=reserve().pk)
    rows.ask_for_release()
    mine = rows.get()
    rows.update(attempts=1, next_attempt_at=timezone.now() + timedelta(minutes=1))

    assert slots.sweep() == 0
    assert releases._take_turn(mine) is False
    assert kinds(cal) == ["reserve"]


def test_an_account_without_a_credential_keeps_nobody_from_sweeping(
    cal, reserve, settings
):
    held = reserve()
    accounts = settings.CAL_BOOKINGS["ACCOUNTS"]
    SlotReservation.objects.filter(pk=held.pk).ask_for_release()
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"default": {"API_KEY": ""}}}

    assert slots.sweep() == 0

    held.refresh_from_db()
    assert "exactly one credential" in held.last_error
    settings.CAL_BOOKINGS = {"ACCOUNTS": accounts}


def test_what_has_ended_long_ago_is_pruned(cal, reserve):
    held = slots.release(reserve())
    other = reserve(start=TEN + timedelta(hours=1))
    SlotReservation.objects.filter(pk=held.pk).update(
        ended_at=timezone.now() - timedelta(days=400)
    )

    assert retention.prune()["reservations"] == 1

    assert SlotReservation.objects.get() == other
