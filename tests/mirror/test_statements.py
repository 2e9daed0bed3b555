"""What a page of 100 costs; counted as the database sees it, transaction control aside."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cal_bookings.models import Mode
from cal_bookings.sync import lease
from tests.builders import attendee_payload, booking_payload, host_payload

TRANSACTION_CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")

pytestmark = pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="SQLite takes so few parameters that Django splits a page; servers do not",
)


@pytest.fixture
def statements(mirrors, account):
    """Mirrors a page together with its checkpoint and answers the statements of it."""
    held, _ = lease.take(account, Mode.FULL)

    def count(*payloads, **options):
        with CaptureQueriesContext(connection) as queries:
            mirrors(
                *payloads, then=lambda _: held.save(checkpoint={"page": 1}), **options
            )
        sql = [query["sql"] for query in queries]
        return [
            statement
            for statement in sql
            if not statement.startswith(TRANSACTION_CONTROL)
        ]

    return count


def page():
    return [
        booking_payload(
            attendees=[attendee_payload("Ben"), attendee_payload("Cleo")],
            hosts=[host_payload(id=number % 5 + 1)],
            eventType={"id": number % 7 + 1, "slug": "x"},
            eventTypeId=number % 7 + 1,
        )
        for number in range(100)
    ]


def test_a_new_page(statements):
    statements(booking_payload())  # makes what the account needs once

    assert len(statements(*page())) <= 12


def test_an_unchanged_page(statements):
    payloads = page()
    statements(*payloads)

    assert len(statements(*payloads, minutes=1)) <= 3


def test_a_changed_page_apart_from_its_children(statements):
    payloads = page()
    statements(*payloads)

    changed = [payload | {"status": "cancelled"} for payload in payloads]

    assert len(statements(*changed, minutes=1)) <= 6


def test_a_page_whose_children_changed_too(statements):
    payloads = page()
    statements(*payloads)

    changed = [
        payload
        | {"attendees": [attendee_payload("Dan")], "hosts": [host_payload(id=9)]}
        for payload in payloads
    ]

    assert len(statements(*changed, minutes=1)) <= 16
