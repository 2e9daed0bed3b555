"""Free slots and reservations, as Cal.com was recorded to answer."""

from datetime import UTC, datetime, timedelta

import pytest

from cal_bookings.client import (
    CalNotFound,
    CalRefused,
    CalUnauthorized,
    CalUnexpected,
    EventTypeIdentification,
)
from tests.client.conftest import recording, reply

BEGIN, END = (datetime(2026, 11, day, tzinfo=UTC) for day in (23, 25))
NORMAL = EventTypeIdentification(event_type_id=2)
FOUR = datetime(2026, 11, 23, 16, tzinfo=UTC)


def free(client, event_type=NORMAL, **options):
    return client.slots().free(event_type, begin=BEGIN, end=END, **options)


def test_free_slots_have_two_ends_and_are_in_order(client, script):
    script.will(recording("015"))

    slots = free(client)

    nine = datetime(2026, 11, 23, 9, tzinfo=UTC)
    half_an_hour = timedelta(minutes=30)
    assert (slots[0].start, slots[0].end) == (nine, nine + half_an_hour)
    assert slots[1].start == nine + half_an_hour
    assert slots == sorted(slots, key=lambda slot: slot.start)
    assert slots[0].seats_left is None
    [asked] = script.requests
    assert (asked.path, asked.headers["cal-api-version"]) == ("/v2/slots", "2024-09-04")
    assert asked.query == {
        "eventTypeId": "2",
        "start": "2026-11-23T00:00:00.000Z",
        "end": "2026-11-25T00:00:00.000Z",
        "format": "range",
    }


def test_all_that_can_be_asked_for_is_sent_in_cal_com_s_names(client, script):
    script.will(recording("018"))

    slots = free(
        client,
        EventTypeIdentification(
            event_type_slug="intro", team_slug="crew", organization_slug="acme"
        ),
        time_zone="Europe/Rome",
        duration=60,
        rescheduling="uid-1",
    )

    assert slots == []
    query = script.requests[0].query
    del query["start"], query["end"], query["format"]
    assert query == {
        "eventTypeSlug": "intro",
        "teamSlug": "crew",
        "organizationSlug": "acme",
        "timeZone": "Europe/Rome",
        "duration": "60",
        "bookingUidToReschedule": "uid-1",
    }


def test_an_offset_is_read_and_seats_are_counted(client, script):
    slot = {
        "start": "2026-11-23T04:00:00.000-05:00",
        "end": "2026-11-23T05:00:00.000-05:00",
        "seatsBooked": 1,
        "seatsRemaining": 2,
        "seatsTotal": 3,
        "bookingUid": "secret",
    }
    script.will(reply({"status": "success", "data": {"2026-11-23": [slot]}}))

    [found] = free(client)

    assert found.start == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert (found.seats_left, found.seats_total) == (2, 3)
    assert found.booking_uid == "secret"
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "odd",
    [[], None, {"d": [{"begin": "x"}]}, {"d": "x"}, {"d": [3]}, {"d": [{"start": 3}]}],
)
def test_an_odd_answer_is_an_error_and_not_a_full_calendar(client, script, odd):
    script.will(reply({"status": "success", "data": odd}))

    with pytest.raises(CalUnexpected):
        free(client)


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"event_type_id": 0},
        {"event_type_slug": "intro"},
        {"username": "bob"},
        {"event_type_id": 2, "username": "bob"},
        {"event_type_slug": "intro", "username": "bob", "team_slug": "crew"},
        {"usernames": ("bob", "eve")},
        {"usernames": ("bob",), "organization_slug": "acme"},
    ],
)
def test_an_event_type_is_named_in_exactly_one_way(named):
    with pytest.raises(ValueError, match="exactly one way"):
        EventTypeIdentification(**named)


def test_people_are_asked_for_together(client, script):
    script.will(recording("018"))
    people = EventTypeIdentification(usernames=("bob", "eve"), organization_slug="acme")

    free(client, people)

    assert script.requests[0].query["usernames"] == "bob,eve"


def test_a_time_without_a_zone_is_refused_before_anything_is_asked(client, script):
    naive = datetime(2026, 11, 23)  # noqa: DTZ001 - the point of the test

    with pytest.raises(ValueError, match="begin has no time zone"):
        client.slots().free(NORMAL, begin=naive, end=END)
    with pytest.raises(ValueError, match="start has no time zone"):
        client.slots().reserve(2, naive)
    assert script.requests == []


# Reservations


def test_a_slot_is_reserved_for_a_while(client, script):
    script.will(recording("026"))

    held = client.slots().reserve(2, FOUR, duration=30, minutes=10)

    assert held.uid == "a37d3113-298b-443b-a496-894a6efc79f6"
    assert held.end - held.start == timedelta(minutes=30)
    assert held.until == datetime(2026, 11, 20, 20, 0, 37, 264000, tzinfo=UTC)
    assert held.uid not in repr(held)
    assert script.requests[0].method == "POST"


def test_a_taken_slot_is_refused(client, script):
    script.will(recording("028"), recording("450"))

    for _ in range(2):
        with pytest.raises(CalRefused) as refused:
            client.slots().reserve(2, FOUR)
        assert refused.value.status == 422


def test_a_custom_time_needs_a_credential(client, script):
    script.will(recording("027"))

    with pytest.raises(CalUnauthorized):
        client.slots().reserve(2, FOUR, minutes=10)


def test_a_reservation_is_shown_until_it_is_gone(client, script):
    script.will(recording("030"), recording("035"))

    assert client.slots().reservation("uid").start == FOUR
    assert client.slots().reservation("uid") is None


def test_a_reservation_moves_unless_it_is_gone(client, script):
    script.will(recording("031"), recording("452"))

    moved = client.slots().move_reservation("uid", 2, FOUR)

    assert moved.start == FOUR - timedelta(hours=1)
    with pytest.raises(CalNotFound):
        client.slots().move_reservation("uid", 2, FOUR)


def test_a_reservation_is_released_however_often(client, script):
    script.will(recording("034"), recording("036"))

    for _ in range(2):
        client.slots().release("uid")

    assert [each.method for each in script.requests] == ["DELETE", "DELETE"]
    assert script.requests[0].path == "/v2/slots/reservations/uid"


@pytest.mark.parametrize("data", [None, {}, {"reservationUid": "x"}, []])
def test_an_answer_that_shows_no_reservation_may_have_made_one(client, script, data):
    script.will(reply({"status": "success", "data": data}, 201))

    with pytest.raises(CalUnexpected) as odd:
        client.slots().reserve(2, FOUR)

    assert odd.value.may_have_applied


def test_a_guard_stops_writes_and_no_reads(client, script):
    script.will(recording("030"))

    def stop():
        raise RuntimeError("stop")

    slots = client.slots(stop)
    assert slots.reservation("uid")
    with pytest.raises(RuntimeError):
        slots.release("uid")
