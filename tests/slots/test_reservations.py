"""Holding a slot: the row, the reasons not to, the end of it, and what a lost answer leaves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings import budget, slots
from cal_bookings.client import (
    CalForbidden,
    CalNotFound,
    CalRateLimited,
    CalRefused,
    CalUnauthorized,
    CalUnavailable,
    CalUnexpected,
)
from cal_bookings.models import SlotReservation
from cal_bookings.testing import RateLimit
from tests.slots.conftest import TEN, kinds, pass_time

State = SlotReservation.State
RESERVATIONS = "/slots/reservations"


def test_a_slot_is_held(cal, reserve, django_user_model):
    somebody = django_user_model.objects.create_user("sam")

    held = reserve(reserved_by=somebody)

    held.refresh_from_db()
    [remote] = cal.reservations
    assert (held.state, held.uid, held.until) == (State.HELD, remote.uid, remote.until)
    assert (held.start, held.duration) == (TEN, 30)
    assert held.is_held
    assert held.reserved_by == somebody
    assert held.uid not in f"{held} {held!r}"


def test_a_length_and_a_time_are_chosen(cal, reserve):
    deep_dive = cal.event_type(cal.users[1], "deep-dive").id

    held = reserve(event_type=deep_dive, duration=90, minutes=30)

    assert held.duration == 90
    assert held.until > timezone.now() + timedelta(minutes=29)


def test_a_slot_that_is_reserved_or_booked_is_refused_and_leaves_no_row(cal, reserve):
    reserve()
    cal.book(event_type="consultation", start=TEN + timedelta(hours=1))

    for start in (TEN, TEN + timedelta(hours=1)):
        with pytest.raises(slots.SlotRefused, match="no longer free") as refused:
            reserve(start=start)
        assert refused.value.code == "taken"
    assert SlotReservation.objects.count() == 1


def test_a_time_without_a_zone_is_refused_before_anything_is_asked(cal, reserve):
    with pytest.raises(slots.SlotRefused, match="start has no time zone"):
        reserve(start=TEN.replace(tzinfo=None))

    assert not cal.requests


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", CalRateLimited),
        ("429-endpoint", CalRateLimited),
        ("401", CalUnauthorized),
        ("403", CalForbidden),
    ],
)
def test_what_is_refused_leaves_no_row(cal, reserve, fault, error):
    cal.fault(fault, path=RESERVATIONS)

    with pytest.raises(error):
        reserve()

    assert not SlotReservation.objects.exists()
    assert not len(cal.reservations)


def test_a_429_of_a_limit_of_its_own_does_not_block_the_credential(cal, reserve):
    cal.fault("429-endpoint", path=RESERVATIONS, retry_after=60)
    with pytest.raises(CalRateLimited):
        reserve()

    assert reserve().is_held


def test_another_length_or_an_unknown_event_type_is_refused_in_cal_com_s_words(reserve):
    with pytest.raises(CalRefused, match="possible lengths"):
        reserve(duration=45)
    with pytest.raises(CalNotFound):
        reserve(event_type=987)
    assert not SlotReservation.objects.exists()


def test_a_stranger_s_credential_may_not_say_for_how_long(cal, reserve):
    theirs = cal.event_type(cal.users[2], "consultation").id

    with pytest.raises(CalForbidden):
        reserve(event_type=theirs, minutes=30)
    assert reserve(event_type=theirs).is_held


def test_who_has_no_turn_holds_nothing(cal, reserve):
    cal.rate_limit = RateLimit(limit=1, window=60)
    reserve()

    with pytest.raises(budget.NotNow):
        reserve(start=TEN + timedelta(hours=1), max_wait=0.1)

    assert SlotReservation.objects.count() == 1


# Lost answers


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", CalUnavailable),
        ("500-applied", CalUnavailable),
        ("garbled", CalUnexpected),
        ("unapplied", CalUnexpected),
    ],
)
def test_a_lost_answer_is_told_and_ends_with_its_time(cal, reserve, fault, error):
    cal.fault(fault, path=RESERVATIONS)

    with pytest.raises(error) as lost:
        reserve()

    assert lost.value.may_have_applied
    row = SlotReservation.objects.get()
    assert (row.state, row.uid) == (State.RESERVING, "")
    assert row.last_error
    pass_time(cal, row.until - timezone.now())
    slots.sweep()
    row.refresh_from_db()
    assert row.state == State.EXPIRED
    assert not len(cal.reservations)
    assert not row.is_held


# What becomes of it


def test_it_runs_out(cal, reserve):
    held = reserve()

    pass_time(cal, timedelta(minutes=5))
    slots.sweep()

    held.refresh_from_db()
    assert (held.state, held.ended_at) == (State.EXPIRED, held.until)
    assert kinds(cal) == ["reserve"]


def test_a_check_learns_what_became_of_it(cal, reserve):
    held = reserve()
    assert slots.check(held).state == State.HELD

    cal.reservations.release(held.uid)
    assert slots.check(held).state == State.RELEASED
    asked = len(cal.requests)
    slots.check(held)
    assert len(cal.requests) == asked


def test_a_check_of_what_was_renewed_meanwhile_ends_nothing(cal, reserve):
    held = reserve()
    as_read = SlotReservation.objects.get(pk=held.pk)
    slots.renew(held)

    slots.check(as_read)

    held.refresh_from_db()
    assert held.is_held
    assert as_read.uid == held.uid


def test_a_check_after_its_time_finds_that_it_ran_out(cal, reserve):
    held = reserve()
    pass_time(cal, timedelta(minutes=6))
    held.refresh_from_db()

    assert slots.check(held).state == State.EXPIRED


def test_it_is_renewed_in_two_requests(cal, reserve):
    held = reserve()
    first = held.uid
    pass_time(cal, timedelta(minutes=4))
    held.refresh_from_db()

    slots.renew(held, minutes=10)

    held.refresh_from_db()
    [remote] = cal.reservations
    assert held.uid == remote.uid != first
    assert held.until == remote.until > timezone.now() + timedelta(minutes=9)
    assert kinds(cal) == ["reserve", "release", "reserve"]


def test_a_slot_that_is_lost_while_it_is_renewed_is_released(cal, reserve):
    held = reserve()

    def book(request):
        if request.method == "POST":
            cal.on_request = None
            cal.book(event_type="consultation", start=TEN)

    cal.on_request = book

    with pytest.raises(slots.SlotRefused) as refused:
        slots.renew(held)

    assert refused.value.code == "taken"
    held.refresh_from_db()
    assert (held.state, held.is_held) == (State.RELEASED, False)


def test_what_ran_out_is_not_renewed(cal, reserve):
    held = reserve()
    pass_time(cal, timedelta(minutes=6))
    held.refresh_from_db()
    asked = len(cal.requests)

    with pytest.raises(slots.SlotRefused) as refused:
        slots.renew(held)

    assert refused.value.code == "gone"
    assert len(cal.requests) == asked


# Held in a block


def test_a_block_holds_the_slot_and_releases_it(cal, account, event_type):
    with slots.hold(account, event_type=event_type, start=TEN) as held:
        assert len(cal.reservations) == 1

    held.refresh_from_db()
    assert held.state == State.RELEASED
    assert not len(cal.reservations)


def test_a_block_that_fails_releases_it_too(cal, account, event_type):
    with (
        pytest.raises(ZeroDivisionError),
        slots.hold(account, event_type=event_type, start=TEN),
    ):
        raise ZeroDivisionError

    assert not len(cal.reservations)
