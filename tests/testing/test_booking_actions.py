"""The fake does to bookings what Cal.com does, in its words: each test names the recording it follows."""

from datetime import timedelta
from threading import Thread

import pytest
import requests

from cal_bookings.testing import Person
from tests.testing.conftest import (
    creation,
    kinds,
    soon,
)


def test_confirming_a_cancelled_booking_revives_it(cal, post):  # 161, 175
    uid = cal.book()
    cal.cancel(uid, "changed mind")

    answer = post(f"/bookings/{uid}/confirm")

    assert answer.status_code == 200
    assert cal.payload(uid)["status"] == "accepted"
    assert cal.payload(uid)["cancellationReason"] == "changed mind"
    assert kinds(cal) == ["confirm"]


def test_a_cancelled_occurrence_is_not_revived(cal, post):
    uid = cal.book_series(2)[0]
    cal.cancel(uid)

    assert post(f"/bookings/{uid}/confirm").status_code == 200
    assert cal.payload(uid)["status"] == "cancelled"


@pytest.mark.parametrize("verb", ["confirm", "decline"])
def test_an_accepted_booking_is_confirmed_already(cal, refused, verb):  # 158, 159
    message = refused(f"/bookings/{cal.book()}/{verb}")
    assert message == (400, "Booking already confirmed")


def test_a_decline_may_be_repeated_and_mails_again(cal, post):
    uid = cal.book(event_type="confirm")

    for _ in range(2):
        assert post(f"/bookings/{uid}/decline", {"reason": "no"}).status_code == 200

    assert kinds(cal) == ["decline", "decline"]


def test_one_answer_is_for_all_pending_occurrences(cal, post):
    series = cal.book_series(3)
    for uid in series:
        cal.edit(uid, status="pending")
    cal.cancel(series[2])

    post(f"/bookings/{series[0]}/confirm")

    shown = [cal.payload(uid)["status"] for uid in series]
    assert shown == ["accepted", "accepted", "cancelled"]


def test_a_reschedule_makes_a_new_booking_and_names_it_afterwards(
    cal, post, refused
):  # 134, 137
    uid = cal.book()
    answer = post(f"/bookings/{uid}/reschedule", {"start": soon(cal)})

    new = answer.json()["data"]["uid"]
    assert answer.status_code == 201
    assert cal.payload(uid)["rescheduledToUid"] == new
    status, message = refused(f"/bookings/{uid}/reschedule", {"start": soon(cal, 60)})
    assert status == 400
    assert f"rescheduled already to booking with uid={new}" in message


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "start property is wrong"),  # 145
        (
            {"start": "2099-01-01T10:00:00Z", "bogus": 1},
            "bogus should not exist",
        ),  # 146
        (
            {"start": "2099-01-01T10:00:00Z", "rescheduledBy": "nope"},
            "rescheduledBy - Invalid email, ",
        ),  # 429
    ],
)
def test_a_reschedule_is_refused_with_the_text_of_cal_com(cal, refused, body, told):
    status, message = refused(f"/bookings/{cal.book()}/reschedule", body)
    assert status == 400
    assert told in message


@pytest.mark.parametrize(("dialect", "status"), [("cursor", 409), ("offset", 400)])
def test_a_taken_time_is_refused_as_by_this_kind_of_server(
    cal, refused, dialect, status
):  # 041, 143
    cal.dialect = dialect
    uid, other = cal.book(), cal.book()
    cal.edit(other, start="2099-01-01T10:00:00.000Z", end="2099-01-01T10:30:00.000Z")
    message = "User either already has booking at this time or is not available"
    start = {"start": "2099-01-01T10:00:00.000Z"}

    assert refused(f"/bookings/{uid}/reschedule", start) == (status, message)
    assert refused("/bookings", creation(cal) | start) == (status, message)


