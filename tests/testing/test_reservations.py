"""The fake's reservations: what holds a slot, against whom, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.testing.conftest import creation

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
TEN = "2026-11-23T10:00:00.000Z"
VERSION = "2024-09-04"
PATH = "/slots/reservations"


@pytest.fixture(autouse=True)
def _before_monday(cal):
    cal.clock.stop()
    cal.clock.set(MONDAY - timedelta(days=1))


def number(cal, slug="consultation"):
    return cal.event_type(cal.users[1], slug).id


@pytest.fixture
def reserve(cal, post):
    def reserve(slug="consultation", start=TEN, *, path=PATH, method="POST", **options):
        sent = {key: options.pop(key) for key in ("key",) if key in options}
        body = {"eventTypeId": number(cal, slug), "slotStart": start} | options
        return post(path, body, version=VERSION, method=method, **sent)

    return reserve


@pytest.fixture
def free(cal, get):
    def free(slug="consultation", **query):
        query = {"eventTypeId": number(cal, slug)} | query
        answer = get(
            "/slots", version=VERSION, start="2026-11-23", end="2026-11-23", **query
        )
        return answer.json()["data"].get("2026-11-23", [])

    return free


def starts(slots):
    return [each["start"] for each in slots]


def test_a_reserved_slot_is_not_offered_until_its_time_is_over(cal, reserve, free):
    held = reserve().json()["data"]

    assert held["slotEnd"] == "2026-11-23T10:30:00.000Z"
    assert held["slotDuration"] == 30
    assert held["reservationDuration"] == 5
    assert TEN not in starts(free())
    cal.clock.advance(timedelta(minutes=5))
    assert TEN in starts(free())
    assert len(cal.reservations) == 0


def test_the_other_event_types_of_the_host_do_not_offer_its_time_either(reserve, free):
    reserve()

    assert TEN not in starts(free("deep-dive"))
    assert "2026-11-23T09:30:00.000Z" not in starts(free("deep-dive"))


def test_it_is_refused_a_second_time_and_to_overlap(reserve):
    reserve("deep-dive")

    again, overlapping = reserve("deep-dive"), reserve("deep-dive", TEN[:14] + "30:00Z")

    assert [again.status_code, overlapping.status_code] == [422, 422]
    assert again.json()["error"]["code"] == "UnprocessableEntityException"


def test_a_booked_slot_cannot_be_reserved_but_a_reserved_one_booked(cal, reserve, post):
    reserve()
    body = creation(cal, "consultation", start=TEN)

    assert post("/bookings", body).status_code == 201
    assert len(cal.reservations) == 1
    cal.clock.advance(timedelta(minutes=5))
    assert reserve().status_code == 422


def test_each_reservation_of_a_seated_slot_holds_a_seat(cal, reserve, free):
    cal.book(event_type="workshop", start=datetime.fromisoformat(TEN))
    seats = cal.event_type(cal.users[1], "workshop").seats

    answers = [reserve("workshop") for _ in range(seats)]

    assert [each.status_code for each in answers] == [201] * (seats - 1) + [422]
    assert TEN not in starts(free("workshop"))


def test_only_the_owner_says_for_how_long(cal, reserve):
    minutes = {"reservationDuration": 30}
    other = cal.users[2].api_key

    assert reserve(key="", **minutes).status_code == 401
    assert reserve(key=other, **minutes).status_code == 403
    assert reserve(key=other).status_code == 201
    mine = reserve(start="2026-11-23T12:00:00Z", **minutes)
    assert mine.json()["data"]["reservationUntil"] == "2026-11-22T00:30:00.000Z"


def test_a_length_must_be_one_of_the_event_type(reserve):
    assert reserve("deep-dive", slotDuration=90).json()["data"]["slotDuration"] == 90
    assert reserve("deep-dive", slotDuration=45).status_code == 400
    assert reserve("consultation", slotDuration=60).status_code == 400


def test_it_moves_to_another_slot_but_not_to_its_own(reserve, free):
    uid = reserve().json()["data"]["reservationUid"]
    path = f"{PATH}/{uid}"

    assert reserve(path=path, method="PATCH").status_code == 422
    moved = reserve(start="2026-11-23T12:00:00Z", path=path, method="PATCH")

    assert moved.status_code == 200
    assert moved.json()["data"]["reservationUid"] == uid
    assert TEN in starts(free())


def test_one_that_is_gone_is_null_and_released_all_the_same(cal, reserve, post, get):
    uid = reserve().json()["data"]["reservationUid"]
    path = f"{PATH}/{uid}"

    assert get(path, version=VERSION).json()["data"]["slotStart"] == TEN
    for _ in range(2):
        released = post(path, version=VERSION, method="DELETE", key="")
        assert released.json() == {"status": "success"}
    assert get(path, version=VERSION).json()["data"] is None
    assert [each.kind for each in cal.effects] == ["reserve", "release"]


def test_it_needs_its_own_version(reserve, post):
    answer = post(PATH, {}, version="2024-08-13")

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"Cannot POST /v2{PATH}"


def test_a_client_id_alone_reserves_and_reads_no_bookings(cal):
    headers = {"x-cal-client-id": "client", "cal-api-version": VERSION}
    body = {"eventTypeId": number(cal), "slotStart": TEN}

    held = requests.post(cal.url + PATH, json=body, headers=headers, timeout=10)
    listed = requests.get(cal.url + "/bookings", headers=headers, timeout=10)

    assert [held.status_code, listed.status_code] == [201, 401]
