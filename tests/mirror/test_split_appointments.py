"""The two halves of a reschedule belong to one appointment, however the pages that bring them interleave."""

import threading
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.utils import timezone

from cal_bookings import mirror
from cal_bookings.models import Account, Booking, BookingChange
from tests.builders import booking_payload

WAITS = 1.0  # seconds; a page that has to wait for the other one is still waiting after them


@pytest.fixture
def account(transactional_db):
    """An account whose event type and host are mirrored, so that no page waits for another one that inserts them."""
    account = Account.objects.create(alias="default")
    upsert(account, booking_payload("first"))
    Booking.objects.all().delete()
    return account


def upsert(account, *payloads, then=None):
    return mirror.upsert(
        account,
        list(payloads),
        asked_at=timezone.now(),
        api_version="2024-08-13",
        source=BookingChange.Source.WALK,
        then=then,
    )


def at_the_same_moment(account, first, second):
    """Mirror `second` in another connection between the last statement and the commit of `first`."""
    errors: list[BaseException] = []

    def write():
        try:
            upsert(account, second)
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=write)

    def meanwhile(_):
        if not thread.ident:
            thread.start()
            thread.join(WAITS)

    upsert(account, first, then=meanwhile)
    thread.join()
    assert not errors, errors


def appointments():
    return set(Booking.objects.values_list("appointment", flat=True))


LINKED_BY = {
    "both": ({"rescheduledToUid": "new"}, {"rescheduledFromUid": "old"}),
    "the old one": ({"rescheduledToUid": "new"}, {}),
    "the new one": ({}, {"rescheduledFromUid": "old"}),
}


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="has one writer at a time, never two"
)
@pytest.mark.parametrize("linked_by", LINKED_BY)
@pytest.mark.parametrize("is_old_first", [True, False])
def test_two_halves_written_at_the_same_moment_are_one_appointment(
    account, linked_by, is_old_first
):
    old, new = LINKED_BY[linked_by]
    halves = [booking_payload("old", **old), booking_payload("new", **new)]
    first, second = halves if is_old_first else reversed(halves)

    at_the_same_moment(account, first, second)

    assert Booking.objects.count() == 2
    assert len(appointments()) == 1


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="has one writer at a time, never two"
)
def test_a_link_that_comes_while_the_other_half_is_written_joins_them(account):
    old = booking_payload("old")
    upsert(account, old)

    at_the_same_moment(
        account, booking_payload("new"), old | {"rescheduledToUid": "new"}
    )

    assert len(appointments()) == 1


def split():
    for booking in Booking.objects.all():
        booking.appointment = uuid4()
        booking.save(update_fields=["appointment"])


@pytest.mark.parametrize(
    "chain",
    [
        [("a", {"rescheduledToUid": "b"}), ("b", {"rescheduledFromUid": "a"})],
        [("a", {"rescheduledToUid": "b"}), ("b", {})],
        [("a", {}), ("b", {"rescheduledFromUid": "a"})],
        [
            ("a", {"rescheduledToUid": "absent"}),
            ("c", {"rescheduledFromUid": "absent"}),
        ],
        [
            ("b", {"rescheduledFromUid": "absent"}),
            ("c", {"rescheduledFromUid": "absent"}),
        ],
        [("b", {"rescheduledToUid": "absent"}), ("c", {"rescheduledToUid": "absent"})],
        [(str(n), {"rescheduledFromUid": str(n - 1)}) for n in range(1, 9)],
        [(str(n), {"rescheduledToUid": str(n - 1)}) for n in range(1, 9)],
    ],
)
def test_a_chain_that_was_split_is_joined_again(account, chain):
    upsert(account, *(booking_payload(uid, **links) for uid, links in chain))
    split()

    splits = mirror.join_split_appointments(account)

    assert splits >= 1
    assert len(appointments()) == 1
    assert mirror.join_split_appointments(account) == 0


def test_only_a_chain_of_the_account_itself_is_joined(account):
    other = Account.objects.create(alias="other")
    pair = [
        booking_payload("a", rescheduledToUid="b"),
        booking_payload("b", rescheduledFromUid="a"),
    ]
    for each in (account, other):
        upsert(each, *pair)
    upsert(account, booking_payload("alone"))
    before = appointments()

    assert mirror.join_split_appointments(account) == 0
    assert appointments() == before
    assert len(before) == 3


def test_more_splits_than_one_query_reads_are_all_joined(account):
    pairs = [
        booking_payload(f"{half}{n}", **{key: f"{other}{n}"})
        for n in range(600)
        for half, key, other in (
            ("old", "rescheduledToUid", "new"),
            ("new", "rescheduledFromUid", "old"),
        )
    ]
    upsert(account, *pairs)
    split()

    mirror.join_split_appointments(account)

    assert len(appointments()) == 600
    assert mirror.join_split_appointments(account) == 0
