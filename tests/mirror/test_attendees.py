"""Sites hang foreign keys on attendees: whoever stays keeps the row."""

from cal_bookings.models import Attendee
from tests.builders import attendee_payload, booking_payload


def keys():
    return dict(Attendee.objects.values_list("name", "pk"))


def test_who_stays_keeps_the_row_when_others_leave_and_the_order_changes(mirrors):
    payload = booking_payload(
        "a",
        attendees=[
            attendee_payload("Ben"),
            attendee_payload("Cleo"),
            attendee_payload("Dan"),
        ],
    )
    mirrors(payload)
    before = keys()

    mirrors(
        payload
        | {
            "attendees": [
                attendee_payload("Dan"),
                attendee_payload("Eve"),
                attendee_payload("Ben"),
            ]
        },
        minutes=1,
    )

    after = keys()
    assert (after["Ben"], after["Dan"]) == (before["Ben"], before["Dan"])
    assert set(after) == {"Ben", "Dan", "Eve"}
    assert list(Attendee.objects.values_list("name", flat=True)) == [
        "Dan",
        "Eve",
        "Ben",
    ]


def test_a_seat_keeps_its_row_though_its_holder_is_renamed(mirrors):
    payload = booking_payload(
        "a",
        attendees=[
            attendee_payload("Ben", seatUid="s1"),
            attendee_payload("Ben", seatUid="s2"),
        ],
    )
    mirrors(payload)
    seats = dict(Attendee.objects.values_list("seat_uid", "pk"))

    mirrors(
        payload
        | {
            "attendees": [
                attendee_payload("Zoe", seatUid="s2"),
                attendee_payload("Ben", seatUid="s1"),
            ]
        },
        minutes=1,
    )

    assert dict(Attendee.objects.values_list("seat_uid", "pk")) == seats
    assert Attendee.objects.get(seat_uid="s2").name == "Zoe"


def test_another_person_at_the_same_place_is_another_row(mirrors):
    payload = booking_payload("a", attendees=[attendee_payload("Ben")])
    mirrors(payload)
    ben = Attendee.objects.get()

    mirrors(payload | {"attendees": [attendee_payload("Cleo")]}, minutes=1)

    assert Attendee.objects.get().pk != ben.pk


def test_somebody_without_an_address_is_known_by_place(mirrors):
    payload = booking_payload("a", attendees=[attendee_payload("Ben", email="")])
    mirrors(payload)
    ben = Attendee.objects.get()

    mirrors(
        payload | {"attendees": [attendee_payload("Benjamin", email="")]}, minutes=1
    )

    assert (Attendee.objects.get().pk, Attendee.objects.get().name) == (
        ben.pk,
        "Benjamin",
    )


def test_absence_is_a_change_though_updated_at_stays(mirrors):
    payload = booking_payload("a", attendees=[attendee_payload("Ben", absent=False)])
    mirrors(payload)

    outcome = mirrors(
        payload | {"attendees": [attendee_payload("Ben", absent=True)]}, minutes=1
    )

    assert outcome.updated == 1
    assert Attendee.objects.get().absent


def test_an_attendee_whose_address_changes_its_case_only_keeps_the_row(mirrors):
    payload = booking_payload(
        "a", attendees=[attendee_payload("Ben"), attendee_payload("Cleo")]
    )
    mirrors(payload)
    before = dict(Attendee.objects.values_list("name", "pk"))

    mirrors(
        payload
        | {
            "attendees": [
                attendee_payload("Cleo"),
                attendee_payload("Ben", email="BEN@Example.net"),
            ]
        },
        minutes=1,
    )

    assert dict(Attendee.objects.values_list("name", "pk")) == before
    assert Attendee.objects.get(name="Ben").email == "BEN@Example.net"
