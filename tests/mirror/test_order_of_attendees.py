"""Cal.com lists attendees in no order: the same ones in another order are no change."""

from hashlib import blake2b
from itertools import permutations
from json import dumps

import pytest

from cal_bookings.models import Attendee, Booking, BookingChange
from tests.builders import attendee_payload, booking_payload

SEATED = [
    attendee_payload(name, seatUid=f"seat-{name}") for name in ("Ben", "Cleo", "Dan")
]
PLAIN = [attendee_payload(name) for name in ("Ben", "Cleo", "Dan")]
WITHOUT_ADDRESS = [attendee_payload(name, email="") for name in ("Ben", "Cleo", "Dan")]


def as_sent(payload):
    """The hash that versions before this one kept, which depends on the order of the attendees."""
    text = dumps(payload, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode("ascii"), digest_size=16).hexdigest()


@pytest.mark.parametrize("attendees", [SEATED, PLAIN, WITHOUT_ADDRESS])
def test_another_order_is_no_change_and_no_write(mirrors, attendees):
    payload = booking_payload("a", attendees=attendees)
    mirrors(payload)
    before = list(Attendee.objects.values())

    for minute, order in enumerate(permutations(attendees), start=1):
        outcome = mirrors(payload | {"attendees": list(order)}, minutes=minute)
        assert (outcome.unchanged, outcome.updated) == (1, 0)

    assert list(Attendee.objects.values()) == before
    assert not BookingChange.objects.exists()


def test_another_order_beside_a_real_change_is_no_history_of_the_attendees(mirrors):
    payload = booking_payload("a", attendees=SEATED)
    mirrors(payload)
    before = list(Attendee.objects.values())

    mirrors(payload | {"attendees": SEATED[::-1], "status": "cancelled"}, minutes=1)

    assert BookingChange.objects.get().changes == {"status": ["accepted", "cancelled"]}
    assert list(Attendee.objects.values()) == before


def test_another_order_beside_a_change_that_history_does_not_keep_is_no_history(
    mirrors,
):
    payload = booking_payload("a", attendees=SEATED)
    mirrors(payload)
    moved = [attendee | {"timeZone": "Europe/Rome"} for attendee in SEATED]

    mirrors(payload | {"attendees": moved[::-1]}, minutes=1)

    assert set(Attendee.objects.values_list("time_zone", flat=True)) == {"Europe/Rome"}
    assert not BookingChange.objects.exists()


def test_an_absence_beside_another_order_is_a_change(mirrors):
    payload = booking_payload("a", attendees=SEATED)
    mirrors(payload)
    absent = [SEATED[2], SEATED[0] | {"absent": True}, SEATED[1]]

    assert mirrors(payload | {"attendees": absent}, minutes=1).updated == 1
    assert Attendee.objects.get(absent=True).name == "Ben"


def test_a_hash_of_an_older_version_is_replaced_without_a_trace(mirrors):
    payload = booking_payload("a", attendees=SEATED[::-1])
    mirrors(payload)
    new_hash = Booking.objects.get().payload_hash
    Booking.objects.update(payload_hash=as_sent(payload))
    before = Booking.objects.values().get() | {"payload_hash": new_hash}

    outcome = mirrors(payload, minutes=1)

    assert (outcome.unchanged, outcome.updated) == (1, 0)
    assert Booking.objects.values().get() == before
    assert not BookingChange.objects.exists()


def test_one_attendee_alone_keeps_the_hash_of_older_versions(mirrors):
    payload = booking_payload("a")
    mirrors(payload)

    assert Booking.objects.get().payload_hash == as_sent(payload)


def test_hosts_that_show_something_new_without_a_column_are_no_history(mirrors):
    payload = booking_payload("a")
    mirrors(payload)
    hosts = [host | {"avatarUrl": "https://x.test/a.png"} for host in payload["hosts"]]

    assert mirrors(payload | {"hosts": hosts}, minutes=1).updated == 1
    assert not BookingChange.objects.exists()
