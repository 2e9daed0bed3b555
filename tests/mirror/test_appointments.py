"""One appointment through all reschedules, whatever order its bookings arrive in."""

from itertools import permutations

import pytest

from cal_bookings.models import Booking
from tests.builders import booking_payload


def chain(*uids, two_sided=True):
    """Bookings of which each replaced the one before."""
    payloads = []
    for place, uid in enumerate(uids):
        links = {}
        if place:
            links["rescheduledFromUid"] = uids[place - 1]
        if two_sided and place + 1 < len(uids):
            links["rescheduledToUid"] = uids[place + 1]
        payloads.append(booking_payload(uid, **links))
    return payloads


def appointments():
    return set(Booking.objects.values_list("appointment", flat=True))


@pytest.mark.parametrize(
    "two_sided", [True, False], ids=["links both ways", "links back only"]
)
@pytest.mark.parametrize(
    "order",
    list(permutations(range(4))),
    ids=lambda order: "".join("abcd"[i] for i in order),
)
def test_a_chain_is_one_appointment_in_any_order_of_arrival(mirrors, order, two_sided):
    payloads = chain("a", "b", "c", "d", two_sided=two_sided)

    for place, index in enumerate(order):
        mirrors(payloads[index], minutes=place)

    assert len(appointments()) == 1


def test_the_appointment_known_first_stays(mirrors):
    first, *later = chain("a", "b", "c")
    mirrors(first)
    appointment = Booking.objects.get().appointment

    for payload in later:
        mirrors(payload)

    assert appointments() == {appointment}


def test_bookings_that_name_the_same_third_belong_together_before_it_arrives(mirrors):
    a, _, c = chain("a", "b", "c")

    mirrors(a)
    mirrors(c)

    assert len(appointments()) == 1


def test_a_whole_chain_in_one_page_is_one_appointment(mirrors):
    mirrors(*chain("a", "b", "c"), booking_payload("stranger"))

    assert len(appointments()) == 2


def test_a_link_that_comes_later_joins(mirrors):
    old, new = chain("a", "b")
    mirrors({key: value for key, value in new.items() if key != "rescheduledFromUid"})
    mirrors({key: value for key, value in old.items() if key != "rescheduledToUid"})
    assert len(appointments()) == 2

    mirrors(old, minutes=1)

    assert len(appointments()) == 1


def test_chains_of_two_accounts_do_not_mix(mirrors, account):
    old, new = chain("a", "b")
    mirrors(old)
    account.pk, account.alias = None, "other"
    account.save()

    mirrors(new)

    assert len(appointments()) == 2
