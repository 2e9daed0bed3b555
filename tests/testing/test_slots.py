"""The fake's free times: office hours less what its hosts have, in Cal.com's shape."""

from datetime import UTC, datetime, timedelta

import pytest

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
VERSION = "2024-09-04"


@pytest.fixture
def asked(cal, get):
    cal.clock.set(MONDAY - timedelta(days=10))

    def asked(event_type, begin=MONDAY, days=1, **params):
        return get(
            "/slots",
            version=VERSION,
            eventTypeId=event_type,
            start=begin.isoformat(),
            end=(begin + timedelta(days=days)).isoformat(),
            **params,
        )

    return asked


def consultation(cal):
    found = (one for one in cal.event_types.values() if one.slug == "consultation")
    return next(one.id for one in found if one.owner_id == 1)


def starts(answer):
    assert answer.status_code == 200
    return [slot["start"] for day in answer.json()["data"].values() for slot in day]


def test_a_weekday_has_a_slot_each_half_hour(cal, asked):
    slots = starts(asked(consultation(cal)))

    assert len(slots) == 16
    assert slots[:2] == ["2026-11-23T09:00:00.000Z", "2026-11-23T09:30:00.000Z"]


def test_a_weekend_has_none(cal, asked):
    saturday = MONDAY - timedelta(days=2)

    answer = asked(consultation(cal), saturday, 2)

    assert answer.json() == {"data": {}, "status": "success"}


def test_what_is_booked_is_not_free_but_for_the_booking_that_moves(cal, asked):
    uid = cal.book(event_type="consultation", start=MONDAY + timedelta(hours=10))
    event_type = consultation(cal)
    taken = "2026-11-23T10:00:00.000Z"

    assert taken not in starts(asked(event_type))
    assert taken in starts(asked(event_type, bookingUidToReschedule=uid))


def test_the_past_is_not_free(cal, asked):
    cal.clock.stop()
    cal.clock.set(MONDAY + timedelta(hours=16))

    assert starts(asked(consultation(cal))) == [
        "2026-11-23T16:00:00.000Z",
        "2026-11-23T16:30:00.000Z",
    ]


def test_what_makes_no_sense_is_refused(cal, get, asked):
    assert asked(12345).status_code == 404
    assert get("/slots", version=VERSION, eventTypeId=1, start="x").status_code == 400
    assert get("/slots", version="2024-08-13").status_code == 404
