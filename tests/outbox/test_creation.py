"""Create in every form: each is done on the fake, or refused before anything is sent."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings import outbox
from cal_bookings.models import BookingAction

ZOE = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "Asia/Tokyo"}


def tomorrow():
    start = timezone.now() + timedelta(days=1)
    return start.replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def create(desk):
    def create(**options):
        given = {"attendee": ZOE}
        if not options.get("instant"):
            given["start"] = tomorrow()
        return outbox.create(desk.account, **(given | options))

    return create


@pytest.mark.parametrize(
    "named",
    [
        {"event_type_id": 2},
        {"event_type_slug": "consultation", "username": "host1"},
        {"event_type_slug": "support", "team_slug": "team-1"},
    ],
)
def test_an_event_type_is_named_in_each_way(desk, create, named):
    action = desk.deliver_until_ended(create(**named))

    assert action.status == BookingAction.Status.DONE
    assert len(desk.effects("create")) == 1


def test_each_field_reaches_cal_com(desk, create):
    action = create(
        event_type_id=3,
        attendee=ZOE | {"language": "de", "phoneNumber": "+14155552671"},
        guests=["guest@example.net"],
        location={"type": "link"},
        bookingFieldsResponses={"notes": "hello"},
        lengthInMinutes=90,
        metadata={"ref": "1"},
        emailVerificationCode="123456",
        allowConflicts=True,
        allowBookingOutOfBounds=True,
        skipBookingLimits=True,
    )

    desk.deliver_until_ended(action)

    [effect] = desk.effects("create")
    shown = desk.cal.payload(effect.uid)
    assert (shown["duration"], shown["description"]) == (90, "hello")
    assert shown["attendees"][0]["language"] == "de"
    assert shown["guests"] == ["guest@example.net"]
    assert shown["metadata"]["ref"] == "1"


def test_a_series_has_as_many_as_the_event_type(desk, create):
    action = desk.deliver_until_ended(
        create(event_type_slug="weekly", username="host1")
    )

    assert action.status == BookingAction.Status.DONE
    assert len(desk.effects("create")) == 4


@pytest.mark.parametrize("fault", ["", "reset", "500-applied", "dropped", "late"])
def test_an_instant_booking_is_made_at_most_once(desk, create, fault):
    if fault:
        desk.cal.fault(fault, path="/bookings", method="POST")
    action = create(event_type_slug="support", team_slug="team-1", instant=True)
    assert action.deadline - timezone.now() <= timedelta(minutes=2)

    desk.deliver(action)
    ended = desk.deliver_until_ended(action)
    desk.cal.carry_out_late()

    assert len(desk.effects("create")) == (0 if fault == "dropped" else 1)
    if fault == "":
        assert ended.status == BookingAction.Status.DONE
    elif fault in ("dropped", "late"):
        assert ended.status != BookingAction.Status.DONE


def test_an_instant_booking_that_waited_too_long_is_given_up(desk, create):
    action = create(event_type_id=7, instant=True)
    BookingAction.objects.filter(pk=action.pk).update(
        deadline=timezone.now() - timedelta(seconds=1)
    )

    assert desk.deliver_until_ended(action).status == BookingAction.Status.FAILED
    assert desk.writes == 0


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "event_type"),
        ({"event_type_id": 2, "username": "host1"}, "event_type"),
        ({"event_type_slug": "x"}, "event_type"),
        ({"event_type_id": 2, "start": None}, "past"),
        ({"event_type_id": 2, "attendee": ZOE | {"language": "xx"}}, "language"),
        ({"event_type_id": 2, "attendee": ZOE | {"phone": "+1"}}, "field"),
        ({"event_type_id": 2, "metadata": {str(n): "" for n in range(50)}}, "metadata"),
        ({"event_type_id": 2, "metadata": {"n" * 41: ""}}, "metadata"),
        ({"event_type_id": 2, "metadata": {"n": "v" * 501}}, "metadata"),
        ({"event_type_id": 2, "location": {"type": "moon"}}, "location"),
    ],
)
def test_what_cal_com_would_refuse_is_refused_before(desk, create, options, code):
    with pytest.raises(outbox.Refused) as caught:
        create(**options)
    assert caught.value.code == code


def test_an_unknown_field_is_refused_with_the_nearest_name(create):
    with pytest.raises(outbox.Refused, match="did you mean lengthInMinutes"):
        create(event_type_id=2, lengthInMinute=30)


def test_forty_nine_metadata_and_our_mark_are_accepted(desk, create):
    action = create(event_type_id=2, metadata={str(n): "" for n in range(49)})

    assert desk.deliver_until_ended(action).status == BookingAction.Status.DONE


def test_a_self_hosted_server_has_no_switches_of_hosts(desk, create):
    desk.speak("offset")

    with pytest.raises(outbox.Refused) as caught:
        create(event_type_id=2, allowConflicts=True)
    assert caught.value.code == "hosted"


def test_an_attendee_and_a_guest_speak_a_language_of_cal_com(desk):
    booking = desk.book()

    with pytest.raises(outbox.Refused, match="no language xx"):
        outbox.add_attendee(
            booking, name="A", email="a@x.org", time_zone="UTC", language="xx"
        )
    with pytest.raises(outbox.Refused, match="no language xx"):
        outbox.add_guests(booking, guests=[{"email": "a@x.org", "language": "xx"}])


def test_a_booking_is_given_to_somebody_without_a_row(desk):
    booking = desk.book("round-robin")

    action = desk.deliver_until_ended(outbox.reassign(booking, user_id=2))

    assert action.status == BookingAction.Status.DONE
    assert desk.cal.payload(booking.uid)["hosts"][0]["id"] == 2
    with pytest.raises(TypeError, match="not both"):
        outbox.reassign(booking, user_id=3, host=desk.host(3))
