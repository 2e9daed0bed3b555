"""Free slots in Python: whose, when, and in which time zone."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from cal_bookings import budget, slots
from cal_bookings.client import (
    CalForbidden,
    CalNotFound,
    CalRateLimited,
    CalUnavailable,
)
from cal_bookings.models import EventType
from cal_bookings.testing import Person, RateLimit
from tests.outbox.conftest import mirror_now
from tests.slots.conftest import MONDAY, TEN

DAY: dict[str, Any] = {"begin": MONDAY, "end": MONDAY + timedelta(days=1)}


def test_they_have_two_ends_in_utc(account, event_type):
    found = slots.free(account, event_type=event_type, **DAY)

    assert len(found) == 16
    assert found[0].start == MONDAY + timedelta(hours=9)
    assert found[0].end - found[0].start == timedelta(minutes=30)
    assert found[0].start.utcoffset() == timedelta(0)


def test_they_are_shown_in_a_time_zone(account, event_type):
    found = slots.free(account, event_type=event_type, time_zone="Asia/Tokyo", **DAY)

    assert found[0].start.tzinfo == ZoneInfo("Asia/Tokyo")
    assert found[0].start == MONDAY + timedelta(hours=9)


def test_an_event_type_is_a_row_a_number_or_a_slug(account, event_type):
    row = EventType.objects.create(
        account=account, remote_id=event_type, mirrored_at=timezone.now()
    )
    ways: list[dict[str, Any]] = [
        {"event_type": row},
        {"event_type_slug": "consultation", "username": "host1"},
        {"event_type_slug": "support", "team_slug": "team-1"},
        {"usernames": ["host1", "host2"], "organization_slug": "acme"},
    ]

    for way in ways:
        assert len(slots.free(account, **way, **DAY)) == 16
    with pytest.raises(ValueError, match="exactly one way"):
        slots.free(account, **DAY)


def test_a_length_is_chosen(cal, account):
    deep_dive = cal.event_type(cal.users[1], "deep-dive").id

    found = slots.free(account, event_type=deep_dive, duration=90, **DAY)

    assert found[0].end - found[0].start == timedelta(minutes=90)


def test_the_time_of_the_booking_that_moves_is_free(cal, account, event_type):
    uid = cal.book(event_type="consultation", start=TEN)
    booking = mirror_now(cal, account, uid)

    def starts(**options):
        found = slots.free(account, event_type=event_type, **options, **DAY)
        return [slot.start for slot in found]

    assert TEN not in starts()
    assert TEN in starts(rescheduling=booking)
    assert TEN in starts(rescheduling=uid)


def test_seats_are_counted(cal, account):
    workshop = cal.event_type(cal.users[1], "workshop")
    cal.book(event_type="workshop", start=TEN, attendees=[Person("Ada", "a@b.example")])

    found = slots.free(account, event_type=workshop.id, **DAY)

    [slot] = [slot for slot in found if slot.start == TEN]
    assert (slot.seats_left, slot.seats_total) == (workshop.seats - 1, workshop.seats)


def test_a_time_without_a_zone_is_refused(account, event_type):
    with pytest.raises(slots.SlotRefused, match="begin has no time zone") as refused:
        slots.free(
            account,
            event_type=event_type,
            begin=MONDAY.replace(tzinfo=None),
            end=DAY["end"],
        )
    assert refused.value.code == "naive"


# Refused, lost, not now


def test_what_cal_com_refuses_is_raised(cal, account):
    with pytest.raises(CalNotFound):
        slots.free(account, event_type=987, **DAY)


@pytest.mark.parametrize(
    ("fault", "error"), [("403", CalForbidden), ("truncated", CalUnavailable)]
)
def test_no_answer_is_no_full_calendar(cal, account, event_type, fault, error):
    cal.fault(fault, path="/slots", times=9)

    with pytest.raises(error):
        slots.free(account, event_type=event_type, **DAY)


def test_a_429_of_a_limit_of_its_own_does_not_block_the_credential(
    cal, account, event_type
):
    cal.fault("429-endpoint", path="/slots", retry_after=60)

    with pytest.raises(CalRateLimited):
        slots.free(account, event_type=event_type, **DAY)

    assert slots.free(account, event_type=event_type, **DAY)


def test_who_has_no_turn_comes_back_later(cal, account, event_type):
    cal.rate_limit = RateLimit(limit=1, window=60)
    slots.free(account, event_type=event_type, **DAY)

    with pytest.raises(budget.NotNow):
        slots.free(account, event_type=event_type, max_wait=0.1, **DAY)
