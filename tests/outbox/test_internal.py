"""What goes wrong in this software, or was written by another release of it, stops one action and nothing else."""

import logging
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.urls import reverse

from cal_bookings import outbox
from cal_bookings.models import BookingAction
from cal_bookings.outbox.delivery_steps import ATTEMPTS
from cal_bookings.outbox.kinds import Cancel
from cal_bookings.tasks import outbox as tasks
from tests.outbox.test_endings import create

SECRET = "yorick.secret@canary.example"


def push():
    out = StringIO()
    try:
        call_command("cal_push", stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def poison(desk):
    """An action whose turn raises: somebody edited its parameters by hand."""
    action = outbox.update_location(
        desk.book(), location={"type": "address", "address": "1 Main St"}
    )
    parameters = {"location": {"type": SECRET}}
    BookingAction.objects.filter(pk=action.pk).update(parameters=parameters)
    return action


@pytest.fixture
def newer(desk):
    """Actions that a newer release wrote: with a kind and with a parameter that this one does not know."""
    booking = desk.book()
    first, second = (outbox.cancel(one, reason="Ill") for one in (booking, desk.book()))
    BookingAction.objects.filter(pk=first.pk).update(kind="teleport")
    added = {"reason": "Ill", "subsequent": False, "seat_uid": "", "politely": True}
    BookingAction.objects.filter(pk=second.pk).update(parameters=added)
    return first, second


# An exception in one turn


def test_an_exception_is_recorded_on_its_action_without_its_words(desk, poison, caplog):
    with caplog.at_level(logging.DEBUG, "cal_bookings"):
        action = desk.deliver(poison)

    assert (action.status, action.error_code) == ("queued", "internal")
    assert "KeyError" in action.error_message
    assert action.history.get().outcome == "deferred"
    assert SECRET not in action.error_message + caplog.text
    assert f"update location #{action.pk}" in caplog.text
    assert "location.py" in caplog.text


def test_it_is_tried_again_at_growing_intervals_and_ends(desk, poison):
    pauses = []
    for _ in range(3):
        action = desk.deliver(poison)
        pauses.append(action.next_attempt_at - action.history.last().ended_at)
        BookingAction.objects.update(next_attempt_at=action.enqueued_at)

    assert pauses == sorted(pauses)
    action = desk.deliver_until_ended(poison)
    assert (action.status, action.error_code) == ("failed", "internal")
    assert action.attempts == ATTEMPTS
    assert desk.writes == 0


def test_the_pass_goes_on_with_the_others(desk, poison):
    other = outbox.cancel(desk.book(), reason="Ill")

    code, told = push()

    other.refresh_from_db()
    assert other.status == "done"
    assert code == 2
    assert SECRET not in told


def test_the_task_ends_without_an_error(desk, poison):
    tasks.deliver_action(poison.pk)

    poison.refresh_from_db()
    assert (poison.status, poison.error_code) == ("queued", "internal")


def test_after_the_request_it_is_looked_for_as_after_a_lost_answer(desk):
    booking = desk.book()
    action = outbox.reschedule(booking, start=desk.later(booking))
    desk.cal.fault("dropped", method="POST")
    desk.deliver(action)
    BookingAction.objects.update(found={"attendees": SECRET})  # as nobody writes it

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "unverified")
    assert "TypeError" in action.error_message
    assert action.attempts == ATTEMPTS
    assert "internal" in action.history.values_list("error_code", flat=True)
    assert desk.writes == 1


@pytest.mark.parametrize("number", ["unknown", None, [1]])
def test_an_attendee_without_a_number_is_not_removed_and_nothing_is_sent(desk, number):
    desk.speak("offset")
    booking = desk.book(attendees=desk.people(2))
    action = outbox.remove_attendee(booking, email="p1@example.net")
    for email in ("p0@example.net", "p1@example.net"):
        desk.cal.attendee_numbers[booking.uid, email] = number

    action = desk.deliver(action)

    assert (action.status, action.error_code) == ("failed", "no_number")
    assert (action.sent_at, desk.writes) == (None, 0)