def test_two_reschedules_at_once_both_succeed(cal, post):  # 483-485
    uid = cal.book()
    cal.actions.thinking = 0.2
    answers = []

    def move(hours):
        body = {"start": soon(cal, hours)}
        answers.append(post(f"/bookings/{uid}/reschedule", body).status_code)

    threads = [Thread(target=move, args=(hours,)) for hours in (30, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [201, 201]
    new = cal.find(lambda booking: booking.get("rescheduledFromUid") == uid)
    assert [cal.payload(moved)["status"] for moved in new] == ["accepted"] * 2


def test_a_stranger_who_moves_a_booking_that_needs_confirmation_makes_it_pending(
    cal, post
):  # 544
    uid = cal.book(event_type="confirm", status="accepted")

    body = {"start": soon(cal), "rescheduledBy": "guest@example.net"}
    answer = post(f"/bookings/{uid}/reschedule", body, key="")

    assert answer.json()["data"]["status"] == "pending"
    assert cal.payload(uid)["status"] == "cancelled"


def test_a_seated_booking_moves_as_a_whole_and_keeps_its_uid(cal, post):  # 241
    uid = cal.book(event_type="seated")

    answer = post(f"/bookings/{uid}/reschedule", {"start": soon(cal)})

    assert answer.json()["data"]["uid"] == uid
    assert "rescheduledFromUid" not in cal.payload(uid)


def test_one_seat_moves_to_another_booking_without_a_link(cal, post):  # 269, 524
    people = [Person("A", "a@example.net"), Person("B", "b@example.net")]
    uid = cal.book(event_type="seated", attendees=people)
    first, second = (attendee["seatUid"] for attendee in cal.payload(uid)["attendees"])

    def move(seat):
        body = {"start": "2099-01-01T10:00:00Z", "seatUid": seat}
        return post(f"/bookings/{uid}/reschedule", body).json()["data"]

    one, other = move(first), move(second)

    assert one["uid"] == other["uid"] != uid
    assert one["seatUid"] != first
    assert other["seatUid"] == second
    assert "rescheduledFromUid" not in one
    assert cal.payload(uid)["status"] == "cancelled"


@pytest.mark.parametrize("body", [None, {}, {"cancellationReason": "   "}])
def test_a_host_cancels_with_a_reason_only(cal, refused, body):  # 222, 225, 534
    message = refused(f"/bookings/{cal.book()}/cancel", body)
    assert message == (400, "Cancellation reason is required")


def test_who_knows_the_uid_cancels_without_a_reason(cal, post):  # 227
    assert post(f"/bookings/{cal.book()}/cancel", key="").status_code == 200


def test_cancelled_already_is_a_refusal(cal, post, refused):  # 217
    uid = cal.book()
    assert post(f"/bookings/{uid}/cancel", {"cancellationReason": "x"}).ok

    status, message = refused(f"/bookings/{uid}/cancel", {"cancellationReason": "x"})

    assert status == 400
    assert "it has been cancelled already" in message
    assert kinds(cal) == ["cancel"]


def test_what_has_ended_is_not_cancelled(cal, refused):  # 297
    uid = cal.book(start=cal.clock.now() - timedelta(days=1))
    message = refused(f"/bookings/{uid}/cancel", {"cancellationReason": "x"})
    assert message == (400, "Cannot cancel a booking that has already ended")


def test_the_rest_of_a_series_shares_one_updated_at(cal, post):  # 263
    series = cal.book_series(3)
    body = {"cancellationReason": "stop", "cancelSubsequentBookings": True}

    shown = post(f"/bookings/{series[1]}/cancel", body).json()["data"]

    assert [row["status"] for row in shown] == ["accepted", "cancelled", "cancelled"]
    assert shown[1]["updatedAt"] == shown[2]["updatedAt"]


def test_subsequent_ones_of_a_single_booking_cancel_it_and_are_refused(cal, refused):
    uid = cal.book()
    body = {"cancellationReason": "x", "cancelSubsequentBookings": True}

    assert refused(f"/bookings/{uid}/cancel", body)[0] == 400
    assert cal.payload(uid)["status"] == "cancelled"


@pytest.mark.parametrize("how", ["cancel", "reschedule"])
def test_a_guest_has_no_seat_and_stays_when_one_is_left(cal, post, how):
    people = [Person("A", "a@example.net"), Person("B", "b@example.net")]
    uid = cal.book(event_type="seated", attendees=people)
    post(f"/bookings/{uid}/guests", {"guests": [{"email": "guest@example.net"}]})
    body = {"seatUid": cal.payload(uid)["attendees"][0]["seatUid"]}
    if how == "reschedule":
        body["start"] = soon(cal)

    assert post(f"/bookings/{uid}/{how}", body).ok

    stayed = [attendee["email"] for attendee in cal.payload(uid)["attendees"]]
    assert stayed == ["b@example.net", "guest@example.net"]


def test_a_cancelled_seat_leaves_the_others_and_no_trace_in_updated_at(
    cal, post, refused
):  # 246, 247
    people = [Person("A", "a@example.net"), Person("B", "b@example.net")]
    uid = cal.book(event_type="seated", attendees=people)
    before = cal.payload(uid)
    seat = before["attendees"][0]["seatUid"]

    assert post(f"/bookings/{uid}/cancel", {"seatUid": seat}).ok

    after = cal.payload(uid)
    assert [attendee["email"] for attendee in after["attendees"]] == ["b@example.net"]
    assert (after["status"], after["updatedAt"]) == ("accepted", before["updatedAt"])
    assert (
        "already been cancelled"
        in refused(f"/bookings/{uid}/cancel", {"seatUid": seat})[1]
    )


def test_without_a_version_a_cancel_still_cancels(cal, post):  # 236, 149
    uid = cal.book()

    assert post(f"/bookings/{uid}/reschedule", {}, version="").status_code == 404
    answer = post(f"/bookings/{uid}/cancel", {"cancellationReason": "x"}, version="")

    assert answer.status_code == 201
    assert answer.json()["data"]["onlyRemovedAttendee"] is False
    assert cal.payload(uid)["status"] == "cancelled"


def test_absence_is_marked_from_the_start_on(cal, refused):  # 276
    status, message = refused(f"/bookings/{cal.book()}/mark-absent", {"host": True})
    assert status == 400
    assert "after their scheduled start time" in message


def test_an_unknown_attendee_is_skipped_in_silence(cal, post):  # 285
    uid = cal.book(start=cal.clock.now() - timedelta(hours=1))
    body = {"attendees": [{"email": "nobody@example.net", "absent": True}]}

    assert post(f"/bookings/{uid}/mark-absent", body).status_code == 200
    assert cal.effects == []


def test_a_stub_of_reassign_answers_the_old_host(cal, post):  # 302
    cal.actions.reassign_is_stub = True
    uid = cal.book(event_type="round-robin")

    answer = post(f"/bookings/{uid}/reassign/2", {"reason": "bob free"})

    assert answer.status_code == 200
    assert answer.json()["data"]["reassignedTo"]["id"] == 1
    assert cal.payload(uid)["hosts"][0]["id"] == 1


def test_nobody_reassigns_to_somebody_unknown(cal, refused):  # 304
    uid = cal.book(event_type="round-robin")
    message = refused(f"/bookings/{uid}/reassign/999", {})
    assert message == (404, "User with id=999 was not found in the database")


@pytest.mark.cal(dialect="offset")
def test_attendees_have_numbers_in_their_own_list(cal, post, refused):  # 323-330
    uid = cal.book()
    body = {"name": "A", "email": "a@example.net", "timeZone": "UTC"}
    number = post(f"/bookings/{uid}/attendees", body).json()["data"]["id"]

    assert refused(f"/bookings/{uid}/attendees", body) == (
        400,
        "emails_must_be_unique_valid",
    )
    listed = post(f"/bookings/{uid}/attendees", method="GET").json()["data"]
    assert listed[1]["id"] == number
    first = f"/bookings/{uid}/attendees/{listed[0]['id']}"
    assert refused(first, method="DELETE") == (400, "cannot_remove_primary_attendee")
    assert post(f"/bookings/{uid}/attendees/{number}", method="DELETE").ok
    assert refused(f"/bookings/{uid}/attendees/{number}", method="DELETE") == (
        404,
        "attendee_not_found",
    )


def test_the_same_create_is_refused_and_a_pending_one_is_answered_again(
    cal, post, refused
):  # 491, 492
    person = {"name": "G", "email": "g@example.net", "timeZone": "UTC"}
    user = cal.users[1]

    def body(kind):
        number = cal.event_type(user, kind).id
        return {"eventTypeId": number, "start": soon(cal), "attendee": person}

    pending = [post("/bookings", body("confirm")).json()["data"]["uid"] for _ in "ab"]
    assert pending[0] == pending[1]
    assert post("/bookings", body("normal")).status_code == 201
    assert refused("/bookings", body("normal"))[0] == 409


def test_a_collision_later_in_a_series_leaves_the_first_ones_booked(cal, refused):
    user, start = cal.users[1], cal.clock.now() + timedelta(days=2)
    start = start.replace(minute=0, second=0, microsecond=0)
    cal.book(event_type="consultation", start=start + timedelta(weeks=2))
    body = {
        "eventTypeId": cal.event_type(user, "recurring").id,
        "start": start.isoformat(),
        "attendee": {"name": "G", "email": "g@example.net", "timeZone": "UTC"},
    }

    assert refused("/bookings", body) == (409, "booking_conflict_error")
    assert kinds(cal) == ["create", "create"]


@pytest.mark.cal(dialect="offset")
def test_a_self_hosted_server_knows_neither_the_new_version_nor_the_new_action(
    cal, post
):
    uid = cal.book()
    new = "2026-02-25"
    assert post(f"/bookings/{uid}/confirm", version=new).status_code == 404
    assert post(f"/bookings/{uid}/request-reschedule").status_code == 404


def test_a_lost_request_is_carried_out_when_told_and_only_if_it_still_can(cal, post):
    uid, other = cal.book(), cal.book()
    cal.fault("late", times=2)
    for booking in (uid, other):
        with pytest.raises(requests.ConnectionError):
            post(f"/bookings/{booking}/cancel", {"cancellationReason": "x"})
    cal.cancel(other)
    assert kinds(cal) == []

    cal.carry_out_late()

    assert [effect.uid for effect in cal.effects] == [uid]
