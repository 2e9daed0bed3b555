"""What goes into the outbox, what is refused with its cure, and what comes out again before it is sent."""

import inspect
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from cal_bookings import mirror, outbox, signals
from cal_bookings.models import (
    Account,
    Booking,
    BookingAction,
    BookingChange,
    EventType,
    Host,
)
from cal_bookings.outbox.kinds import KINDS, Reschedule
from tests.builders import attendee_payload, booking_payload, iso

TOMORROW = timezone.now().replace(microsecond=0) + timedelta(days=1)
YESTERDAY = TOMORROW - timedelta(days=2)
pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return Account.objects.create(alias="default", server="self-hosted")


@pytest.fixture
def mirrored(account):
    def mirrored(**fields):
        payload = booking_payload(**{"start": TOMORROW} | fields)
        mirror.upsert(
            account,
            [payload],
            asked_at=timezone.now(),
            api_version="2024-08-13",
            source=BookingChange.Source.WALK,
        )
        return Booking.objects.get(uid=payload["uid"])

    return mirrored


def seated(*people):
    payload = {"description": None} | {
        "attendees": [
            attendee_payload(name, seatUid=f"seat-{name}", metadata={})
            for name in people
        ]
    }
    return payload | {"bookingFieldsResponses": None}


def refusal(act, *args, **options):
    with pytest.raises(outbox.Refused) as caught:
        act(*args, **options)
    assert not BookingAction.objects.exists()
    return caught.value.code, caught.value.message


def test_an_action_keeps_who_what_when_and_what_they_saw(mirrored):
    booking = mirrored()
    user = get_user_model().objects.create(username="nora")

    action = outbox.cancel(booking, reason="Fell ill", requested_by=user)

    action.refresh_from_db()
    assert action.booking == booking
    assert action.kind == "cancel"
    assert action.parameters == {
        "reason": "Fell ill",
        "subsequent": False,
        "seat_uid": "",
    }
    assert action.requested_by == user
    assert action.status == "queued"
    assert action.deadline == booking.end
    assert action.seen["status"] == "accepted"
    assert action.seen["start"] == booking.start.isoformat()
    assert action.seen["hosts"] == [1]


def test_every_kind_has_its_class():
    assert set(KINDS) == set(BookingAction.Kind.values)


def test_parameters_come_back_as_they_were(mirrored):
    start = TOMORROW + timedelta(hours=2)
    action = outbox.reschedule(mirrored(), start=start, reason="Later")
    action.refresh_from_db()

    kind = KINDS[action.kind].load(action.parameters)

    assert isinstance(kind, Reschedule)
    assert kind.parameters == action.parameters
    assert kind.moment == start
    assert kind.rescheduled_by == "ada@example.com"


def test_a_rollback_leaves_nothing_and_tells_nobody(
    mirrored, django_capture_on_commit_callbacks
):
    booking, told = mirrored(), []
    signals.action_enqueued.connect(
        lambda action, **_: told.append(action), weak=False, dispatch_uid="told"
    )

    def confirm_and_fail():
        with transaction.atomic():
            outbox.confirm(mirrored(status="pending"))
            raise ZeroDivisionError

    with django_capture_on_commit_callbacks(execute=True):
        with pytest.raises(ZeroDivisionError):
            confirm_and_fail()
        outbox.cancel(booking, reason="Fell ill")

    assert [action.kind for action in told] == ["cancel"]
    assert BookingAction.objects.count() == 1
    signals.action_enqueued.disconnect(dispatch_uid="told")


def test_a_refusal_is_a_validation_error(mirrored):
    with pytest.raises(ValidationError, match="give one"):
        outbox.cancel(mirrored(), reason=" ")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "cancelled"}, "over"),
        ({"status": "rejected"}, "over"),
        ({"status": "cancelled", "rescheduledToUid": "other"}, "rescheduled"),
        ({"start": YESTERDAY}, "past"),
    ],
)
def test_what_does_not_take_place_is_not_cancelled(mirrored, fields, code):
    assert refusal(outbox.cancel, mirrored(**fields), reason="x")[0] == code


