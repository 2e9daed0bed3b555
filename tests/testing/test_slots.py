"""The fake's free times: office hours less what its hosts have, in Cal.com's shape."""

from datetime import UTC, datetime, timedelta

import pytest

from cal_bookings.testing import Person

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


ALIKE = {"start": "2026-11-23", "end": "2026-11-23", "version": VERSION}


def test_an_event_type_is_named_by_its_slug_with_its_user_or_team(cal, get, asked):
    asked(1)  # moves the clock
    by_user = {"eventTypeSlug": "consultation", "username": "host1"}
    by_team = {"eventTypeSlug": "support", "teamSlug": "team-1"}

    assert len(starts(get("/slots", **ALIKE, **by_user))) == 16
    assert len(starts(get("/slots", **ALIKE, **by_team))) == 16
    assert get("/slots", **ALIKE, **by_user | {"username": "x"}).status_code == 404
    assert get("/slots", **ALIKE, eventTypeSlug="consultation").status_code == 400


def test_of_several_people_only_the_common_time_is_free(cal, get, asked):
    asked(1)
    cal.book(start=MONDAY + timedelta(hours=10), user=cal.users[2])
    both = {"usernames": "host1,host2", "organizationSlug": "acme"}

    assert "2026-11-23T10:00:00.000Z" not in starts(get("/slots", **ALIKE, **both))
    assert get("/slots", **ALIKE, usernames="host1,host2").status_code == 400
    assert get("/slots", **ALIKE, **both | {"usernames": "host1"}).status_code == 400
    unknown = both | {"usernames": "host1,nobody"}
    assert get("/slots", **ALIKE, **unknown).status_code == 404


def test_a_full_workshop_is_not_offered(cal, asked):
    workshop = cal.event_type(cal.users[1], "workshop")
    start = MONDAY + timedelta(hours=10)
    people = [Person("Ada", f"ada{n}@example.net") for n in range(workshop.seats)]
    cal.book(event_type="workshop", start=start, attendees=people)

    assert "2026-11-23T10:00:00.000Z" not in starts(asked(workshop.id))


def test_what_makes_no_sense_is_refused(cal, get, asked):
    assert asked(12345).status_code == 404
    assert get("/slots", version=VERSION, eventTypeId=1, start="x").status_code == 400
    assert get("/slots", version="2024-08-13").status_code == 404
