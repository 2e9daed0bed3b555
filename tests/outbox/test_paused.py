"""An account that is paused, or has no credential, has its actions wait; what may have been sent is not forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings import budget, mirror, outbox
from cal_bookings.client import CalUnauthorized
from cal_bookings.models import Account, Booking, BookingAction, BookingChange
from tests.builders import booking_payload

pytestmark = pytest.mark.django_db
Status = BookingAction.Status
TOMORROW = timezone.now() + timedelta(days=1)


@pytest.fixture
def account(cal):
    return Account.objects.configured().get()


@pytest.fixture
def action(account):
    mirror.upsert(
        account,
        [booking_payload("a-booking", start=TOMORROW)],
        asked_at=timezone.now(),
        api_version="2024-08-13",
        source=BookingChange.Source.WALK,
    )
    return outbox.cancel(Booking.objects.get(), reason="ill")


@pytest.fixture(params=["paused", "credential"])
def reason(request, cal, account, settings):
    if request.param == "credential":
        settings.CAL_BOOKINGS = {"ACCOUNTS": {"default": {"API_KEY": ""}}}
        return request.param
    cal.fault("401")
    with (
        budget.connect(account, priority=budget.Priority.FULL) as connection,
        pytest.raises(CalUnauthorized),
    ):
        connection.me()
    cal.requests.clear()
    return request.param


def test_an_action_that_was_not_sent_waits(cal, action, reason):
    outbox.deliver(action.pk)

    action.refresh_from_db()
    assert (action.status, action.error_code) == (Status.QUEUED, reason)
    assert action.next_attempt_at > timezone.now()
    assert list(cal.requests) == []


def test_an_action_that_may_have_been_sent_is_still_that(cal, action, reason):
    sent_at, settles_at = timezone.now(), timezone.now() + timedelta(minutes=10)
    BookingAction.objects.update(
        status=Status.UNKNOWN, sent_at=sent_at, settles_at=settles_at
    )

    outbox.deliver(action.pk)

    action.refresh_from_db()
    assert action.status == Status.UNKNOWN
    assert (action.sent_at, action.settles_at) == (sent_at, settles_at)


def test_the_pause_of_its_account_is_not_an_attempt(account, action, reason):
    outbox.deliver(action.pk)

    action.refresh_from_db()
    if reason == "paused":
        assert action.attempts == 0
        pause = (action.next_attempt_at - timezone.now()).total_seconds()
        assert pause == pytest.approx(300, abs=5)
    else:
        assert action.attempts == 1
