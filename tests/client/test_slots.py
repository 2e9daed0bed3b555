"""Free times of an event type."""

from datetime import UTC, datetime

import pytest

from cal_bookings.client import CalUnexpected
from tests.client.conftest import recording, reply

BEGIN, END = (datetime(2026, 11, day, tzinfo=UTC) for day in (23, 25))


def test_slots_are_moments_in_order(client, script):
    script.will(recording("013"))

    slots = client.slots(2, begin=BEGIN, end=END)

    assert slots[:2] == [
        datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    ]
    assert slots == sorted(slots)
    [asked] = script.requests
    assert (asked.path, asked.headers["cal-api-version"]) == ("/v2/slots", "2024-09-04")
    assert asked.query == {
        "eventTypeId": "2",
        "start": "2026-11-23T00:00:00.000Z",
        "end": "2026-11-25T00:00:00.000Z",
    }


def test_the_booking_that_moves_is_named(client, script):
    script.will(recording("018"))

    slots = client.slots(2, begin=BEGIN, end=END, rescheduling="uid-1")

    assert slots == []
    assert script.requests[0].query["bookingUidToReschedule"] == "uid-1"


@pytest.mark.parametrize(
    "odd",
    [[], None, {"d": [{"begin": "x"}]}, {"d": "x"}, {"d": [3]}, {"d": [{"start": 3}]}],
)
def test_an_odd_answer_is_an_error_and_not_a_full_calendar(client, script, odd):
    script.will(reply({"status": "success", "data": odd}))

    with pytest.raises(CalUnexpected):
        client.slots(2, begin=BEGIN, end=END)