def test_a_booking_that_is_gone_is_left_alone(mirrored):
    booking = mirrored()
    now = timezone.now()
    mirror.mark_missing(booking.account, [booking.uid], asked_at=now)

    code, message = refusal(outbox.cancel, booking, reason="x")

    assert code == "missing"
    assert "no longer exists" in message


@pytest.mark.parametrize("act", [outbox.confirm, outbox.decline])
def test_only_a_pending_booking_is_answered(mirrored, act):
    code, message = refusal(act, mirrored())

    assert code == "not_pending"
    assert "accepted" in message


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (YESTERDAY, "past"),
        (TOMORROW, "same_start"),
        (datetime(2099, 1, 1), "naive"),  # noqa: DTZ001 - the point
    ],
)
def test_the_new_time_is_another_one_and_to_come(mirrored, start, code):
    assert refusal(outbox.reschedule, mirrored(), start=start)[0] == code


def test_options_of_hosted_cal_com_are_for_hosted_cal_com(mirrored):
    booking, start = mirrored(), TOMORROW + timedelta(hours=1)

    def code(**options):
        return refusal(outbox.reschedule, booking, start=start, options=options)[0]

    assert code(allowConflicts=True) == "hosted"
    assert code(allowMiracles=True) == "options"
    assert refusal(outbox.request_reschedule, booking)[0] == "hosted"


def test_the_rest_of_a_series_needs_a_series(mirrored):
    code, _ = refusal(outbox.cancel, mirrored(), reason="x", subsequent=True)
    assert code == "no_series"


def test_a_seat_has_to_be_one_of_the_booking(mirrored):
    booking = mirrored(**seated("ben", "cleo"))

    assert refusal(outbox.cancel, booking, reason="x", seat_uid="seat-dora")[0] == (
        "no_seat"
    )
    start = TOMORROW + timedelta(hours=1)
    moved = outbox.reschedule(booking, start=start, seat_uid="seat-ben")
    assert moved.parameters["seat_email"] == "ben@example.net"


def test_absence_is_marked_from_the_start_on_and_of_people_who_are_there(mirrored):
    assert refusal(outbox.mark_absent, mirrored(), host=True)[0] == "not_started"
    past = mirrored(start=YESTERDAY)
    assert refusal(outbox.mark_absent, past)[0] == "nobody"
    code, message = refusal(outbox.mark_absent, past, attendees=["who@example.net"])
    assert code == "no_attendee"
    assert "who@example.net" in message


def test_only_round_robin_bookings_get_another_host(account, mirrored):
    booking = mirrored()
    ada = Host.objects.get(remote_id=1)
    EventType.objects.update(payload={"schedulingType": "collective"})
    assert refusal(outbox.reassign, booking)[0] == "not_round_robin"

    EventType.objects.update(payload={"schedulingType": "roundRobin"})
    booking.refresh_from_db()
    assert refusal(outbox.reassign, booking, host=ada)[0] == "same_host"
    other = Account.objects.create(alias="other")
    stranger = Host(account=other, remote_id=9)
    assert refusal(outbox.reassign, booking, host=stranger)[0] == "account"


@pytest.mark.parametrize(
    "location",
    [
        {"type": "moon", "moon": "crater"},
        {"type": "link"},
        {"type": "link", "link": " "},
        {"type": "link", "link": "https://meet.example.com", "phone": "1"},
    ],
)
def test_a_location_is_one_that_cal_com_knows(mirrored, location):
    code, _ = refusal(outbox.update_location, mirrored(), location=location)
    assert code == "location"


def test_attendees_are_new_when_added_and_known_when_removed(mirrored):
    booking = mirrored(attendees=[attendee_payload("Ben"), attendee_payload("Cleo")])

    def added(email):
        return refusal(
            outbox.add_attendee, booking, name="X", email=email, time_zone="UTC"
        )[0]

    assert added("BEN@example.net") == "attends_already"
    assert added("nobody") == "email"
    assert refusal(outbox.add_guests, booking, guests=[])[0] == "guests"
    assert refusal(outbox.remove_attendee, booking, email="x@example.net")[0] == (
        "no_attendee"
    )
    assert refusal(outbox.remove_attendee, booking, email="ben@example.net")[0] == (
        "booker"
    )


