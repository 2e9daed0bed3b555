"""Parsing is tolerant: a booking needs a uid and a start, all else may be anything."""

import json
from dataclasses import fields
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from cal_bookings.client import (
    InvalidBooking,
    RemoteAttendee,
    RemoteBooking,
    RemoteEventType,
    RemoteHost,
    parse_booking,
    without_nuls,
)
from tests.client.conftest import RECORDINGS

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


def recorded(name):
    (path,) = RECORDINGS.glob(f"{name}-*.json")
    return json.loads(path.read_text())["response"]["body"]["data"]


def booking_json(**changes):
    return {"uid": "u1", "start": "2026-11-23T09:00:00.000Z", **changes}


def attendee_json(**changes):
    (attendee,) = parse_booking(booking_json(attendees=[changes])).attendees
    return attendee


def test_a_recorded_booking_is_read_in_full():
    assert parse_booking(recorded("039")) == RemoteBooking(
        uid="5BTviwpTVSbHcHEjF7hFtJ",
        remote_id=1,
        title="Normal between Alice Host and Guest One",
        description="",
        status="accepted",
        start=START,
        end=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        duration=30,
        event_type=RemoteEventType(2, "normal"),
        event_type_remote_id=2,
        hosts=(RemoteHost(1, "Alice Host", "alice@example.com", "alice", "UTC"),),
        location="https://meet.example.com/room",
        absent_host=False,
        cancellation_reason="",
        cancelled_by_email="",
        rescheduling_reason="",
        rescheduled_by_email="",
        rescheduled_from_uid="",
        rescheduled_to_uid="",
        recurring_booking_uid="",
        rating=None,
        ics_uid="5BTviwpTVSbHcHEjF7hFtJ@Cal.com",
        guests=[],
        metadata={},
        booking_fields_responses={
            "email": "guest1@example.net",
            "name": "Guest One",
            "displayEmail": "guest1@example.net",
        },
        remote_created_at=datetime(2026, 11, 20, 19, 51, 19, 874000, tzinfo=UTC),
        remote_updated_at=datetime(2026, 11, 20, 19, 51, 20, 117000, tzinfo=UTC),
        attendees=(
            RemoteAttendee(
                position=0,
                name="Guest One",
                email="guest1@example.net",
                display_email="guest1@example.net",
                time_zone="America/New_York",
                language="en",
                phone_number="",
                absent=False,
                seat_uid="",
                metadata={},
                booking_fields_responses={},
            ),
        ),
    )


def test_a_seated_booking_has_its_answers_per_attendee():
    booking = parse_booking(recorded("240"))

    assert booking.description == ""
    assert [attendee.position for attendee in booking.attendees] == [0, 1, 2]
    assert booking.attendees[0].seat_uid == "0512cd0b-1710-4fe5-8231-05babd6f3c28"
    assert booking.attendees[0].booking_fields_responses["name"] == "Guest One"


def test_recurring_occurrences_share_their_series():
    series = {
        parse_booking(payload).recurring_booking_uid for payload in recorded("128")
    }

    assert series == {"6471ee1d-e25f-46e3-9ee3-f452f96f86e0"}


def test_the_least_there_can_be_is_a_booking():
    booking = parse_booking(booking_json())

    assert (booking.start, booking.end, booking.duration) == (START, START, 0)
    assert (booking.status, booking.event_type, booking.attendees) == ("", None, ())


@pytest.mark.parametrize(
    ("payload", "uid", "message"),
    [
        pytest.param(None, "", "expected an object, got null", id="null"),
        pytest.param({}, "", "uid: expected text, got null", id="empty"),
        pytest.param(
            {"uid": ""}, "", "uid: expected text, got an empty text", id="no-uid"
        ),
        pytest.param(
            {"uid": "u1"},
            "u1",
            "start: expected an ISO 8601 time, got null",
            id="no-start",
        ),
        pytest.param(
            booking_json(start="2026-11-23"),
            "u1",
            "start: expected an ISO 8601 time, got text",
            id="date",
        ),
    ],
)
def test_what_is_no_booking_is_refused_naming_the_field(payload, uid, message):
    with pytest.raises(InvalidBooking) as caught:
        parse_booking(payload)

    assert (caught.value.uid, str(caught.value)) == (uid, message)


@pytest.mark.parametrize(
    "start",
    [
        "2026-11-23T09:00:00Z",
        "2026-11-23T10:00:00.000+01:00",
        "2026-11-23T09:00:00",
        "2026-11-23 09:00:00.000000000Z",
    ],
)
def test_times_are_instants(start):
    assert parse_booking(booking_json(start=start)).start == START
    assert parse_booking(booking_json(start=start)).start.tzinfo is UTC


@pytest.mark.parametrize(
    ("sent", "end", "duration"),
    [
        pytest.param({"duration": 45}, "09:45", 45, id="from-duration"),
        pytest.param({"duration": "45"}, "09:45", 45, id="from-text"),
        pytest.param({"end": "2026-11-23T09:20:00Z"}, "09:20", 20, id="from-end"),
        pytest.param({"end": "soon", "duration": 5.0}, "09:05", 5, id="bad-end"),
        pytest.param({"end": "2026-11-23T08:00:00Z"}, "08:00", 0, id="before-start"),
        pytest.param({"duration": -5}, "09:00", 0, id="negative"),
    ],
)
def test_end_and_duration_come_from_each_other(sent, end, duration):
    booking = parse_booking(booking_json(**sent))

    assert (f"{booking.end:%H:%M}", booking.duration) == (end, duration)


