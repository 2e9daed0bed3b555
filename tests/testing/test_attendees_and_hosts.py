"""The routes of people: who may use them, what they refuse, and what they leave on the booking."""

from datetime import timedelta

import pytest

from cal_bookings.testing import Person
from tests.testing.conftest import (
    SELF_HOSTED,
    kinds,
    soon,
)

ADA = {"name": "Ada", "email": "ada@example.net", "timeZone": "Europe/Rome"}
LINK = {"location": {"type": "link", "link": "https://meet.example.com/x"}}


@pytest.fixture
def stranger(cal):
    return cal.users[2].api_key


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("GET", "attendees", None, "BookingPbacGuard - user with id=2 does not have"),
        ("POST", "attendees", ADA, "BookingPbacGuard - user with id=2 does not have"),
        ("POST", "guests", {"guests": [ADA]}, "you_do_not_have_permission"),
        ("PATCH", "location", LINK, "not authorized to update this booking location"),
        ("POST", "reassign", None, "do not have permission to reassign this booking"),
    ],
)
def test_another_user_s_key_is_forbidden(
    cal, refused, stranger, method, path, body, words
):
    uid = cal.book(event_type="round-robin")

    status, message = refused(
        f"/bookings/{uid}/{path}", body, key=stranger, method=method
    )

    assert status == 403
    assert words in message
    assert cal.effects == []


def test_another_user_s_key_marks_nobody_absent(cal, post, stranger):
    uid = cal.book(start=cal.clock.now() - timedelta(hours=2))

    answer = post(f"/bookings/{uid}/mark-absent", {"host": True}, key=stranger)

    message = {"statusCode": 500, "message": "Failed to update no-show status"}
    assert (answer.status_code, answer.json()) == (500, message)
    assert cal.effects == []


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("attendees", ADA | {"email": "nope"}, "email must be an email"),
        ("attendees", {"email": "a@example.net"}, "name must be a string"),
        ("attendees", ADA | {"timeZone": "Mars/X"}, "valid IANA time-zone"),
        ("attendees", ADA | {"phoneNumber": "12"}, "Invalid phone number format."),
        ("attendees", ADA | {"language": "xx"}, "language must be one of"),
        ("guests", {}, "guests must be an array"),
        ("guests", {"guests": []}, "guests must contain at least 1 elements"),
        ("guests", {"guests": [ADA] * 11}, "Cannot add more than 10 guests at a time"),
        ("guests", {"guests": ["a@example.net"]}, "each value must be an object"),
        ("guests", {"guests": [{"email": "nope"}]}, "email must be an email"),
        ("location", {"location": {"type": "address"}}, "address must be a string"),
        ("location", {"location": {"type": "link", "link": "x"}}, "link must be a URL"),
        (
            "location",
            {"location": {"type": "phone", "phone": "x"}},
            "must be a valid phone number",
        ),
        (
            "location",
            {"location": {"type": "integration", "integration": "x"}},
            "Invalid integration.",
        ),
        ("location", {"location": {"address": "1 Main St"}}, "must have a 'type'"),
        ("location", {"location": "1 Main St"}, "must have a 'type'"),
        ("mark-absent", {"host": "yes"}, "host must be a boolean value"),
        ("mark-absent", {"attendees": []}, "must contain at least 1 elements"),
        (
            "mark-absent",
            {"attendees": [{"email": "a@example.net"}]},
            "absent must be a boolean value",
        ),
        (
            "mark-absent",
            {"attendees": [{"email": "nope", "absent": True}]},
            "email must be an email",
        ),
        ("decline", {"reason": 5}, "reason must be a string"),
        ("request-reschedule", {"rescheduleReason": 5}, "must be a string"),
        ("reassign/2", {"reason": 5}, "reason must be a string"),
    ],
)
def test_what_the_body_lacks_is_named_as_cal_com_does(cal, post, path, body, words):
    uid = cal.book(event_type="confirm")
    method = "PATCH" if path == "location" else "POST"

    answer = post(f"/bookings/{uid}/{path}", body, method=method)

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["message"] == "Bad Request Exception"
    assert words in str(error["details"]["errors"])
    assert cal.effects == []


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("cancel", {"cancellationReason": 5}, "cancellationReason must be a string"),
        ("cancel", {"cancelSubsequentBookings": "yes"}, "must be a boolean value"),
        ("cancel", {"seatUid": 5}, "seatUid must be a string"),
        ("reschedule", {"rescheduledBy": 5}, "rescheduledBy must be a string"),
        ("reschedule", {"reschedulingReason": []}, "must be a string"),
        ("reschedule", {"allowConflicts": 1}, "must be a boolean value"),
    ],
)
@pytest.mark.parametrize("key", [None, ""])
def test_cancel_and_reschedule_say_what_is_wrong_in_words(
    cal, refused, path, body, words, key
):
    status, message = refused(
        f"/bookings/{cal.book()}/{path}", {"start": soon(cal)} | body, key=key
    )
    assert (status, words in message) == (400, True)


