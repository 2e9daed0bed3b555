"""When an event type is deleted, Cal.com forgets what its bookings said, and shows placeholders. The mirror does not.

The placeholders are those of a booking on hosted Cal.com, seen on 10 September 2026.
"""

from typing import Any

import pytest
from django.urls import reverse

from cal_bookings.models import Attendee, Booking, BookingChange, EventType
from tests.builders import attendee_payload, booking_payload, host_payload

UNKNOWN = {"email": "unknown", "name": "unknown"}
ANSWERS = {"notes": "wheelchair", "email": "ben@example.net", "name": "Ben"}


def seat(name: str, **fields: Any) -> dict[str, Any]:
    return attendee_payload(
        name,
        seatUid=f"seat-{name}",
        metadata={"mark": name},
        bookingFieldsResponses=ANSWERS | {"name": name},
        **fields,
    )


def placeholder(attendee: dict[str, Any]) -> dict[str, Any]:
    kept = ("name", "email", "displayEmail", "timeZone", "language", "absent")
    return {key: attendee[key] for key in kept}


@pytest.fixture
def known():
    return booking_payload(
        "a",
        metadata={"order": "17"},
        bookingFieldsResponses=ANSWERS,
        attendees=[seat("Ben"), seat("Cleo")],
        location="Room 9",
    )


def deleted(payload, **fields):
    """The same booking after its event type was deleted."""
    return (
        payload
        | {
            "eventType": None,
            "eventTypeId": None,
            "metadata": {},
            "bookingFieldsResponses": UNKNOWN,
            "location": "unknown",
            "attendees": [placeholder(attendee) for attendee in payload["attendees"]],
        }
        | fields
    )


def typed():
    """What the mirror says of the booking and its attendees, apart from the payload."""
    booking = Booking.objects.values(
        "event_type__remote_id",
        "event_type_remote_id",
        "metadata",
        "booking_fields_responses",
        "location",
    )
    people = Attendee.objects.values(
        "pk", "name", "seat_uid", "metadata", "booking_fields_responses"
    )
    return booking.get(), list(people)


def test_a_deleted_event_type_takes_nothing_away(mirrors, known):
    mirrors(known)
    before = typed()

    mirrors(deleted(known), minutes=1)

    assert typed() == before
    booking = Booking.objects.get()
    assert booking.event_type_gone_at is not None
    assert booking.payload == deleted(known)
    assert set(BookingChange.objects.get().changes) == {"event_type_gone_at"}


def test_it_takes_nothing_away_at_later_changes_either(mirrors, known):
    mirrors(known)
    before = typed()
    mirrors(deleted(known), minutes=1)
    gone_at = Booking.objects.get().event_type_gone_at

    mirrors(deleted(known, status="cancelled"), minutes=2)

    booking = Booking.objects.get()
    assert (booking.status, booking.event_type_gone_at) == ("cancelled", gone_at)
    assert typed() == before


def test_a_seat_that_joins_and_one_that_leaves_meanwhile_are_followed(mirrors, known):
    mirrors(known)
    ben = Attendee.objects.get(name="Ben")
    people = [placeholder(seat("Dan")), placeholder(seat("Ben", absent=True))]

    mirrors(deleted(known, attendees=people), minutes=1)

    attendees = {attendee.name: attendee for attendee in Attendee.objects.all()}
    assert set(attendees) == {"Ben", "Dan"}
    assert (attendees["Ben"].pk, attendees["Ben"].absent) == (ben.pk, True)
    assert (attendees["Ben"].seat_uid, attendees["Ben"].metadata) == (
        ben.seat_uid,
        ben.metadata,
    )
    assert attendees["Dan"].seat_uid == ""


def test_an_attendee_whose_name_and_address_are_unknown_stays_who_they_were(
    mirrors, known
):
    known["attendees"] = [seat("Ben")]
    mirrors(known)
    before = typed()
    nobody = placeholder(seat("Ben")) | UNKNOWN | {"displayEmail": "unknown"}

    mirrors(deleted(known, attendees=[nobody]), minutes=1)

    assert typed() == before
    assert Attendee.objects.get().email == "ben@example.net"


def test_hosts_without_their_numbers_stay(mirrors, known):
    mirrors(known)
    nobody = host_payload(id="unknown", **UNKNOWN, username="unknown")

    mirrors(deleted(known, hosts=[nobody]), minutes=1)

    assert [host.name for host in Booking.objects.get().hosts.all()] == ["Ada"]


def test_an_event_type_that_comes_back_takes_the_mark_away(mirrors, known):
    mirrors(known)
    before = typed()
    mirrors(deleted(known), minutes=1)

    mirrors(
        known | {"eventType": {"id": 5, "slug": "new"}, "eventTypeId": 5}, minutes=2
    )

    booking = Booking.objects.get()
    assert booking.event_type_gone_at is None
    assert booking.event_type is not None
    assert booking.event_type.slug == "new"
    assert typed()[1] == before[1]


def test_a_booking_that_never_had_an_event_type_is_not_marked(mirrors, known):
    mirrors(deleted(known))
    mirrors(deleted(known, status="cancelled"), minutes=1)

    booking = Booking.objects.get()
    assert (booking.event_type, booking.event_type_gone_at) == (None, None)
    assert EventType.objects.count() == 0


def test_a_number_without_an_event_type_is_one_that_is_gone(mirrors, known):
    mirrors(known)

    mirrors(deleted(known, eventTypeId=2), minutes=1)

    assert Booking.objects.get().event_type_gone_at is not None


def test_the_admin_says_since_when_the_event_type_is_gone(mirrors, known, admin_client):
    mirrors(known)
    mirrors(deleted(known), minutes=1)
    booking = Booking.objects.get()

    page = admin_client.get(
        reverse("admin:cal_bookings_booking_change", args=[booking.pk])
    )

    assert "Event type gone since" in page.content.decode()