@pytest.mark.parametrize(
    ("sent", "event_type", "number"),
    [
        pytest.param({"eventType": None, "eventTypeId": 7}, None, 7, id="deleted"),
        pytest.param(
            {"eventType": {"id": 7, "slug": "a"}},
            RemoteEventType(7, "a"),
            7,
            id="no-id",
        ),
        pytest.param(
            {"eventType": {"slug": "a"}, "eventTypeId": 7},
            RemoteEventType(7, "a"),
            7,
            id="id-beside",
        ),
        pytest.param({"eventType": {"slug": "a"}}, None, None, id="none"),
    ],
)
def test_the_event_type_is_put_together(sent, event_type, number):
    booking = parse_booking(booking_json(**sent))

    assert (booking.event_type, booking.event_type_remote_id) == (event_type, number)


def test_unknown_is_absent():
    names = ("id", "name", "email", "username")
    booking = parse_booking(
        booking_json(
            location="unknown",
            reschedulingReason="unknown",
            hosts=[
                dict.fromkeys(names, "unknown"),
                {"id": "unknown", "email": "alice@example.com"},
            ],
            attendees=[{"name": "unknown", "email": "unknown"}],
        )
    )

    assert (booking.location, booking.rescheduling_reason) == ("", "")
    assert booking.hosts == (RemoteHost(None, "", "alice@example.com", "", ""),)
    assert (booking.attendees[0].name, booking.attendees[0].email) == ("", "")


def test_a_status_nobody_knows_is_kept_as_sent():
    assert parse_booking(booking_json(status="AWAITING_host")).status == "AWAITING_host"


def test_a_name_in_two_parts_is_one_name():
    name = {"firstName": "Ada", "lastName": "Lovelace"}

    assert attendee_json(name=name).name == "Ada Lovelace"
    assert attendee_json(name={"firstName": "Ada"}).name == "Ada"


def test_only_true_is_true():
    assert attendee_json(absent=True).absent is True
    assert attendee_json(absent="true").absent is False
    assert parse_booking(booking_json(absentHost=1)).absent_host is False


def test_lists_keep_what_can_be_read():
    booking = parse_booking(
        booking_json(
            guests=["a@example.com", None, 3],
            attendees=[None, {"email": "b@example.com"}],
            hosts="none",
        )
    )

    assert booking.guests == ["a@example.com"]
    assert [(attendee.position, attendee.email) for attendee in booking.attendees] == [
        (0, "b@example.com")
    ]
    assert booking.hosts == ()


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ("12", 12),
        (12.0, 12),
        (True, None),
        (2**63, None),
        ("9" * 30, None),
        ("²", None),
    ],
)
def test_a_number_is_whole_and_fits_its_column(sent, number):
    assert parse_booking(booking_json(id=sent)).remote_id == number


def test_nuls_are_dropped_everywhere():
    booking = parse_booking(
        booking_json(title="a\x00b", metadata={"k\x00": ["\x00", {"n": "v\x00"}, 1]})
    )

    assert booking.title == "ab"
    assert booking.metadata == {"k": ["", {"n": "v"}, 1]}
    assert without_nuls(["\x00a", None, 1.5]) == ["a", None, 1.5]


TEXT_FIELDS = [field for field in fields(RemoteBooking) if field.type == "str"]
KEYS = (
    *("id", "uid", "title", "description", "status", "start", "end", "duration"),
    *("eventType", "eventTypeId", "hosts", "location", "absentHost", "createdAt"),
    *("cancellationReason", "cancelledByEmail", "reschedulingReason", "updatedAt"),
    *("rescheduledByEmail", "rescheduledFromUid", "rescheduledToUid", "icsUid"),
    *("recurringBookingUid", "rating", "guests", "metadata", "attendees"),
    *(
        "bookingFieldsResponses",
        "name",
        "email",
        "displayEmail",
        "timeZone",
        "language",
    ),
    *("phoneNumber", "absent", "seatUid", "username", "slug", "firstName", "lastName"),
)
MOMENTS = st.datetimes(timezones=st.none() | st.just(UTC)).map(datetime.isoformat)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | MOMENTS
    | st.sampled_from(["unknown", "", "\x00", "9" * 5000, "0001-01-01T00:00:00+14:00"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=10,
)


def parsed(payload):
    """The booking, or None for an invalid one; any other error is the test's."""
    try:
        return parse_booking(payload)
    except InvalidBooking:
        return None


# The shapes are deep: drawing them takes longer than reading them.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(changes=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=12))
def test_whatever_is_sent_is_a_booking_or_invalid(changes):
    booking = parsed(booking_json(**changes))

    if booking is None:
        assert set(changes) & {"uid", "start"}
    else:
        assert booking.uid
        assert (booking.start.tzinfo, booking.end.tzinfo) == (UTC, UTC)
        texts = (getattr(booking, field.name) for field in TEXT_FIELDS)
        assert [text for text in texts if type(text) is not str or "\x00" in text] == []


@pytest.mark.parametrize("start", ["0001-12-31T23:59:59Z", "9999-01-01T00:00:00Z"])
def test_a_time_at_the_ends_of_the_calendar_is_no_time(start):
    """No time zone could show it, and nothing comes before or after it."""
    with pytest.raises(InvalidBooking, match="start: expected an ISO 8601 time"):
        parse_booking({"uid": "a", "start": start})


def test_a_booking_that_would_end_after_all_days_ends_when_it_starts():
    payload = {"uid": "a", "start": "9998-12-31T23:59:00Z", "duration": 60}

    booking = parse_booking(payload)

    assert booking.end == booking.start
