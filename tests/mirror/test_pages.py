from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cal_bookings.models import Attendee, Booking, EventType, Host
from tests.builders import attendee_payload, booking_payload, host_payload
from tests.mirror.conftest import ASKED_AT

WRITES = ("INSERT", "UPDATE", "DELETE")


def writes(queries):
    return [query["sql"] for query in queries if query["sql"].startswith(WRITES)]


def test_a_new_booking_becomes_a_row_with_its_attendees_hosts_and_event_type(
    mirrors, account
):
    payload = booking_payload(
        "abc",
        attendees=[attendee_payload("Ben"), attendee_payload("Cleo")],
        guests=["g@example.net"],
    )

    outcome = mirrors(payload)

    booking = Booking.objects.get()
    assert (outcome.created, outcome.updated, outcome.unchanged, outcome.failures) == (
        1,
        0,
        0,
        [],
    )
    assert outcome.booking_ids == [booking.pk]
    assert (booking.uid, booking.status, booking.duration) == ("abc", "accepted", 30)
    assert booking.start == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert booking.guests == ["g@example.net"]
    assert booking.payload == payload
    assert booking.mirrored_at == ASKED_AT
    assert list(booking.attendees.values_list("position", "name", "email")) == [
        (0, "Ben", "ben@example.net"),
        (1, "Cleo", "cleo@example.net"),
    ]
    assert list(booking.hosts.values_list("remote_id", "name")) == [(1, "Ada")]
    assert booking.event_type == EventType.objects.get(
        account=account, remote_id=2, slug="consultation"
    )


def test_what_did_not_change_is_not_written(mirrors):
    payloads = [booking_payload() for _ in range(20)]
    mirrors(*payloads)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        outcome = mirrors(*payloads, minutes=1)

    assert (outcome.created, outcome.updated, outcome.unchanged) == (0, 0, 20)
    assert writes(queries) == []
    assert len(outcome.booking_ids) == 20


def test_the_order_of_keys_is_no_change(mirrors):
    payload = booking_payload()
    mirrors(payload)

    assert mirrors(dict(reversed(payload.items())), minutes=1).unchanged == 1


def test_an_answer_to_an_action_is_the_same_booking_as_in_the_list(mirrors):
    payload = booking_payload()
    mirrors(payload | {"isPlatformManagedUserBooking": False, "seatUid": "seat-1"})

    assert mirrors(payload, minutes=1).unchanged == 1


def test_a_changed_booking_is_updated_in_place(mirrors):
    payload = booking_payload("abc")
    mirrors(payload)
    first = Booking.objects.get()

    outcome = mirrors(
        payload | {"status": "cancelled", "cancellationReason": "ill", "newKey": 1},
        minutes=1,
    )

    booking = Booking.objects.get()
    assert (outcome.created, outcome.updated) == (0, 1)
    assert (booking.pk, booking.first_seen_at) == (first.pk, first.first_seen_at)
    assert (booking.status, booking.cancellation_reason, booking.payload["newKey"]) == (
        "cancelled",
        "ill",
        1,
    )


def test_the_same_uid_in_two_accounts_is_two_bookings(mirrors, account):
    payload = booking_payload("abc")
    mirrors(payload)
    account.pk, account.alias = None, "other"
    account.save()

    assert mirrors(payload).created == 1


