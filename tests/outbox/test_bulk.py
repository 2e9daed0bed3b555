"""Many actions at once: judged like one, written together, and at a constant number of statements."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cal_bookings import mirror, outbox, signals
from cal_bookings.models import Account, Booking, BookingAction, BookingChange
from cal_bookings.outbox.kinds import Cancel, Confirm, Decline
from tests.builders import booking_payload

TOMORROW = timezone.now().replace(microsecond=0) + timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return Account.objects.create(alias="default", server="self-hosted")


@pytest.fixture
def mirrored(account):
    """Bookings with these uids, pending."""

    def mirrored(*uids, **fields):
        fields = {"start": TOMORROW, "status": "pending"} | fields
        mirror.upsert(
            account,
            [booking_payload(uid, **fields) for uid in uids],
            asked_at=timezone.now(),
            api_version="2024-08-13",
            source=BookingChange.Source.WALK,
        )
        return list(Booking.objects.filter(uid__in=uids).order_by("pk"))

    return mirrored


def told(verdicts):
    return [verdict.refusal.code if verdict.refusal else "ok" for verdict in verdicts]


def test_those_that_can_be_done_are_written_and_the_others_told_why(mirrored):
    user = get_user_model().objects.create(username="sam")
    [pending] = mirrored("a")
    [accepted] = mirrored("b", status="accepted")
    [gone] = mirrored("c")
    Booking.objects.filter(pk=gone.pk).update(missing_since=timezone.now())
    wishes = [(Decline(reason="No"), one) for one in (pending, accepted, gone)]

    verdicts = outbox.enqueue_many(wishes, requested_by=user)

    assert told(verdicts) == ["ok", "not_pending", "missing"]
    action = BookingAction.objects.get()
    assert verdicts[0].action == action
    assert (action.booking, action.requested_by) == (pending, user)
    assert (action.kind, action.parameters) == ("decline", {"reason": "No"})
    assert action.seen["status"] == "pending"


def test_many_are_written_as_one_would_be(mirrored):
    first, second = mirrored("a", "b")

    alone = outbox.decline(first, reason="No")
    outbox.enqueue_many([(Decline(reason="No"), second)])

    differs = {"id", "booking_id", "lane", "seen", "enqueued_at", "next_attempt_at"}
    one, other = (
        {
            field.attname: getattr(action, field.attname)
            for field in BookingAction._meta.concrete_fields
            if field.attname not in differs
        }
        for action in (alone, BookingAction.objects.exclude(pk=alone.pk).get())
    )
    assert one == other


def test_an_examination_writes_nothing(mirrored):
    [booking] = mirrored("a")

    assert told(outbox.examine([(Confirm(), booking)])) == ["ok"]
    assert not BookingAction.objects.exists()


def test_what_is_open_already_is_respected(mirrored):
    [booking] = mirrored("a")
    outbox.confirm(booking)

    assert told(outbox.examine([(Decline(), booking)])) == ["open"]


def test_wishes_of_one_batch_are_judged_together(mirrored):
    """Confirming one occurrence confirms all: twice is once too often."""
    series = mirrored("a", "b", recurringBookingUid="r")
    [alone] = mirrored("c")

    verdicts = outbox.enqueue_many([(Confirm(), one) for one in [*series, alone]])

    assert told(verdicts) == ["ok", "open", "ok"]
    assert BookingAction.objects.count() == 2


def test_a_booking_is_judged_as_it_is_now(mirrored):
    [booking] = mirrored("a")
    Booking.objects.filter(pk=booking.pk).update(status="accepted")

    assert told(outbox.enqueue_many([(Confirm(), booking)])) == ["not_pending"]


def test_one_that_was_deleted_meanwhile_is_refused_and_the_others_are_written(mirrored):
    deleted, other = mirrored("a", "b")
    Booking.objects.filter(pk=deleted.pk).delete()

    verdicts = outbox.enqueue_many([(Confirm(), deleted), (Confirm(), other)])

    assert told(verdicts) == ["deleted", "ok"]
    assert BookingAction.objects.get().booking == other


def test_two_wishes_that_exclude_each_other_are_told_so(mirrored):
    [booking] = mirrored("a")

    verdicts = outbox.enqueue_many([(Confirm(), booking), (Decline(), booking)])

    assert told(verdicts) == ["ok", "open"]
    assert verdicts[1].refusal
    assert "The same request holds another action" in verdicts[1].refusal.message
    assert "None" not in verdicts[1].refusal.message


def test_each_is_announced_after_commit(mirrored, django_capture_on_commit_callbacks):
    heard = []

    def listen(*, action, **_):
        heard.append(action.booking.uid)

    signals.action_enqueued.connect(listen)
    bookings = mirrored("a", "b")
    with django_capture_on_commit_callbacks(execute=True):
        outbox.enqueue_many([(Confirm(), booking) for booking in bookings])
        assert heard == []
    signals.action_enqueued.disconnect(listen)

    assert heard == ["a", "b"]


def test_nothing_at_all_is_fine():
    assert outbox.enqueue_many([]) == []


def test_statements_do_not_grow_with_the_number_of_bookings(mirrored):
    def cost(*uids):
        wishes = [(Cancel(reason="Snow"), one) for one in mirrored(*uids)]
        with CaptureQueriesContext(connection) as captured:
            outbox.enqueue_many(wishes)
        # SQLite takes few parameters, so there the one insert is several.
        return len([q for q in captured if not q["sql"].startswith("INSERT")])

    few = cost("a", "b")

    assert cost(*(f"many-{n}" for n in range(200))) == few <= 6
