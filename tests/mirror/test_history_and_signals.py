from functools import partial

import pytest
from django.dispatch import Signal

from cal_bookings import db, signals
from cal_bookings.models import BookingChange
from tests.builders import attendee_payload, booking_payload, host_payload


@pytest.fixture
def heard():
    """What the signals told, in order: (name, keyword arguments)."""
    message, connected = [], []
    for name in (
        "booking_created",
        "booking_changed",
        "booking_rescheduled",
        "booking_missing",
    ):
        signal: Signal = getattr(signals, name)

        def receive(sender, signal, name=name, **told_with):
            message.append((name, told_with))

        signal.connect(receive, weak=False)
        connected.append((signal, receive))
    yield message
    for signal, receive in connected:
        signal.disconnect(receive)


def test_history_keeps_old_and_new_of_each_field(mirrors):
    payload = booking_payload("a")
    mirrors(payload)

    mirrors(
        payload | {"status": "cancelled", "start": "2026-11-24T09:00:00.000Z"},
        minutes=1,
    )

    change = BookingChange.objects.get()
    assert (change.booking.uid, change.source) == ("a", "walk")
    assert change.changes == {
        "status": ["accepted", "cancelled"],
        "start": ["2026-11-23T09:00:00Z", "2026-11-24T09:00:00Z"],
    }


def test_history_keeps_who_attends_and_who_hosts(mirrors):
    payload = booking_payload("a")
    mirrors(payload)

    mirrors(
        payload
        | {
            "attendees": [attendee_payload("Ben", absent=True)],
            "hosts": [host_payload("Grace", id=2)],
        },
        minutes=1,
    )

    ben = {"name": "Ben", "email": "ben@example.net", "seat_uid": ""}
    assert BookingChange.objects.get().changes == {
        "attendees": [[ben | {"absent": False}], [ben | {"absent": True}]],
        "hosts": [
            [{"remote_id": 1, "name": "Ada", "email": "ada@example.com"}],
            [{"remote_id": 2, "name": "Grace", "email": "grace@example.com"}],
        ],
    }


def test_a_key_nobody_has_a_column_for_is_no_history(mirrors):
    payload = booking_payload("a")
    mirrors(payload)

    assert mirrors(payload | {"newKey": 1}, minutes=1).updated == 1
    assert not BookingChange.objects.exists()


def test_signals_come_after_commit_and_tell_what_changed(
    mirrors, heard, django_capture_on_commit_callbacks
):
    payload = booking_payload("a")
    with django_capture_on_commit_callbacks(execute=True):
        mirrors(payload)
        assert heard == []
    with django_capture_on_commit_callbacks(execute=True):
        mirrors(payload | {"status": "cancelled"}, minutes=1)

    (created, created_with), (changed, changed_with) = heard
    assert (created, created_with["booking"].uid) == ("booking_created", "a")
    assert (changed, changed_with["changes"]) == (
        "booking_changed",
        {"status": ["accepted", "cancelled"]},
    )


def test_a_reschedule_is_told_once_when_its_second_half_arrives(
    mirrors, heard, django_capture_on_commit_callbacks
):
    old, new = (
        booking_payload("a", rescheduledToUid="b"),
        booking_payload("b", rescheduledFromUid="a"),
    )
    for place, payload in enumerate([new, old, old | {"rating": 1}]):
        with django_capture_on_commit_callbacks(execute=True):
            mirrors(payload, minutes=place)

    pairs = [
        (message["old"].uid, message["new"].uid)
        for name, message in heard
        if name == "booking_rescheduled"
    ]
    assert pairs == [("a", "b")]


def test_an_error_after_commit_is_logged_and_keeps_no_other_function_from_being_called(
    account, caplog, django_capture_on_commit_callbacks
):
    called: list[int] = []
    with django_capture_on_commit_callbacks(execute=True), db.atomic():
        db.after_commit(partial(int, "no number"))
        db.after_commit(partial(called.append, 1))

    assert called == [1]
    assert "no number" in caplog.text


def test_a_failing_receiver_harms_nobody(
    mirrors, heard, django_capture_on_commit_callbacks, caplog
):
    def fail(**_):
        raise RuntimeError("receiver")

    signals.booking_created.connect(fail)
    with django_capture_on_commit_callbacks(execute=True):
        mirrors(booking_payload("a"), booking_payload("b"))
    signals.booking_created.disconnect(fail)

    assert [message["booking"].uid for _, message in heard] == ["a", "b"]
    assert "receiver" in caplog.text


def test_nothing_is_told_of_what_was_rolled_back(
    mirrors, heard, django_capture_on_commit_callbacks
):
    def fail(_):
        raise RuntimeError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError):
        mirrors(booking_payload("a"), then=fail)

    assert heard == []
