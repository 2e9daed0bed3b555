"""An account without a credential: what Cal.com lets everybody do, and a clear refusal for the rest."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings import budget, mirror, outbox
from cal_bookings.models import Account, BookingAction
from cal_bookings.testing import FakeCal
from tests.outbox.conftest import Desk

ATTENDEE = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "Asia/Tokyo"}


@pytest.fixture
def desk(db, cal: FakeCal, settings) -> Desk:
    website = {"ANONYMOUS": True, "BASE_URL": cal.url}
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"website": website}}
    return Desk(cal, Account.objects.configured().get())


@pytest.fixture
def create(desk):
    def create(event_type="consultation", **fields):
        kind = desk.cal.event_type(desk.cal.users[1], event_type)
        start = timezone.now() + timedelta(days=2)
        wanted = {
            "event_type_id": kind.id,
            "start": start.replace(minute=0, second=0, microsecond=0),
            "attendee": ATTENDEE,
        }
        return outbox.create(desk.account, **wanted | fields)

    return create


def asked_without_a_credential(desk):
    headers = {"authorization", "x-cal-secret-key"}
    return all(headers.isdisjoint(each.headers) for each in desk.cal.requests)


def refusal(call):
    with pytest.raises(outbox.Refused) as refused:
        call()
    return refused.value.code, refused.value.message


def test_it_creates_reschedules_and_cancels(desk, create):
    made = desk.deliver(create())
    booking = made.booking
    moved = desk.deliver(outbox.reschedule(booking, start=desk.later(booking)))
    new = moved.account.bookings.get(uid=moved.result_uid)
    gone = desk.deliver(outbox.cancel(new, reason="Fell ill"))

    assert [each.status for each in (made, moved, gone)] == ["done"] * 3
    kinds = [effect.kind for effect in desk.effects()]
    assert kinds == ["create", "reschedule", "cancel"]
    assert asked_without_a_credential(desk)
    # Neither the kind of server nor a list was asked for: both need a credential.
    assert {each.status for each in desk.cal.requests} <= {200, 201}


def test_it_reads_a_booking_by_its_uid(desk):
    uid = desk.cal.book()

    with budget.connect(desk.account, priority=budget.Priority.REFRESH) as connection:
        mirror.refresh(desk.account, uid, connection=connection)

    assert desk.account.bookings.get().uid == uid


@pytest.mark.parametrize("fault", ["reset", "dropped", "500-applied"])
def test_a_create_whose_answer_is_lost_ends_unverified(desk, create, fault):
    action = create()
    desk.cal.fault(fault, path="/bookings", method="POST")

    desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "unverified")
    assert desk.writes == 1


def test_a_lost_answer_to_a_cancellation_is_verified_by_the_uid(desk, create):
    booking = desk.deliver(create()).booking
    action = outbox.cancel(booking, reason="Fell ill")
    desk.cal.fault("reset", path="/cancel")

    desk.deliver_until_ended(action)

    assert action.status == "done"


def test_what_needs_a_credential_is_refused_with_the_cure(desk):
    booking = desk.book("confirm", status="pending")

    for call in (
        lambda: outbox.confirm(booking),
        lambda: outbox.decline(booking),
        lambda: outbox.reassign(booking),
        lambda: outbox.add_guests(booking, guests=["a@b.example"]),
    ):
        code, message = refusal(call)
        assert code == "anonymous"
        assert "give the account an API key" in message
    assert not BookingAction.objects.exists()


def test_an_event_type_that_is_not_for_everybody_is_refused_and_pauses_nobody(
    desk, create
):
    action = create()
    desk.cal.fault("401", path="/bookings", method="POST")

    action = desk.deliver(action)

    assert (action.status, action.error_code) == ("failed", "refused")
    desk.account.refresh_from_db()
    assert desk.account.circuit_failures == 0


def test_a_slot_that_is_taken_is_refused(desk, create):
    desk.deliver(create())

    action = desk.deliver(create())

    assert (action.status, action.error_code) == ("failed", "refused")
