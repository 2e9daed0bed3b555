"""Changes of locations, attendees and guests count towards limits of their own: five a minute each."""

import time
from collections import Counter

import pytest

from cal_bookings import budget, client
from cal_bookings.budget import BudgetExhausted, Priority
from cal_bookings.models import Account
from cal_bookings.testing import RateLimit

pytestmark = pytest.mark.django_db

LINK = {"type": "link", "link": "https://meet.example.com/other"}
FIVE_IN_TWO_SECONDS = RateLimit(limit=5, window=2, block=2)


@pytest.fixture
def account(cal):
    return Account.objects.configured().get()


@pytest.fixture
def uid(cal):
    return cal.book()


@pytest.fixture
def change(account, uid):
    """Change the location of one booking; waits for at most `max_wait` seconds."""

    def change(max_wait=0.0):
        with budget.connect(
            account, priority=Priority.ACTION, max_wait=max_wait
        ) as connection:
            actions = connection.actions(client.Server.HOSTED)
            return actions.update_location(uid, LINK)

    return change


def use_up(change):
    """Change the location until there is no turn left; return how often."""
    for sent in range(20):
        try:
            change()
        except BudgetExhausted:
            return sent
    raise AssertionError("there was always a turn left")


def statuses(cal):
    return Counter(each.status for each in cal.requests if each.method != "GET")


@pytest.mark.cal(endpoint_limit=RateLimit(limit=5, window=60, block=60))
def test_the_limit_of_an_endpoint_is_never_reached(cal, change):
    sent = use_up(change)

    with pytest.raises(BudgetExhausted) as error:
        change()
    assert statuses(cal) == {200: sent}
    assert sent == 4  # one of five stays unused, for a request that comes late
    assert 55 < error.value.seconds < 61


@pytest.mark.cal(endpoint_limit=RateLimit(limit=5, window=60, block=60))
def test_it_keeps_nothing_else_waiting(cal, change, account, uid):
    use_up(change)

    with budget.connect(account, priority=Priority.ACTION, max_wait=0) as connection:
        connection.get_booking(uid)
        guests = [{"email": "guest@example.net", "name": "Guest"}]
        connection.actions(client.Server.HOSTED).add_guests(uid, guests)

    assert 429 not in {each.status for each in cal.requests}


@pytest.mark.cal(endpoint_limit=FIVE_IN_TWO_SECONDS)
def test_who_waits_gets_a_turn_in_the_next_window(cal, change):
    began = time.monotonic()
    for _ in range(9):
        change(max_wait=None)

    assert statuses(cal) == {200: 9}
    assert time.monotonic() - began > 4


def test_a_server_without_such_a_limit_is_not_slowed_down(cal, change):
    for _ in range(12):
        change()

    assert statuses(cal) == {200: 12}


@pytest.mark.cal(endpoint_limit=RateLimit(limit=5, window=60, block=60))
def test_a_429_of_an_endpoint_blocks_that_endpoint_alone(cal, change, account, uid):
    change()
    cal.fault("429-endpoint", method="PATCH", retry_after=40)
    with pytest.raises(client.CalRateLimited):
        change()

    with pytest.raises(BudgetExhausted) as error:
        change()
    with budget.connect(account, priority=Priority.ACTION, max_wait=0) as connection:
        connection.get_booking(uid)

    assert 38 < error.value.seconds < 41


def test_a_429_of_the_video_service_blocks_nobody(cal, account, uid):
    cal.meetings.open_room(uid)
    cal.fault("429-upstream", path="sessions", retry_after=40)

    with budget.connect(account, priority=Priority.ACTION, max_wait=0) as connection:
        details = connection.details(client.Server.HOSTED)
        with pytest.raises(client.CalRateLimited):
            details.conferencing_sessions(uid)
        connection.get_booking(uid)
        assert details.conferencing_sessions(uid) == []


@pytest.mark.cal(endpoint_limit=RateLimit(limit=5, window=60, block=60))
def test_sessions_have_a_limit_of_their_own(cal, account, uid):
    cal.meetings.open_room(uid)

    with budget.connect(account, priority=Priority.ACTION, max_wait=0) as connection:
        for _ in range(4):
            connection.details(client.Server.HOSTED).conferencing_sessions(uid)
        with pytest.raises(BudgetExhausted):
            connection.details(client.Server.HOSTED).conferencing_sessions(uid)
        connection.get_booking(uid)

    assert 429 not in {one.status for one in cal.requests}
