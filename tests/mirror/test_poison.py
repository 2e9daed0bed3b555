"""What one booking can hold that a database refuses: it fails alone, and the rest of its page is mirrored."""

from typing import Any

import pytest
from django.db import connection

from cal_bookings import mirror
from cal_bookings.models import Booking, EventType, Host
from tests.builders import booking_payload, host_payload
from tests.mirror.conftest import ASKED_AT

on_mariadb = pytest.mark.skipif(
    connection.vendor != "mysql", reason="only MariaDB bounds the size of a statement"
)


#: No database takes it for JSON.
REFUSED = {"metadata": {"n": float("inf")}}


def nested(levels: int) -> Any:
    value: Any = "leaf"
    for _ in range(levels):
        value = {"in": value}
    return value


def mirrored() -> set[str]:
    return set(Booking.objects.values_list("uid", flat=True))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"metadata": nested(40)}, id="deeper than MariaDB allows"),
        pytest.param(REFUSED, id="1e400"),
        pytest.param({"metadata": nested(900)}, id="900 levels"),
        pytest.param({"unknownKey": nested(1100)}, id="1,100 levels"),
        pytest.param({"unknownKey": nested(90_000)}, id="90,000 levels"),
        pytest.param({"eventType": {"id": 2**63, "slug": "x"}}, id="event type's id"),
        pytest.param({"hosts": [host_payload(id=2**63)]}, id="host's id"),
    ],
)
def test_a_value_that_the_database_refuses_fails_alone(mirrors, fields):
    good = [booking_payload() for _ in range(9)]
    poison = booking_payload("poison", **fields)

    outcome = mirrors(*good[:4], poison, *good[4:])

    assert mirrored() >= {payload["uid"] for payload in good}
    assert outcome.created + len(outcome.failures) == 10
    assert {(failure.place, failure.uid) for failure in outcome.failures} <= {
        (4, "poison")
    }
    assert ("poison" in mirrored()) is not bool(outcome.failures)


def test_a_known_booking_that_turns_into_poison_keeps_what_is_known_of_it(mirrors):
    payload = booking_payload("a")
    mirrors(payload, booking_payload("b"))

    outcome = mirrors(
        payload | {"metadata": nested(1100)},
        booking_payload("b", title="New"),
        minutes=1,
    )

    assert [failure.uid for failure in outcome.failures] == ["a"]
    assert Booking.objects.get(uid="a").payload == payload
    assert Booking.objects.get(uid="b").title == "New"


def test_uids_that_differ_by_case_alone_never_take_their_page_with_them(mirrors):
    """MariaDB's default collation takes them for the same."""
    payloads = [booking_payload(uid) for uid in ("AbC", "x", "aBc", "y")]

    outcome = mirrors(*payloads)

    assert mirrored() >= {"x", "y"}
    assert len(mirrored()) + len(outcome.failures) == 4


def test_half_a_page_of_poison_leaves_the_other_half(mirrors):
    payloads = [
        booking_payload(f"uid-{n:03}", **(REFUSED if n % 2 else {})) for n in range(60)
    ]

    outcome = mirrors(*payloads)

    assert (outcome.created, len(outcome.failures)) == (30, 30)
    assert mirrored() == {f"uid-{n:03}" for n in range(0, 60, 2)}


def test_a_failure_names_no_value(mirrors):
    outcome = mirrors(booking_payload("a", title="Ben's secret", **REFUSED))

    (failure,) = outcome.failures
    assert "secret" not in failure.error
    assert "the database refuses it" in failure.error


def test_thousands_of_hosts_can_leave_a_page_at_once(mirrors):
    """SQLite bounds the depth of an expression."""
    hosts = [host_payload(f"H{n}", id=n) for n in range(1, 7)]
    payloads = [booking_payload(f"uid-{n}", hosts=hosts) for n in range(250)]
    mirrors(*payloads)

    outcome = mirrors(
        *(payload | {"hosts": hosts[:1]} for payload in payloads), minutes=1
    )

    assert (outcome.updated, outcome.failures) == (250, [])
    assert Booking.hosts.through.objects.count() == 250
    assert Host.objects.count() == 6


@on_mariadb
def test_a_page_larger_than_a_statement_may_be_is_written_in_parts(
    mirrors, transactional_db
):
    payloads = [
        booking_payload(f"uid-{n}", description="d" * 90_000) for n in range(250)
    ]

    outcome = mirrors(*payloads)

    assert (outcome.created, outcome.failures) == (250, [])


@on_mariadb
def test_a_booking_larger_than_a_statement_may_be_fails_alone(
    mirrors, transactional_db
):
    payloads = [booking_payload(f"uid-{n}") for n in range(20)]
    payloads[7]["description"] = "d" * 17_000_000

    outcome = mirrors(*payloads)

    assert outcome.created == 19
    assert [failure.uid for failure in outcome.failures] == ["uid-7"]


def test_what_runs_at_the_end_runs_once_where_a_page_is_written_in_parts(mirrors):
    ends: list[mirror.Outcome] = []

    outcome = mirrors(
        booking_payload("a"), booking_payload("b", **REFUSED), then=ends.append
    )

    assert ends[-1] is outcome
    assert (outcome.seen, outcome.created, len(outcome.failures)) == (2, 1, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 2**63},
        {"lengthInMinutes": 2**31},
        {"metadata": nested(40)},
        {"metadata": nested(1100)},
    ],
)
def test_an_event_type_that_the_database_refuses_fails_alone(account, fields):
    listed = [{"id": n, "slug": f"s{n}", "lengthInMinutes": 30} for n in range(1, 6)]
    listed[2] |= fields

    outcome = mirror.upsert_event_types(account, listed, asked_at=ASKED_AT)

    kept = set(EventType.objects.values_list("slug", flat=True))
    assert kept >= {"s1", "s2", "s4", "s5"}
    assert outcome.created + len(outcome.failures) == 5
    assert {failure.place for failure in outcome.failures} <= {2}