def test_a_booking_twice_in_a_page_is_one_row(mirrors):
    payload = booking_payload("abc")

    mirrors(payload, payload | {"status": "cancelled"})

    assert Booking.objects.get().status == "cancelled"


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(None, id="null"),
        pytest.param("text", id="text"),
        pytest.param({}, id="empty"),
        pytest.param(booking_payload() | {"uid": None}, id="no uid"),
        pytest.param(booking_payload() | {"uid": ["x"]}, id="uid is a list"),
        pytest.param(booking_payload() | {"uid": "x" * 256}, id="uid too long"),
        pytest.param(booking_payload() | {"start": None}, id="no start"),
        pytest.param(booking_payload() | {"start": "soon"}, id="start is no time"),
        pytest.param(booking_payload() | {"id": 2**70}, id="a number no column holds"),
        pytest.param(
            booking_payload() | {"duration": 2**70}, id="a duration no column holds"
        ),
    ],
)
def test_a_malformed_booking_does_not_take_the_page_with_it(mirrors, payload):
    good = [booking_payload() for _ in range(3)]

    outcome = mirrors(good[0], payload, *good[1:])

    if outcome.failures:
        assert [(failure.place, outcome.created) for failure in outcome.failures] == [
            (1, 3)
        ]
    else:
        assert outcome.created == 4
    assert set(Booking.objects.values_list("uid", flat=True)) >= {
        payload["uid"] for payload in good
    }


def test_text_that_postgresql_refuses_is_cleaned_and_stays_unchanged(mirrors):
    payload = booking_payload(
        "abc", title="nul \x00 and half a pair \ud800", metadata={"a\x00": ["\udfff"]}
    )
    mirrors(payload)

    booking = Booking.objects.get()
    assert booking.title == "nul  and half a pair ?"
    assert booking.metadata == {"a": ["?"]}
    assert mirrors(payload, minutes=1).unchanged == 1


def test_text_longer_than_its_column_is_cut_and_whole_in_the_payload(mirrors):
    mirrors(
        booking_payload("abc", icsUid="i" * 600, hosts=[host_payload(name="n" * 600)])
    )

    booking = Booking.objects.get()
    assert (len(booking.ics_uid), len(booking.payload["icsUid"])) == (500, 600)
    assert len(Host.objects.get().name) == 500


def test_an_unknown_status_is_kept(mirrors):
    mirrors(booking_payload("abc", status="teleported"))

    booking = Booking.objects.get()
    assert (booking.status, booking.is_known_status) == ("teleported", False)


def test_a_host_who_changed_is_corrected_but_not_by_an_older_page(mirrors):
    mirrors(booking_payload("a", hosts=[host_payload(name="Ada")]), minutes=5)

    mirrors(
        booking_payload(
            "b", hosts=[host_payload(name="Ada Lovelace", email="ada@example.com")]
        ),
        minutes=6,
    )
    mirrors(
        booking_payload(
            "c", hosts=[host_payload(name="Miss Byron", email="ada@example.com")]
        ),
        minutes=4,
    )

    assert Host.objects.get().name == "Ada Lovelace"


def test_hosts_follow_a_reassign(mirrors):
    payload = booking_payload("a", hosts=[host_payload("Ada", id=1)])
    mirrors(payload)

    mirrors(
        payload | {"hosts": [host_payload("Grace", id=2), host_payload("Joan", id=3)]},
        minutes=1,
    )

    assert list(
        Booking.objects.get().hosts.order_by("remote_id").values_list("name", flat=True)
    ) == ["Grace", "Joan"]


def test_a_host_without_a_number_stays_in_the_payload(mirrors):
    unknown = {
        "id": "unknown",
        "name": "unknown",
        "email": "unknown",
        "username": "unknown",
    }
    mirrors(booking_payload("a", hosts=[unknown]))

    assert not Host.objects.exists()
    assert Booking.objects.get().payload["hosts"] == [unknown]


def test_what_runs_at_the_end_shares_the_transaction(mirrors):
    def fail(_):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        mirrors(booking_payload(), then=fail)

    assert not Booking.objects.exists()
    assert not Attendee.objects.exists()


def test_a_returned_booking_is_no_longer_missing(mirrors):
    payload = booking_payload("a")
    mirrors(payload)
    Booking.objects.update(missing_since=ASKED_AT)

    outcome = mirrors(payload, minutes=1)

    assert outcome.updated == 1
    assert Booking.objects.get().missing_since is None