# A newer release


def test_what_a_newer_release_wrote_waits_for_its_workers(desk, newer):
    code, _told = push()

    assert code == 2
    for action in newer:
        action.refresh_from_db()
        assert (action.status, action.error_code) == ("queued", "newer_release")
    assert desk.writes == 0


def test_it_breaks_no_enqueue(desk, newer):
    for action in newer:
        with pytest.raises(outbox.Refused, match="newer release") as refused:
            outbox.cancel(action.booking, reason="Ill")
        assert refused.value.code == "open"
        [verdict] = outbox.enqueue_many([(Cancel(reason="Ill"), action.booking)])
        assert verdict.refusal
        assert verdict.refusal.code == "open"


def test_it_is_not_queued_again(desk, newer):
    for action in newer:
        outbox.withdraw(action)
        with pytest.raises(outbox.Refused, match="newer release") as refused:
            outbox.requeue(action)
        assert refused.value.code == "newer_release"


def test_it_breaks_no_page(desk, newer, client):
    staff = get_user_model().objects.create_superuser("nora")
    client.force_login(staff)
    for action in newer:
        pages = [
            reverse("admin:cal_bookings_bookingaction_change", args=[action.pk]),
            reverse("admin:cal_bookings_booking_change", args=[action.booking_id]),
            reverse("admin:cal_bookings_bookingaction_changelist"),
        ]
        assert [client.get(page).status_code for page in pages] == [200] * 3
        booking = action.booking
        data = {"bookings": f"{booking.pk}:{booking.payload_hash}"}
        act = reverse("admin:cal_bookings_booking_act", args=["cancel"])
        page = client.post(act, data)
        assert page.status_code == 200
        assert "newer release" in page.content.decode()


# What no database or no Cal.com takes


def nested(levels):
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": nested(3000)},
        {"a": float("inf")},
        {"a": float("nan")},
        {"a": b"bytes"},
        {"a": "NUL \x00"},
        {"NUL \x00": "a"},
        {"a": "half a pair \ud800"},
        {"a": "x" * 100_001},
    ],
    ids=["deep", "1e400", "nan", "bytes", "nul", "nul in a key", "surrogate", "long"],
)
def test_parameters_that_cannot_be_kept_are_refused(desk, metadata):
    with pytest.raises(outbox.Refused) as refused:
        create(desk, metadata=metadata)

    assert refused.value.code == "parameters"
    assert not BookingAction.objects.exists()


def test_so_are_they_among_many(desk):
    wish = Cancel(reason="NUL \x00")

    [verdict] = outbox.enqueue_many([(wish, desk.book())])

    assert verdict.refusal
    assert verdict.refusal.code == "parameters"


# The log


def lines_of(caplog):
    name = "cal_bookings.outbox.attempts"
    return [one.getMessage() for one in caplog.records if one.name == name]


@pytest.mark.django_db(transaction=True)
def test_each_attempt_leaves_one_line_without_personal_data(desk, caplog):
    booking = desk.book()
    action = outbox.cancel(booking, reason=SECRET)
    desk.cal.fault("dropped", method="POST")
    with caplog.at_level(logging.INFO, "cal_bookings"):
        desk.deliver(action)
        action = desk.deliver_until_ended(action)

    about = f"cancel #{action.pk} of account {action.account_id}, booking {booking.pk}"
    first, *_, last = list(action.history.values_list("pk", flat=True))
    lines = lines_of(caplog)
    assert lines[0] == (
        f"{about}: attempt #{first} ended as lost, the action is unknown (unavailable)"
    )
    assert lines[-1] == (
        f"{about}: attempt #{last} ended as answered, the action is done"
    )
    assert len(lines) == action.history.count()
    assert SECRET not in caplog.text
    assert booking.uid not in caplog.text
