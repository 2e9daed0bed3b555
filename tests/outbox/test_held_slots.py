"""A slot that is held until it is booked: sent in time, and released when the outcome is final and not before."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from cal_bookings import outbox, slots
from cal_bookings.models import Account, BookingAction, SlotReservation
from cal_bookings.tasks.outbox import deliver_action
from tests.outbox.conftest import pass_time

State, Status = SlotReservation.State, BookingAction.Status
ATTENDEE = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "Asia/Tokyo"}


@pytest.fixture
def start():
    moment = timezone.now() + timedelta(days=2)
    return moment.replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def event_type(desk):
    return desk.cal.event_type(desk.cal.users[1], "consultation").id


@pytest.fixture
def held(desk, event_type, start):
    return slots.reserve(desk.account, event_type=event_type, start=start)


@pytest.fixture
def create(desk, event_type, start):
    def create(held, **options):
        wanted = {"event_type_id": event_type, "start": start, "attendee": ATTENDEE}
        return outbox.create(desk.account, reservation=held, **wanted | options)

    return create


def state_of(held):
    held.refresh_from_db()
    return held.state


def refusal(call):
    with pytest.raises(outbox.Refused) as refused:
        call()
    return refused.value.code


def test_it_is_booked_and_then_released(desk, held, create):
    action = create(held)
    assert held.until == action.deadline

    desk.deliver(action)

    assert action.reservations.get() == held
    assert desk.effects("create")
    assert state_of(held) == State.RELEASING
    assert slots.sweep() == 1
    assert state_of(held) == State.RELEASED
    assert not len(desk.cal.reservations)


def test_a_worker_releases_it_at_once(desk, held, create):
    action = create(held)

    deliver_action(action.pk)

    action.refresh_from_db()
    assert (action.status, state_of(held)) == (Status.DONE, State.RELEASED)
    assert [one.kind for one in desk.cal.effects] == ["reserve", "create", "release"]


def test_the_end_of_a_block_leaves_the_release_to_the_action(
    desk, event_type, start, create
):
    with slots.hold(desk.account, event_type=event_type, start=start) as held:
        action = create(held)

    assert state_of(held) == State.HELD
    deliver_action(action.pk)
    assert state_of(held) == State.RELEASED


def test_what_is_rolled_back_does_not_take_it_over(desk, event_type, start, create):
    with slots.hold(desk.account, event_type=event_type, start=start) as held:  # noqa: SIM117 - the block is the point
        with transaction.atomic():
            create(held)
            transaction.set_rollback(True)

    assert state_of(held) == State.RELEASED
    assert not BookingAction.objects.exists()


def test_while_the_outcome_is_unknown_it_is_not_released(desk, held, create):
    desk.cal.fault("reset", path="/bookings", method="POST")
    action = create(held)

    deliver_action(action.pk)

    action.refresh_from_db()
    assert action.status == Status.UNKNOWN
    assert slots.sweep() == 0
    assert state_of(held) == State.HELD

    desk.deliver_until_ended(action)
    assert action.status == Status.DONE
    assert state_of(held) == State.RELEASING


def test_one_that_runs_out_meanwhile_is_not_released_later(desk, held, create):
    desk.cal.fault("reset", path="/bookings", method="POST")
    action = create(held)
    desk.deliver(action)
    SlotReservation.objects.update(until=timezone.now())

    slots.sweep()

    assert state_of(held) == State.EXPIRED
    desk.deliver_until_ended(action)
    assert state_of(held) == State.EXPIRED


def test_what_cal_com_refuses_releases_it(desk, held, create, start):
    desk.cal.book(event_type="consultation", start=start)
    action = create(held)

    deliver_action(action.pk)

    action.refresh_from_db()
    assert (action.status, state_of(held)) == (Status.FAILED, State.RELEASED)


def test_what_is_withdrawn_releases_it(held, create):
    action = create(held)

    outbox.withdraw(action)

    assert state_of(held) == State.RELEASING


def test_what_was_not_sent_before_its_end_is_never_sent(desk, held, create):
    action = create(held)
    desk.cal.fault("dropped", times=99)
    desk.deliver(action)
    desk.cal.faults.clear()
    BookingAction.objects.update(deadline=timezone.now())
    pass_time(timedelta(minutes=6))

    desk.deliver(action)

    action.refresh_from_db()
    assert (action.status, action.error_code) == (Status.FAILED, "expired")
    assert not desk.effects("create")


def test_an_earlier_deadline_stays(held, create):
    soon = timezone.now() + timedelta(minutes=1)

    assert create(held, deadline=soon).deadline == soon


def test_a_reservation_of_something_else_is_refused(desk, held, create, start):
    other = Account.objects.create(alias="other", base_url=desk.cal.url)
    theirs = SlotReservation.objects.create(
        account=other,
        event_type_remote_id=held.event_type_remote_id,
        start=held.start,
        until=held.until,
        state=State.HELD,
    )

    assert refusal(lambda: create(theirs)) == "reservation"
    later = start + timedelta(hours=1)
    assert refusal(lambda: create(held, start=later)) == "reservation"
    assert refusal(lambda: create(held, event_type_id=1)) == "reservation"
    assert not BookingAction.objects.exists()


def test_a_reservation_is_for_one_action(held, create):
    create(held)

    assert refusal(lambda: create(held)) == "reservation"
    assert BookingAction.objects.count() == 1


def test_one_that_has_ended_is_refused(held, create):
    slots.release(held)

    assert refusal(lambda: create(held)) == "reservation"


def test_many_are_refused_one_by_one(desk, held, event_type, start):
    propose = outbox.create.propose
    wanted = {"event_type_id": event_type, "start": start, "attendee": ATTENDEE}
    ended = SlotReservation.objects.get(pk=held.pk)
    ended.state = State.RELEASED

    decisions = outbox.enqueue_many(
        [
            propose(desk.account, reservation=reservation, **wanted)
            for reservation in (ended, held)
        ]
    )

    assert [bool(decision.action) for decision in decisions] == [False, True]
    held.refresh_from_db()
    assert held.action == decisions[1].action


def test_of_many_for_one_slot_the_first_has_it(desk, held, event_type, start):
    wanted = {"event_type_id": event_type, "start": start, "attendee": ATTENDEE}
    proposals = [
        outbox.create.propose(desk.account, reservation=held, **wanted)
        for _ in range(2)
    ]

    for decide in (outbox.examine, outbox.enqueue_many):
        first, second = decide(proposals)

        assert first.action
        assert second.refusal
        assert second.refusal.code == "reservation"
