"""A new typed column, or a mended parser, reaches bookings whose payload did not change."""

from io import StringIO
from json import loads

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cal_bookings import client, mirror, signals
from cal_bookings.models import (
    Account,
    Attendee,
    Booking,
    BookingChange,
    Derivation,
    Host,
)
from tests.builders import attendee_payload, booking_payload, host_payload
from tests.comparison import actual, assert_mirrors


@pytest.fixture
def changed():
    """The changes that `booking_changed` told, with their source."""
    heard = []

    def receive(changes, source, **_):
        heard.append((changes, source))

    signals.booking_changed.connect(receive)
    yield heard
    signals.booking_changed.disconnect(receive)


@pytest.fixture
def payloads(mirrors):
    made = [
        booking_payload(
            f"uid-{n}",
            rating=n + 1,
            guests=["zoe@example.net"],
            metadata={"n": n},
            attendees=[
                attendee_payload("Ben", seatUid=f"b{n}", phoneNumber="+1555"),
                attendee_payload("Cleo", seatUid=f"c{n}"),
            ],
            hosts=[host_payload("Ada"), host_payload("Grace", id=2)],
        )
        for n in range(5)
    ]
    mirrors(*made)
    return made


def test_blanked_columns_are_filled_again_without_a_request(account, payloads):
    Booking.objects.update(
        ics_uid="", rating=None, guests=[], metadata={}, event_type=None, duration=0
    )
    Attendee.objects.update(phone_number="", time_zone="", name="")
    Host.objects.update(email="", username="")

    outcome = mirror.rederive(account)

    assert (outcome.seen, outcome.updated, outcome.unchanged) == (5, 5, 0)
    assert_mirrors(account, payloads)


def test_attendees_and_links_that_are_gone_are_made_again(account, payloads):
    Attendee.objects.filter(name="Cleo").delete()
    Booking.hosts.through._default_manager.all().delete()
    Host.objects.all().delete()

    assert mirror.rederive(account).updated == 5
    assert_mirrors(account, payloads)


def test_what_is_filled_is_no_change_of_the_booking(
    account, payloads, changed, django_capture_on_commit_callbacks
):
    Booking.objects.update(ics_uid="", rating=None, absent_host=False)
    Attendee.objects.update(name="", seat_uid="")

    with django_capture_on_commit_callbacks(execute=True):
        mirror.rederive(account)

    assert (BookingChange.objects.count(), changed) == (0, [])


def test_a_known_value_that_was_wrong_is_a_change_and_says_where_it_comes_from(
    account, payloads, changed, django_capture_on_commit_callbacks
):
    Booking.objects.filter(uid="uid-1").update(duration=45, ics_uid="")
    Attendee.objects.filter(booking__uid="uid-2", name="Ben").update(name="Bob")

    with django_capture_on_commit_callbacks(execute=True):
        assert mirror.rederive(account).updated == 2

    history = {change.booking.uid: change for change in BookingChange.objects.all()}
    assert set(history) == {"uid-1", "uid-2"}
    assert history["uid-1"].changes == {"duration": [45, 30]}
    assert history["uid-2"].changes["attendees"][0][0]["name"] == "Bob"
    assert {change.source for change in history.values()} == {"rederive"}
    assert [source for _, source in changed] == ["rederive", "rederive"]


def test_what_the_payload_does_not_say_stays(account, mirrors, payloads):
    mirrors(payloads[0] | {"eventType": None, "eventTypeId": None}, minutes=1)
    mirror.mark_missing(
        account, ["uid-1"], asked_at=Booking.objects.latest("mirrored_at").mirrored_at
    )
    before = list(Booking.objects.order_by("pk").values())
    assert mirror.rederive(account).updated == 0

    Booking.objects.update(ics_uid="")
    mirror.rederive(account)

    assert list(Booking.objects.order_by("pk").values()) == before


def test_a_booking_that_is_as_it_was_derived_is_not_written(account, payloads):
    with CaptureQueriesContext(connection) as queries:
        outcome = mirror.rederive(account)

    assert (outcome.updated, outcome.unchanged) == (0, 5)
    written = [
        query["sql"]
        for query in queries
        if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE", "BEGIN"))
    ]
    assert not [
        statement
        for statement in written
        if "booking" in statement.split("(")[0].split("_")[-1]
    ]


def test_links_that_are_derived_join_their_appointments(account, mirrors):
    mirrors(booking_payload("a", rescheduledToUid="b"), booking_payload("b"))
    appointment = Booking.objects.get(uid="a").appointment
    for row in Booking.objects.filter(uid="b"):
        row.appointment = "00000000-0000-4000-8000-000000000000"
        row.save()
    Booking.objects.update(rescheduled_to_uid="")

    mirror.rederive(account)

    assert Booking.objects.get(uid="b").appointment == appointment


def test_a_payload_that_can_no_longer_be_read_is_named_and_stops_no_other(
    account, payloads, capsys
):
    broken = Booking.objects.get(uid="uid-1")
    Booking.objects.filter(pk=broken.pk).update(payload={"uid": "uid-1"})
    Booking.objects.update(ics_uid="")

    with pytest.raises(SystemExit, match="1"):
        call_command("cal_rederive", account="default")

    assert f"booking {broken.pk} could not be derived" in capsys.readouterr().err
    assert Booking.objects.filter(ics_uid="").count() == 1


def test_it_goes_on_where_it_was_interrupted(account, mirrors):
    mirrors(*(booking_payload(rating=1) for _ in range(600)))
    Booking.objects.update(rating=None)

    def stop(_account, outcome):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mirror.rederive(account, on_batch=stop)
    left = Booking.objects.filter(rating=None).count()

    assert 0 < left < 600
    assert mirror.rederive(account).seen == left
    assert not Booking.objects.filter(rating=None).exists()
    assert mirror.rederive(account).seen == 600


def test_it_begins_with_the_first_booking_when_it_is_told_to(account, mirrors):
    mirrors(*(booking_payload() for _ in range(300)))
    mirror.rederive_batch(account)

    assert mirror.rederive(account, restart=True).seen == 300


def test_the_command_derives_all_accounts_and_prints_one_object_each(account, payloads):
    Account.objects.create(alias="other", is_active=False)
    out = StringIO()

    call_command("cal_rederive", json=True, stdout=out)

    first, second = map(loads, out.getvalue().splitlines())
    seconds = first.pop("seconds"), second.pop("seconds")
    assert seconds >= (0, 0)
    assert first == {
        "account": "default",
        "seen": 5,
        "updated": 0,
        "unchanged": 5,
        "failed": 0,
    }
    assert (second["account"], second["seen"]) == ("other", 0)


def test_the_command_names_the_accounts_it_knows(account):
    with pytest.raises(CommandError, match="The database has: default") as raised:
        call_command("cal_rederive", account="nobody")

    assert raised.value.returncode == 3


def test_the_version_of_the_parser_is_remembered(account, payloads):
    Derivation.objects.create(account=account, parser_version=0)
    assert mirror.is_rederivation_due(account)

    mirror.rederive(account)

    assert not mirror.is_rederivation_due(account)
    assert Derivation.objects.get().parser_version == client.PARSER_VERSION


def test_a_pass_of_another_version_begins_again(account, payloads):
    last = Booking.objects.latest("pk")
    Derivation.objects.create(
        account=account, parser_version=0, pass_version=0, passed=last.pk
    )

    assert mirror.rederive(account).seen == 5
    assert actual(last)["payload"] == payloads[-1]
