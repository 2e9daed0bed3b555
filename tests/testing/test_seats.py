"""Seats: who may move and cancel them, and what happens where somebody sits already."""

import pytest

from cal_bookings.testing import Person
from tests.testing.conftest import (
    SELF_HOSTED,
    kinds,
    soon,
)

A, B = Person("A", "a@example.net"), Person("B", "b@example.net")


@pytest.fixture
def workshop(cal):
    """A seated booking of A and B: its uid and their seats."""
    uid = cal.book(event_type="seated", attendees=[A, B])
    return uid, [attendee["seatUid"] for attendee in cal.payload(uid)["attendees"]]


def emails(cal, uid):
    return [attendee["email"] for attendee in cal.payload(uid)["attendees"]]


def test_only_a_host_in_their_own_name_moves_all_seats(cal, refused, workshop):
    uid, _ = workshop
    body = {"start": soon(cal), "rescheduledBy": "stranger@example.org"}

    for key in (None, cal.users[2].api_key, ""):
        status, message = refused(f"/bookings/{uid}/reschedule", body, key=key)
        assert status == 400
        assert "you have to provide seatUid in the request body" in message
    assert kinds(cal) == []


@SELF_HOSTED
def test_a_self_hosted_server_tells_nobody_why_they_may_not(cal, post, workshop):  # 242
    uid, _ = workshop
    answer = post(f"/bookings/{uid}/reschedule", {"start": soon(cal)}, key="")
    assert answer.json() == {"statusCode": 500, "message": "Internal server error"}


def test_a_booking_moved_onto_another_of_its_event_type_becomes_part_of_it(
    cal, post, workshop
):
    uid, _ = workshop
    target = cal.book(event_type="seated", attendees=[Person("C", "c@example.net")])
    start = cal.payload(target)["start"]

    answer = post(f"/bookings/{uid}/reschedule", {"start": start})

    assert answer.json()["data"]["uid"] == target
    assert emails(cal, target) == ["c@example.net", "a@example.net", "b@example.net"]
    assert (emails(cal, uid), cal.payload(uid)["status"]) == ([], "cancelled")


def test_it_is_refused_where_there_are_too_few_seats(cal, post, workshop):
    uid, _ = workshop
    people = [Person(f"P{n}", f"p{n}@example.net") for n in range(9)]
    target = cal.book(event_type="seated", attendees=people)
    start = cal.payload(target)["start"]

    answer = post(f"/bookings/{uid}/reschedule", {"start": start})

    message = {"statusCode": 409, "message": "not_enough_available_seats_error"}
    assert answer.json() == message
    assert kinds(cal) == []


def test_a_seat_does_not_move_to_where_its_holder_sits_already(cal, refused, workshop):
    uid, seats = workshop
    target = cal.book(event_type="seated", attendees=[A])
    body = {"start": cal.payload(target)["start"], "seatUid": seats[0]}

    assert refused(f"/bookings/{uid}/reschedule", body) == (
        409,
        "already_signed_up_for_this_booking_error",
    )


def test_a_seat_that_nobody_has_is_not_found_and_one_elsewhere_is_invalid(
    cal, refused, workshop
):  # 248, 272
    uid, seats = workshop
    other = cal.book(event_type="seated")
    body = {"start": soon(cal), "seatUid": "nope"}

    assert refused(f"/bookings/{uid}/reschedule", body) == (
        404,
        "Seat with uid=nope does not exist.",
    )
    belongs = "Invalid seatUid: this seat does not belong to this booking."
    elsewhere = {"seatUid": seats[0]}
    for verb, more in (("reschedule", {"start": soon(cal)}), ("cancel", {})):
        path = f"/bookings/{other}/{verb}"
        assert refused(path, elsewhere | more) == (400, belongs)


@pytest.mark.parametrize("last", [False, True])
def test_whoever_knows_a_seat_may_cancel_it(cal, post, workshop, last):
    uid, seats = workshop
    if last:
        cal.cancel_seat(uid, seats[1])

    answer = post(
        f"/bookings/{uid}/cancel", {"seatUid": seats[0]}, key=cal.users[2].api_key
    )

    assert answer.status_code == 200
    assert emails(cal, uid) == ([] if last else ["b@example.net"])


def test_a_seat_on_a_booking_without_seats_is_passed_over(cal, post):  # 430
    body = {"start": soon(cal), "seatUid": "x"}
    assert post(f"/bookings/{cal.book()}/reschedule", body).status_code == 201