@pytest.mark.parametrize(
    ("attendee", "code"),
    [
        ({"email": "x@example.net", "timeZone": "UTC"}, "name"),
        ({"name": "X", "timeZone": "UTC"}, "email"),
        ({"name": "X", "email": "x@example.net"}, "time_zone"),
    ],
)
def test_a_new_booking_says_who_comes(account, attendee, code):
    told = refusal(
        outbox.create, account, event_type_id=2, start=TOMORROW, attendee=attendee
    )
    assert told[0] == code


def test_a_second_reschedule_while_one_is_open_is_refused_and_told_which(mirrored):
    booking = mirrored()
    first = outbox.reschedule(booking, start=TOMORROW + timedelta(hours=1))

    with pytest.raises(outbox.Refused) as caught:
        outbox.reschedule(booking, start=TOMORROW + timedelta(hours=2))

    assert caught.value.code == "open"
    assert f"reschedule #{first.pk} is still open" in caught.value.message
    outbox.withdraw(first)
    outbox.reschedule(booking, start=TOMORROW + timedelta(hours=2))


def test_actions_that_do_not_contradict_may_wait_for_one_another(mirrored):
    booking = mirrored(start=YESTERDAY)

    outbox.mark_absent(booking, attendees=["ben@example.net"])
    outbox.mark_absent(booking, host=True)

    assert BookingAction.objects.open().count() == 2
    with pytest.raises(outbox.Refused, match="still open"):
        outbox.mark_absent(booking, host=False)


def test_an_answer_for_a_series_stands_against_all_its_occurrences(mirrored):
    one, other = (
        mirrored(status="pending", recurringBookingUid="series") for _ in "ab"
    )
    outbox.confirm(one)

    with pytest.raises(outbox.Refused, match="still open"):
        outbox.decline(other)


def test_two_occurrences_may_be_cancelled_one_by_one(mirrored):
    one, other = (mirrored(recurringBookingUid="series") for _ in "ab")

    first = outbox.cancel(one, reason="x")
    second = outbox.cancel(other, reason="x")

    assert first.lane == second.lane == "series"
    with pytest.raises(outbox.Refused, match="still open"):
        outbox.cancel(one, reason="x", subsequent=True)


def test_what_was_withdrawn_is_not_withdrawn_again_and_may_be_put_back(mirrored):
    booking = mirrored()
    action = outbox.cancel(booking, reason="x")

    outbox.withdraw(action)

    assert action.status == "withdrawn"
    assert action.ended_at
    with pytest.raises(outbox.Refused, match="too late"):
        outbox.withdraw(action)
    again = outbox.requeue(action)
    assert (again.status, again.parameters) == ("queued", action.parameters)
    with pytest.raises(outbox.Refused, match="Only an action that failed"):
        outbox.requeue(again)


def test_put_back_it_goes_to_the_booking_that_took_the_place(mirrored):
    old = mirrored()
    action = outbox.cancel(old, reason="x")
    outbox.withdraw(action)
    new = mirrored(rescheduledFromUid=old.uid)
    Booking.objects.filter(pk=old.pk).update(
        status="cancelled", rescheduled_to_uid=new.uid
    )

    assert outbox.requeue(action).booking == new


def test_a_deadline_is_aware_and_to_come(mirrored):
    booking = mirrored()

    assert refusal(outbox.cancel, booking, reason="x", deadline=YESTERDAY)[0] == "past"
    naive = datetime(2099, 1, 1)  # noqa: DTZ001 - the point
    assert refusal(outbox.cancel, booking, reason="x", deadline=naive)[0] == "naive"
    until = datetime(2099, 1, 1, tzinfo=UTC)
    assert outbox.cancel(booking, reason="x", deadline=until).deadline == until


def test_times_go_over_the_wire_in_utc(mirrored):
    action = outbox.reschedule(mirrored(), start=TOMORROW + timedelta(hours=3))
    assert action.parameters["start"] == iso(TOMORROW + timedelta(hours=3))


