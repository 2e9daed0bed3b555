"""A request to create a booking: each field of the contract is honoured or refused, as on Cal.com."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cal_bookings.testing import Person
from cal_bookings.testing.endpoints import bodies
from tests.testing.conftest import (
    SELF_HOSTED,
    creation,
    kinds,
    soon,
)

CONTRACT = json.loads(
    (Path(__file__).parents[1] / "data" / "contract.json").read_text()
)
CREATE = "POST /bookings"
FIELDS = [
    *CONTRACT["openapi"][CREATE],
    *CONTRACT["source"][CREATE],
    *CONTRACT["hosted"][CREATE],
]


@pytest.fixture
def made(cal, post):
    """The booking that a request creates."""

    def made(event_type="normal", key=None, **fields):
        answer = post("/bookings", creation(cal, event_type, **fields), key=key)
        assert answer.status_code == 201, answer.text
        data = answer.json()["data"]
        for shown in data if isinstance(data, list) else [data]:
            kept = {key: shown[key] for key in cal.payload(shown["uid"])}
            assert kept == cal.payload(shown["uid"])
        return data

    return made


def test_the_fake_knows_the_fields_of_the_contract_and_no_others():
    known = {
        CREATE: bodies.CREATE | bodies.PRIVILEGES,
        "POST /bookings/{uid}/reschedule": bodies.RESCHEDULE | bodies.HOSTED_RESCHEDULE,
        "POST /bookings/{uid}/cancel": bodies.CANCEL,
        "POST /bookings/{uid}/decline": bodies.REASON,
        "POST /bookings/{uid}/mark-absent": bodies.MARK_ABSENT,
        "POST /bookings/{uid}/reassign/{user}": bodies.REASON,
        "PATCH /bookings/{uid}/location": bodies.LOCATION,
        "POST /bookings/{uid}/attendees": bodies.ATTENDEE,
        "POST /bookings/{uid}/guests": bodies.GUESTS,
        "POST /bookings/{uid}/request-reschedule": bodies.REQUEST_RESCHEDULE,
    }
    contract: dict[str, set[str]] = {}
    for source in ("openapi", "source", "hosted"):
        for route, fields in CONTRACT[source].items():
            contract.setdefault(route, set()).update(fields)

    assert {route: set(fields) for route, fields in known.items()} == contract


# Each field, with a test that it is honoured


def honours_start(cal, made):
    start = soon(cal, 50)
    assert made(start=start)["start"] == start.replace("+00:00", ".000Z")


def honours_attendee(cal, made):
    person = {
        "name": "Ada",
        "email": "ada@example.net",
        "timeZone": "Europe/Rome",
        "phoneNumber": "+14155552671",
        "language": "pt-BR",
    }
    booking = made(attendee=person)
    shown = {"displayEmail": "ada@example.net", "absent": False}
    assert booking["attendees"] == [person | shown]
    assert booking["bookingFieldsResponses"] == {
        "email": "ada@example.net",
        "name": "Ada",
        "displayEmail": "ada@example.net",
        "attendeePhoneNumber": "+14155552671",
    }
    assert booking["title"].endswith("and Ada")


def honours_responses(cal, made):
    answers = {"notes": "hello", "size": ["L"], "name": "Nobody", "email": "no@x.test"}
    booking = made(bookingFieldsResponses=answers)
    shown = booking["bookingFieldsResponses"]
    assert booking["description"] == shown["notes"] == "hello"
    assert (shown["size"], shown["name"]) == (["L"], "Zoë")


def honours_number_of_event_type(cal, made):
    number = cal.event_type(cal.users[2], "consultation").id
    assert made(eventTypeId=number)["eventTypeId"] == number


def honours_slug_and_username(cal, made):
    user = cal.users[2]
    named = {"eventTypeSlug": "consultation", "username": user.username}
    booking = made(eventTypeId=None, **named)
    assert booking["hosts"][0]["id"] == user.id
    assert booking["eventType"]["slug"] == "consultation"


def honours_team(cal, made):
    booking = made(eventTypeId=None, eventTypeSlug="support", teamSlug="team-1")
    assert booking["eventType"]["slug"] == "support"


def honours_organization(cal, made):
    user = cal.add_user(organization_id=7)
    named = {"eventTypeSlug": "consultation", "username": user.username}
    booking = made(eventTypeId=None, organizationSlug="organization-7", **named)
    assert booking["hosts"][0]["id"] == user.id


def honours_guests(cal, made):
    booking = made(guests=["extra@example.net"])
    guest = booking["attendees"][1]
    responses = booking["bookingFieldsResponses"]
    assert (guest["name"], guest["timeZone"]) == ("", "Asia/Tokyo")
    assert booking["guests"] == responses["guests"] == responses["displayGuests"]
    assert booking["guests"] == [guest["email"]] == ["extra@example.net"]


def honours_meeting_url(cal, made):
    link = "https://meet.example.com/mine"
    assert made(meetingUrl=link)["location"] == link


def honours_location(cal, made):
    wanted = {"type": "attendeeAddress", "address": "5 High St"}
    booking = made(location=wanted)
    assert booking["location"] == booking["meetingUrl"] == "5 High St"
    response = {"value": "attendeeInPerson", "optionValue": "5 High St"}
    assert booking["bookingFieldsResponses"]["location"] == response


def honours_metadata(cal, made):
    assert made(metadata={"ref": "1"})["metadata"] == {"ref": "1"}


def honours_length(cal, made):
    booking = made("deep-dive", lengthInMinutes=90)
    assert booking["duration"] == 90
    start, end = (datetime.fromisoformat(booking[name]) for name in ("start", "end"))
    assert end - start == timedelta(minutes=90)


def honours_routing(cal, made):
    booking = made("round-robin", routing={"teamMemberIds": [99, 3]})
    assert booking["hosts"][0]["id"] == 3


def honours_instant(cal, made):
    assert made(instant=False)["status"] == "accepted"


def honours_recurrence_count(cal, made):
    assert len(made("recurring", recurrenceCount=2)) == 2


def honours_verification_code(cal, made):
    """No event type of the fake asks for one, and Cal.com reads it of no other."""
    assert made(emailVerificationCode="123456")["status"] == "accepted"


def honours_conflicts(cal, made):
    taken = made("consultation")
    again = made("intro-call", allowConflicts=True)
    assert again["start"] == taken["start"]


def honours_bounds(cal, made):
    assert made(allowBookingOutOfBounds=True)["status"] == "accepted"


def honours_limits(cal, made):
    assert made(skipBookingLimits=True)["status"] == "accepted"


HONOURED = {
    "start": honours_start,
    "attendee": honours_attendee,
    "bookingFieldsResponses": honours_responses,
    "eventTypeId": honours_number_of_event_type,
    "eventTypeSlug": honours_slug_and_username,
    "username": honours_slug_and_username,
    "teamSlug": honours_team,
    "organizationSlug": honours_organization,
    "guests": honours_guests,
    "meetingUrl": honours_meeting_url,
    "location": honours_location,
    "metadata": honours_metadata,
    "lengthInMinutes": honours_length,
    "routing": honours_routing,
    "instant": honours_instant,
    "recurrenceCount": honours_recurrence_count,
    "emailVerificationCode": honours_verification_code,
    "allowConflicts": honours_conflicts,
    "allowBookingOutOfBounds": honours_bounds,
    "skipBookingLimits": honours_limits,
}


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_of_the_contract_is_honoured(cal, made, field):
    HONOURED[field](cal, made)


# Each field, with values that Cal.com refuses

ATTENDEE = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"}
WRONG = [
    ("start", 5, "start must be a valid ISO 8601 date string"),
    ("start", "2020-01-01T10:00:00Z", "Attempting to book a meeting in the past."),
    ("attendee", None, "attendee should not be null or undefined"),
    ("attendee", ATTENDEE | {"name": 5}, "name must be a string"),
    ("attendee", ATTENDEE | {"name": ""}, "responses - {name}error_required_field, "),
    ("attendee", ATTENDEE | {"timeZone": None}, "must be a valid IANA time-zone"),
    ("attendee", ATTENDEE | {"timeZone": "Mars/X"}, "must be a valid IANA time-zone"),
    (
        "attendee",
        ATTENDEE | {"language": "xx"},
        "language must be one of the following",
    ),
    ("attendee", ATTENDEE | {"email": "nope"}, "responses - {email}email_validation"),
    ("attendee", ATTENDEE | {"email": None}, "at least one contact method"),
    (
        "attendee",
        ATTENDEE | {"phoneNumber": "12"},
        "{attendeePhoneNumber}invalid_number",
    ),
    ("attendee", ATTENDEE | {"shoe": 5}, "property shoe should not exist"),
    ("bookingFieldsResponses", [], "bookingFieldsResponses must be an object"),
    ("bookingFieldsResponses", {"notes": 5}, "{notes}Expected string, received number"),
    ("eventTypeId", "2", "eventTypeId must be an integer number"),
    ("eventTypeId", None, "Either eventTypeId or eventTypeSlug + username or"),
    ("eventTypeSlug", 5, "eventTypeSlug must be a string"),
    ("username", 5, "username must be a string"),
    ("teamSlug", 5, "teamSlug must be a string"),
    ("organizationSlug", 5, "organizationSlug must be a string"),
    ("guests", "a@example.net", "guests must be an array"),
    ("guests", [5], "each value in guests must be a string"),
    ("guests", ["nope"], "responses - {guests}email_validation_error, "),
    ("meetingUrl", "nope", "meetingUrl must be a URL address"),
    ("location", {"type": "bogus"}, "Unsupported booking location type 'bogus'."),
    ("location", 5, "must have a 'type' property"),
    (
        "location",
        {"type": "attendeePhone", "phone": "x"},
        "must be a valid phone number",
    ),
    ("location", {"type": "attendeeAddress"}, "address must be a string"),
    ("location", {"type": "organizersDefaultApp"}, "not valid for event type with id="),
    (
        "location",
        {"type": "integration", "integration": "zoom"},
        "integration zoom not",
    ),
    ("metadata", [], "metadata must be an object"),
    ("metadata", {"k" * 41: "v"}, "each key up to 40 characters"),
    ("metadata", {"k": "v" * 501}, "string values up to 500"),
    ("metadata", {"k": 5}, "metadata.k - Expected string, received number, "),
    ("lengthInMinutes", 60, "Can't specify 'lengthInMinutes'"),
    ("lengthInMinutes", 0, "lengthInMinutes must not be less than 1"),
    ("routing", {}, "teamMemberIds must be an array"),
    ("routing", 5, "nested property routing must be either object or array"),
    ("instant", True, "Instant bookings are only supported for team event types"),
    ("instant", "yes", "instant must be a boolean value"),
    ("recurrenceCount", 0, "recurrenceCount must not be less than 1"),
    ("emailVerificationCode", 5, "emailVerificationCode must be a string"),
    ("allowConflicts", "yes", "allowConflicts must be a boolean value"),
    ("allowBookingOutOfBounds", 1, "allowBookingOutOfBounds must be a boolean value"),
    ("skipBookingLimits", "no", "skipBookingLimits must be a boolean value"),
    ("bogus", 1, "property bogus should not exist"),
]


@pytest.mark.parametrize(("field", "value", "words"), WRONG)
def test_what_cal_com_refuses_in_a_field_is_refused(cal, refused, field, value, words):
    status, message = refused("/bookings", creation(cal, **{field: value}))

    assert status == 400
    assert words in message
    assert cal.effects == []


def test_each_field_of_the_contract_is_among_the_refused():
    assert {field for field, _, _ in WRONG} == {*FIELDS, "bogus"}


def test_an_event_type_that_is_not_there_is_named_as_it_was_asked_for(cal, refused):
    def named(**fields):
        return refused("/bookings", creation(cal, eventTypeId=None, **fields))

    assert refused("/bookings", creation(cal, eventTypeId=99)) == (
        404,
        "Event type with id 99 not found.",
    )
    assert named(eventTypeSlug="x", username="host1") == (
        404,
        "Event type with slug x belonging to user host1 not found.",
    )
    assert named(eventTypeSlug="x", teamSlug="crew") == (
        404,
        "Event type with slug x belonging to team crew not found.",
    )


def test_only_a_length_that_the_event_type_offers_is_booked(cal, refused):  # 054
    body = creation(cal, "deep-dive", lengthInMinutes=45)
    assert refused("/bookings", body)[1].endswith("possible lengths are: 30, 60, 90")


@SELF_HOSTED
@pytest.mark.parametrize("field", CONTRACT["hosted"][CREATE])
def test_a_self_hosted_server_does_not_know_the_options_of_hosts(cal, refused, field):
    status, message = refused("/bookings", creation(cal, **{field: True}))
    assert (status, f"property {field} should not exist" in message) == (400, True)


def test_only_a_host_may_allow_conflicts_and_never_the_very_same_time(cal, made, post):
    made("consultation")
    body = creation(cal, "intro-call", allowConflicts=True)

    assert post("/bookings", body, key=cal.users[2].api_key).status_code == 409
    assert post("/bookings", body, key="").status_code == 409
    same = post("/bookings", creation(cal, "consultation", allowConflicts=True))
    assert same.json() == {"statusCode": 409, "message": "booking_conflict_error"}


@pytest.mark.parametrize("verb", ["create", "reschedule"])
def test_a_start_without_a_zone_is_read_as_utc(cal, post, verb):  # 371
    body = {"start": "2099-12-24T10:00:00"}
    path = "/bookings"
    if verb == "reschedule":
        path = f"/bookings/{cal.book()}/reschedule"
    else:
        body = creation(cal) | body

    answer = post(path, body)

    assert answer.json()["data"]["start"] == "2099-12-24T10:00:00.000Z"


def test_a_series_follows_the_clock_of_its_booker_over_summer_time(cal, made):
    cal.clock.set(cal.clock.now().replace(year=2030, month=3, day=1))
    person = ATTENDEE | {"timeZone": "Europe/Berlin"}

    series = made("recurring", start="2030-03-20T10:00:00Z", attendee=person)

    assert [series["start"][5:16] for series in series] == [
        *("03-20T10:00", "03-27T10:00"),
        *("04-03T09:00", "04-10T09:00"),
    ]


def test_a_seat_keeps_answers_and_metadata_of_its_attendee(cal, made):
    fields = {"bookingFieldsResponses": {"notes": "window"}, "metadata": {"ref": "1"}}
    booking = made("seated", guests=["guest@example.net"], **fields)

    (seat,) = booking["attendees"]
    answers = {"name": "Zoë", "guests": ["guest@example.net"], "notes": "window"}
    assert seat["bookingFieldsResponses"] == answers
    assert seat["metadata"] == {"ref": "1"}
    assert not {"metadata", "bookingFieldsResponses", "guests"} & booking.keys()


def test_seats_are_taken_until_none_is_left(cal, post, refused):  # 049, 051
    people = [Person(f"P{n}", f"p{n}@example.net") for n in range(10)]
    start = cal.clock.now().replace(microsecond=0) + timedelta(hours=5)
    cal.book(event_type="seated", start=start, attendees=people)
    body = creation(cal, "seated", start=start.isoformat())

    assert refused("/bookings", body) == (
        409,
        "No more seats left at this seated booking.",
    )
    sits = body | {"attendee": ATTENDEE | {"email": "p3@example.net"}}
    assert refused("/bookings", sits)[1] == "already_signed_up_for_this_booking_error"
    assert kinds(cal) == []


def test_a_team_meets_at_once_and_waits_for_a_host(cal, made):
    now = cal.clock.now().replace(microsecond=0)

    shown = made("round-robin", instant=True, start=now.isoformat())

    assert shown["status"] == "awaiting_host"
    assert kinds(cal) == ["create"]


def test_an_event_type_that_wants_a_code_refuses_all_but_the_last_one(cal, post, made):
    event_type = cal.event_type(cal.users[1], "normal")
    cal.event_types[event_type.id] = replace(event_type, wants_email_code=True)
    refused = [post("/bookings", creation(cal)).json()["error"]["message"]]
    cal.mailbox.send("zoe@example.net")
    wrong = creation(cal, emailVerificationCode="0")
    refused.append(post("/bookings", wrong).json()["error"]["message"])

    made(emailVerificationCode=cal.mailbox.codes["zoe@example.net"])

    assert refused == ["email_verification_required", "invalid_verification_code"]