def test_an_added_attendee_is_a_guest_with_a_phone_number(cal, post):  # 517
    uid = cal.book()
    body = ADA | {"phoneNumber": "+14155552671", "language": "it"}

    answer = post(f"/bookings/{uid}/attendees", body)

    payload = cal.payload(uid)
    assert answer.json()["data"]["bookingId"] == payload["id"]
    assert payload["attendees"][1] == body | {
        "displayEmail": "ada@example.net",
        "absent": False,
    }
    responses = payload["bookingFieldsResponses"]
    assert payload["guests"] == responses["guests"] == responses["displayGuests"]
    assert payload["guests"] == ["ada@example.net"]


@SELF_HOSTED
def test_a_removed_attendee_is_shown_once_more_and_is_no_guest(cal, post):  # 329, 519
    uid = cal.book()
    number = post(f"/bookings/{uid}/attendees", ADA).json()["data"]["id"]

    answer = post(f"/bookings/{uid}/attendees/{number}", method="DELETE")

    numbers = {"id": number, "bookingId": cal.payload(uid)["id"]}
    assert answer.json()["data"] == ADA | numbers
    assert cal.payload(uid)["guests"] == []


def test_hosted_cal_com_removes_no_attendee(cal, refused):
    path = f"/bookings/{cal.book()}/attendees/1"
    assert refused(path, method="DELETE") == (404, f"Cannot DELETE /v2{path}")


@pytest.mark.parametrize(("dialect", "status"), [("cursor", 400), ("offset", 201)])
def test_only_a_self_hosted_server_adds_one_without_a_seat(cal, post, dialect, status):
    cal.dialect = dialect
    uid = cal.book(event_type="seated")

    assert post(f"/bookings/{uid}/attendees", ADA).status_code == status

    people = cal.payload(uid)["attendees"]
    assert [bool(person.get("seatUid")) for person in people] == (
        [True, False] if status == 201 else [True]
    )
    assert "guests" not in cal.payload(uid)


def test_a_guest_without_a_zone_gets_the_one_of_the_host(cal, post):
    uid = cal.book()
    guests = [{"email": "a@example.net"}, {"email": "b@example.net", "name": "B"}]

    post(f"/bookings/{uid}/guests", {"guests": guests})

    added = cal.payload(uid)["attendees"][1:]
    zone = cal.users[1].time_zone
    shown = [(attendee["name"], attendee["timeZone"]) for attendee in added]
    assert shown == [("", zone), ("B", zone)]


@pytest.mark.parametrize(
    ("location", "response"),
    [
        ({"type": "address", "address": "1 Main St"}, ("inPerson", "")),  # 336
        ({"type": "link", "link": "https://meet.example.com/x"}, ("link", "")),  # 333
        ({"type": "attendeePhone", "phone": "+14155552671"}, ("phone", "+14155552671")),
        ({"type": "attendeeDefined", "location": "Bar"}, ("somewhereElse", "Bar")),
    ],
)
def test_a_location_is_kept_among_the_responses(cal, post, location, response):
    uid = cal.book()

    answer = post(f"/bookings/{uid}/location", {"location": location}, method="PATCH")

    shown = answer.json()["data"]
    value, option = response
    wanted = {"value": value, "optionValue": option}
    assert shown["bookingFieldsResponses"]["location"] == wanted
    assert shown["location"] == list(location.values())[1]


def test_only_a_round_robin_is_reassigned(cal, refused):
    uid = cal.book()
    assert refused(f"/bookings/{uid}/reassign") == (
        400,
        "no_available_users_found_error",
    )
    assert refused(f"/bookings/{uid}/reassign/2") == (400, "invalid_round_robin_host")
    cal.edit(uid, eventTypeId=None, eventType=None)
    assert refused(f"/bookings/{uid}/reassign")[0] == 500
    assert kinds(cal) == []


