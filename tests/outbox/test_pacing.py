"""Many changes of a kind that Cal.com counts apart spread over its windows, and none meets a 429."""

import time
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings import outbox
from cal_bookings.models import BookingAction
from cal_bookings.testing import RateLimit

pytestmark = pytest.mark.django_db

LIMIT = 5


def move(desk, bookings):
    link = {"type": "link", "link": "https://meet.example.com/other"}
    return [outbox.update_location(booking, location=link) for booking in bookings]


def deliver_all(most_seconds):
    """Deliver what is due until nothing is open, as workers do: an action whose time has not come is left alone."""
    end = time.monotonic() + most_seconds
    while BookingAction.objects.open().exists():
        assert time.monotonic() < end, "some are still open"
        due = outbox.due(100)
        for pk in due:
            outbox.deliver(pk)
        if not due:
            time.sleep(0.05)


def statuses(cal):
    return Counter(one.status for one in cal.requests if one.method == "PATCH")


@pytest.mark.cal(endpoint_limit=RateLimit(limit=LIMIT, window=1, block=60))
def test_changes_of_a_location_wait_for_their_turn_and_meet_no_429(desk):
    bookings = [desk.book() for _ in range(12)]
    actions = move(desk, bookings)
    desk.cal.requests.clear()

    deliver_all(most_seconds=30)

    assert {BookingAction.objects.get(pk=one.pk).status for one in actions} == {"done"}
    assert statuses(desk.cal) == {200: 12}


@pytest.mark.cal(endpoint_limit=RateLimit(limit=LIMIT, window=60, block=60))
def test_those_that_wait_are_spread_out_and_have_read_nothing(desk):
    actions = move(desk, [desk.book() for _ in range(14)])
    desk.cal.requests.clear()
    now = timezone.now()

    for pk in outbox.due(100):
        outbox.deliver(pk)

    waiting = BookingAction.objects.filter(status="queued").order_by("next_attempt_at")
    minutes = [(one.next_attempt_at - now) // timedelta(seconds=59) for one in waiting]
    assert minutes == [1] * 4 + [2] * 4 + [3] * 2
    assert {(one.error_code, one.attempts) for one in waiting} == {("rate_limited", 0)}
    sent = len(actions) - len(minutes)
    assert Counter(one.method for one in desk.cal.requests)["GET"] == sent == 4


@pytest.mark.slow
@pytest.mark.cal(endpoint_limit=RateLimit(limit=LIMIT, window=2, block=60))
def test_a_hundred_changes_of_a_location_meet_no_429(desk):
    move(desk, [desk.book() for _ in range(100)])
    desk.cal.requests.clear()

    deliver_all(most_seconds=180)

    assert not BookingAction.objects.exclude(status="done").exists()
    assert statuses(desk.cal) == {200: 100}