def test_a_booking_that_somebody_deleted_is_refused(mirrored):
    booking, another = mirrored(), mirrored()
    Booking.objects.filter(pk=booking.pk).delete()
    another.delete()

    for gone in (booking, another):
        code, message = refusal(outbox.cancel, gone, reason="Ill")
        assert code == "deleted"
        assert "no longer in the mirror" in message


def failed_create(account):
    person = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"}
    action = outbox.create(account, event_type_id=2, start=TOMORROW, attendee=person)
    BookingAction.objects.update(status="failed")
    action.refresh_from_db()
    return action


def test_a_new_booking_is_queued_again_once_at_a_time(account):
    action = failed_create(account)
    again = outbox.requeue(action)

    with pytest.raises(outbox.Refused, match=f"create #{again.pk} is the same booking"):
        outbox.requeue(action)

    assert BookingAction.objects.count() == 2


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="its connections do not wait for a row"
)
@pytest.mark.django_db(transaction=True)
def test_two_who_queue_a_new_booking_again_at_once_make_one_action(account):
    action = failed_create(account)
    barrier, ends = Barrier(2), list[str]()

    def press():
        mine = BookingAction.objects.get(pk=action.pk)
        barrier.wait()
        try:
            outbox.requeue(mine)
            ends.append("queued")
        except outbox.Refused as refused:
            ends.append(str(refused.code))
        finally:
            connection.close()

    threads = [Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ends) == ["open", "queued"]
    assert BookingAction.objects.open().count() == 1


def test_a_booking_that_changed_since_it_was_read_is_accepted_as_it_was_seen(mirrored):
    """One at a time: the worker compares what matters. Many at once are refused, see test_bulk."""
    seen = mirrored(uid="a")
    mirrored(uid="a", title="Another title", location="Elsewhere")

    action = outbox.cancel(seen, reason="Fell ill")

    seen.refresh_from_db()
    assert action.seen["location"] != seen.payload["location"] == "Elsewhere"


def test_a_proposal_is_examined_without_being_written(mirrored):
    proposal = outbox.decline.propose(mirrored(status="pending"), reason="No")

    [decision] = outbox.examine([proposal])

    assert decision.refusal is None
    assert decision.action
    assert decision.action.parameters == {"reason": "No"}
    assert not BookingAction.objects.exists()


def test_what_one_proposal_refuses_the_others_do_not(account, mirrored):
    """Also what the intent itself refuses: a naive time, a seat of nobody, a host of another account."""
    other = Host(account=Account.objects.create(alias="other"), remote_id=9)
    start = TOMORROW + timedelta(hours=1)
    naive = datetime(2099, 1, 1)  # noqa: DTZ001 - the point
    people = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"}
    proposals = [
        outbox.reassign.propose(mirrored(), host=other),
        outbox.reschedule.propose(mirrored(), start=naive),
        outbox.reschedule.propose(mirrored(), start=start, seat_uid="nobody's"),
        outbox.cancel.propose(Booking(account=account), reason="x"),
        outbox.create.propose(
            account, event_type_id=2, start=TOMORROW, attendee=people
        ),
    ]

    decisions = outbox.enqueue_many(proposals)

    codes = [one.refusal.code if one.refusal else "ok" for one in decisions]
    assert codes == ["account", "naive", "no_seat", "deleted", "ok"]
    assert BookingAction.objects.get().kind == "create"


def test_who_asks_for_many_is_kept_unless_a_proposal_says_otherwise(mirrored):
    nora, sam = (get_user_model().objects.create(username=name) for name in "ns")
    proposals = [
        outbox.cancel.propose(mirrored(), reason="x", requested_by=nora),
        outbox.cancel.propose(mirrored(), reason="x"),
    ]

    outbox.enqueue_many(proposals, requested_by=sam)

    rows = BookingAction.objects.order_by("pk")
    assert [action.requested_by for action in rows] == [nora, sam]


def test_intents_keep_their_signature_and_their_words():
    assert outbox.Verdict is outbox.Decision
    signature = inspect.signature(outbox.cancel)
    assert signature.return_annotation is BookingAction
    assert {"reason", "requested_by", "deadline"} <= set(signature.parameters)
    assert "Cancel a booking" in str(outbox.cancel.__doc__)