def test_a_stub_reassigns_whatever_it_is_asked_to(cal, post):  # 307
    cal.actions.reassign_is_stub = True
    assert post(f"/bookings/{cal.book()}/reassign").status_code == 200


def test_a_user_that_is_no_number_is_an_internal_error(cal, refused):  # 305
    uid = cal.book(event_type="round-robin")
    message = "There was an error, please try again later."
    assert refused(f"/bookings/{uid}/reassign/abc", {}) == (500, message)


# What a reschedule leaves


def test_both_halves_of_a_reschedule_name_who_moved_it_and_the_new_one_why(cal, post):
    uid = cal.book()
    by = cal.users[1].email
    body = {"start": soon(cal), "rescheduledBy": by, "reschedulingReason": "conflict"}

    new = post(f"/bookings/{uid}/reschedule", body).json()["data"]

    assert new["rescheduledByEmail"] == cal.payload(uid)["rescheduledByEmail"] == by
    assert new["reschedulingReason"] == "conflict"
    assert new["bookingFieldsResponses"]["rescheduledReason"] == "conflict"
    assert "reschedulingReason" not in cal.payload(uid)

    body = {"start": soon(cal, 90)}
    again = post(f"/bookings/{new['uid']}/reschedule", body).json()["data"]
    assert "reschedulingReason" not in again  # 138
    assert "rescheduledReason" not in again["bookingFieldsResponses"]


def test_guests_lose_their_names_and_absences_when_a_booking_moves(cal, post):  # 295
    people = [Person("A", "a@example.net", "Asia/Tokyo"), Person("B", "b@example.net")]
    uid = cal.book(attendees=people, start=cal.clock.now() - timedelta(hours=2))
    cal.mark_absent(uid)
    cal.mark_host_absent(uid)

    new = post(f"/bookings/{uid}/reschedule", {"start": soon(cal)}).json()["data"]

    first, second = new["attendees"]
    assert (first["name"], second["name"]) == ("A", "")
    assert (second["email"], second["timeZone"]) == ("b@example.net", "Asia/Tokyo")
    assert [first["absent"], second["absent"], new["absentHost"]] == [False] * 3


# A series that has begun


def test_a_series_whose_first_occurrence_is_over_is_not_cancelled_as_a_whole(
    cal, refused
):
    uids = cal.book_series(3, start=cal.clock.now() - timedelta(days=8))
    series = cal.payload(uids[0])["recurringBookingUid"]
    body = {"cancellationReason": "stop"}

    assert refused(f"/bookings/{series}/cancel", body) == (
        400,
        "Cannot cancel a booking that has already ended",
    )
    cal.cancel(uids[0])
    status, message = refused(f"/bookings/{series}/cancel", body)
    assert (status, "has been cancelled already" in message) == (400, True)
    assert kinds(cal) == []


# What everybody sees of event types, lists and requests


def test_both_filters_of_event_types_together_let_either_through(cal, get):
    consultation = cal.book(event_type="consultation")
    weekly = cal.book_series(1)[0]
    cal.book(event_type="deep-dive")
    numbers = [cal.payload(uid)["eventTypeId"] for uid in (consultation, weekly)]

    answer = get("/bookings", eventTypeId=numbers[0], eventTypeIds=numbers[1])

    assert {booking["uid"] for booking in answer.json()["data"]} == {
        consultation,
        weekly,
    }
    assert get("/bookings", eventTypeIds="98,99").status_code == 400  # 114


def test_event_types_are_shown_to_anybody_by_username_with_all_their_keys(cal, get):
    version = "2024-06-14"
    asked = {"username": "host2", "eventSlug": "weekly"}
    [weekly] = get("/event-types", version=version, key="", **asked).json()["data"]

    assert weekly["recurrence"]["occurrences"] == 4
    assert weekly["bookingFields"][0]["slug"] == "name"
    assert len(weekly) == 44  # as many as in 007
    unknown = get("/event-types", version=version, username="nobody")
    assert unknown.json()["data"] == []  # 472
    assert get("/event-types", version="2024-08-13").status_code == 404  # 474
