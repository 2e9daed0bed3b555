"""A failed action says that it did not take effect only where that is known, and a done one says what became of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings import mirror, outbox
from cal_bookings.client import ApiKey, CalClient
from cal_bookings.models import Booking
from cal_bookings.testing import Person
from tests.outbox.judge import MAY_HAVE_TAKEN_EFFECT, undo_effect
from tests.outbox.scenarios import SCENARIOS
from tests.outbox.test_endings import create

NOT_KNOWN = "whether it took effect is not known"


def lost(desk, action):
    """The request took effect, and its answer was lost."""
    for method in ("POST", "PATCH", "DELETE"):
        desk.cal.fault("reset", method=method)
    action = desk.deliver(action)
    desk.cal.faults.clear()
    assert action.status == "unknown"
    return action


def know_event_types(desk):
    with CalClient(desk.cal.url, ApiKey(desk.cal.api_key)) as connection:
        payloads = connection.event_types()
    mirror.upsert_event_types(desk.account, payloads, asked_at=timezone.now())


# A new booking that somebody did something to before the first look


def test_a_new_booking_that_was_moved_before_we_looked_is_done_with_its_successor(desk):
    action = lost(desk, create(desk))
    [made] = [one.uid for one in desk.effects("create")]
    successor = desk.cal.reschedule(made)

    action = desk.deliver_until_ended(action)

    assert (action.status, action.result_uid) == ("done", successor)
    assert "rescheduled since" in action.note
    assert action.booking == Booking.objects.get(uid=successor)


def test_a_new_booking_that_was_moved_twice_is_done_with_the_last_one(desk):
    action = lost(desk, create(desk))
    [made] = [one.uid for one in desk.effects("create")]
    last = desk.cal.reschedule(desk.cal.reschedule(made))

    action = desk.deliver_until_ended(action)

    assert (action.status, action.result_uid) == ("done", last)


def test_a_new_booking_that_was_cancelled_before_we_looked_was_made(desk):
    action = lost(desk, create(desk))
    [made] = [one.uid for one in desk.effects("create")]
    desk.cal.cancel(made, "Changed my mind")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.result_uid) == ("done", made)
    assert "cancelled since" in action.note


def test_a_new_occurrence_that_was_moved_before_we_looked_is_done(desk):
    action = lost(desk, create(desk, "recurring", recurrenceCount=2))
    first, _second = [one.uid for one in desk.effects("create")]
    successor = desk.cal.reschedule(first)

    action = desk.deliver_until_ended(action)

    assert (action.status, action.result_uid) == ("done", successor)


def test_queued_again_a_booking_that_came_late_and_was_moved_is_not_made_twice(desk):
    desk.cal.fault("late", method="POST")
    action = desk.deliver_until_ended(create(desk))
    assert (action.status, action.error_code) == ("failed", "not_applied")
    desk.cal.carry_out_late()
    successor = desk.cal.reschedule(desk.cal.effects[-1].uid)

    again = desk.deliver_until_ended(outbox.requeue(action))

    assert (again.status, again.result_uid) == ("done", successor)
    assert len(desk.effects("create")) == 1


def test_a_seat_whose_whole_booking_was_moved_is_not_said_to_be_unbooked(desk):
    action = lost(desk, create(desk, "seated"))
    [made] = [one.uid for one in desk.effects("create")]
    later = desk.cal._some_start() + timedelta(days=70)
    desk.cal.change(made, start=f"{later:%Y-%m-%dT%H:%M:%S.000Z}")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "unverified")


# A booking that somebody else hosts


@pytest.mark.parametrize("is_mirrored", [True, False])
@pytest.mark.parametrize(("host", "kind"), [(2, "normal"), (1, "round-robin")])
def test_a_lost_answer_on_an_event_type_of_somebody_else_is_not_verified(
    desk, is_mirrored, host, kind
):
    if is_mirrored:
        know_event_types(desk)
    event_type = desk.cal.event_type(desk.cal.users[host], kind)
    person = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"}
    start = desk.cal._some_start()
    action = outbox.create(
        desk.account, event_type_id=event_type.id, start=start, attendee=person
    )
    action = lost(desk, action)
    [made] = [one.uid for one in desk.effects("create")]
    desk.cal.hand_over(made, {2})

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "unverified")
    assert "not known" in action.error_message
    assert "did not take effect" not in action.error_message


@pytest.mark.parametrize("is_mirrored", [True, False])
def test_on_an_own_event_type_what_is_not_there_was_not_made(desk, is_mirrored):
    if is_mirrored:
        know_event_types(desk)
    action = create(desk)
    desk.cal.fault("dropped", method="POST")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "not_applied")
    assert "did not take effect" in action.error_message


# A series whose length the event type decides


@pytest.mark.parametrize("is_mirrored", [True, False])
def test_a_series_without_a_count_of_which_some_were_booked_is_not_done(
    desk, is_mirrored
):
    if is_mirrored:
        know_event_types(desk)
    start = desk.cal._some_start()
    desk.cal.book(event_type="consultation", start=start + timedelta(weeks=2))

    action = desk.deliver_until_ended(create(desk, "recurring", start=start))

    assert (action.status, action.error_code) == ("failed", "partly")
    assert "2 of 4 occurrences" in action.error_message


def test_a_series_of_unknown_length_that_was_refused_is_not_done_either(desk):
    event_type = desk.cal.event_type(desk.cal.users[2], "recurring")
    start = desk.cal._some_start()
    then = start + timedelta(weeks=2)
    desk.cal.book(event_type="consultation", user=desk.cal.users[2], start=then)
    person = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"}
    action = outbox.create(
        desk.account, event_type_id=event_type.id, start=start, attendee=person
    )

    def show(request):
        """The account sees the bookings of the event type, and not the event type."""
        for uid in desk.cal.find(lambda one: one.get("recurringBookingUid")):
            if desk.cal.rows[uid].users == {2}:
                desk.cal.hand_over(uid, {1, 2})

    desk.cal.on_request = show
    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "partly")
    assert "booked 2 occurrences" in action.error_message


def test_a_whole_series_without_a_count_whose_answer_was_lost_is_done(desk):
    action = lost(desk, create(desk, "recurring"))

    action = desk.deliver_until_ended(action)

    assert action.status == "done", action.error_message


def test_a_refused_series_of_somebody_else_may_have_been_booked_in_part(desk):
    event_type = desk.cal.event_type(desk.cal.users[2], "recurring")
    start = desk.cal._some_start()
    then = start + timedelta(weeks=2)
    desk.cal.book(event_type="consultation", user=desk.cal.users[2], start=then)
    person = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"}
    action = outbox.create(
        desk.account, event_type_id=event_type.id, start=start, attendee=person
    )

    action = desk.deliver_until_ended(action)

    assert len(desk.effects("create")) == 2
    assert (action.status, action.error_code) == ("failed", "refused")
    assert "may have been booked all the same" in action.error_message


def test_a_refusal_on_an_own_event_type_needs_no_caveat(desk):
    start = desk.cal._some_start()
    desk.cal.book(start=start)

    action = desk.deliver_until_ended(create(desk, start=start))

    assert (action.status, action.error_code) == ("failed", "refused")
    assert "may have been" not in action.error_message


# Two seated bookings that become one


def test_a_seated_booking_that_was_moved_onto_another_one_is_done(desk):
    booking = desk.book("seated", attendees=desk.people(2))
    start = desk.later(booking)
    others = [Person("Other", "other@example.net")]
    target = desk.cal.book(event_type="seated", start=start, attendees=others)
    action = outbox.reschedule(booking, start=start)

    action = desk.deliver_until_ended(action)

    assert (action.status, action.result_uid) == ("done", target)
    assert "Cal.com moved the attendees into it" in action.note
    people = [one["email"] for one in desk.cal.payload(target)["attendees"]]
    assert people == ["other@example.net", "p0@example.net", "p1@example.net"]
    assert desk.writes == 1


def test_a_merge_whose_answer_was_lost_is_recognised(desk):
    booking = desk.book("seated", attendees=desk.people(2))
    start = desk.later(booking)
    target = desk.cal.book(event_type="seated", start=start, attendees=[])

    action = lost(desk, outbox.reschedule(booking, start=start))
    action = desk.deliver_until_ended(action)

    assert (action.status, action.result_uid) == ("done", target)


# What changed since it was sent


@pytest.mark.parametrize("moves", [False, True], ids=["undone", "moved"])
@pytest.mark.parametrize("it", SCENARIOS, ids=[one.name for one in SCENARIOS])
def test_of_no_kind_it_is_said_that_it_did_not_take_effect_where_it_did(
    desk, it, moves
):
    if desk.cal.dialect not in it.dialects:
        desk.speak(it.dialects[0])
    action = lost(desk, it.want(desk, it.prepare(desk)))
    for effect in desk.effects(it.effect):
        undo_effect(desk.cal, effect, action, moves=moves)
    writes = desk.writes

    action = desk.deliver_until_ended(action)

    assert desk.writes == writes
    assert "did not take effect" not in action.error_message
    if action.status == "failed":
        assert action.error_code in MAY_HAVE_TAKEN_EFFECT


def test_where_the_booking_changed_since_it_was_sent_nobody_says_that_it_had_no_effect(
    desk,
):
    booking = desk.book()
    action = lost(desk, outbox.cancel(booking, reason="Ill"))
    desk.cal.confirm(booking.uid)

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "uncertain")
    assert NOT_KNOWN in action.error_message
    assert "did not take effect" not in action.error_message


def test_a_conflict_after_a_lost_answer_leaves_open_whether_it_took_effect(desk):
    booking = desk.book()
    place = {"type": "address", "address": "1 Main St"}
    action = lost(desk, outbox.update_location(booking, location=place))
    desk.cal.set_location(booking.uid, "2 Main St")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "uncertain")
    assert "2 Main St" in action.error_message
    assert NOT_KNOWN in action.error_message


def test_a_success_that_was_undone_before_we_looked_is_not_said_to_have_no_effect(desk):
    booking = desk.book()
    action = outbox.add_attendee(
        booking, name="Zoë", email="zoe@example.net", time_zone="UTC"
    )

    def remove(request):
        if request.method == "GET" and desk.effects("add_attendee"):
            people = desk.cal.payload(booking.uid)["attendees"][:1]
            if len(desk.cal.payload(booking.uid)["attendees"]) > 1:
                desk.cal.change(booking.uid, attendees=people)

    desk.cal.on_request = remove
    action = desk.deliver_until_ended(action)

    assert len(desk.effects("add_attendee")) == 1
    assert (action.status, action.error_code) == ("failed", "uncertain")
    assert NOT_KNOWN in action.error_message


def test_the_absence_of_an_attendee_leaves_no_trace_when_it_is_undone(desk):
    """Cal.com does not move `updatedAt` for it, so an undone mark looks like none."""
    booking = desk.past()
    email = booking.payload["attendees"][0]["email"]
    action = lost(desk, outbox.mark_absent(booking, attendees=[email]))
    desk.cal.mark_absent(booking.uid, absent=False)

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "uncertain")
    assert NOT_KNOWN in action.error_message


def test_a_seat_that_was_moved_there_and_back_leaves_no_trace(desk):
    booking = desk.book("seated", attendees=desk.people(2))
    seat = booking.payload["attendees"][0]["seatUid"]
    action = outbox.reschedule(booking, start=desk.later(booking), seat_uid=seat)
    desk.cal.fault("dropped", method="POST")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "uncertain")


def test_without_a_time_of_update_nothing_proves_that_nothing_happened(desk):
    booking = desk.book(updatedAt=None)
    action = outbox.cancel(booking, reason="Ill")
    desk.cal.fault("dropped", method="POST")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "uncertain")
    assert desk.writes == 1


def test_a_new_time_that_was_cancelled_before_we_looked_is_said_to_be(desk):
    booking = desk.book()
    action = lost(desk, outbox.reschedule(booking, start=desk.later(booking)))
    desk.cal.cancel(desk.cal.payload(booking.uid)["rescheduledToUid"], "No")

    action = desk.deliver_until_ended(action)

    assert action.status == "done"
    assert "cancelled since" in action.note


# What a person is told


def test_attendees_who_joined_before_it_was_sent_are_not_named_and_nothing_is_claimed(
    desk,
):
    booking = desk.book("round-robin")
    action = outbox.reassign(booking, host=desk.host(2))
    eve = desk.cal.users[2].email
    desk.cal.add_attendee(booking.uid, Person("Eve", eve))

    action = desk.deliver(action)

    assert (action.status, action.error_code, desk.writes) == ("failed", "conflict", 0)
    assert eve not in action.error_message
    assert "could not be told" not in action.error_message


# What hosted Cal.com lacks


def test_hosted_cal_com_cannot_remove_an_attendee(desk):
    booking = desk.book(attendees=desk.people(3))

    with pytest.raises(outbox.Refused, match="book it again without them") as refused:
        outbox.remove_attendee(booking, email="p2@example.net")

    assert refused.value.code == "self_hosted"


def test_who_booked_is_not_somebody_called_unknown(desk):
    """Of a deleted event type Cal.com answers "unknown" for who booked."""
    desk.speak("offset")
    booking = desk.book(attendees=[*desk.people(2), Person("Unknown", "unknown")])
    unknown = {"email": "unknown", "name": "unknown"}
    Booking.objects.update(booking_fields_responses=unknown)
    booking.refresh_from_db()

    with pytest.raises(outbox.Refused) as refused:
        outbox.remove_attendee(booking, email="unknown")

    assert refused.value.code == "no_attendee"
    assert outbox.remove_attendee(booking, email="p1@example.net").status == "queued"
