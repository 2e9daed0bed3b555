"""Silence is an alarm: what a walk finds and nobody announced; the changes loop rests only while webhooks prove themselves."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from cal_bookings import sync
from cal_bookings.models import (
    Account,
    Booking,
    BookingChange,
    Mode,
    SyncState,
    WebhookDelivery,
    WebhookReceiver,
)
from cal_bookings.tasks import sync as tasks
from cal_bookings.webhooks import health, processing, refusals, silence
from tests.webhooks.conftest import Sender, body
from tests.webhooks.recorded import SECRET

HOUR = timedelta(hours=1)


@pytest.fixture
def account(db, cal, settings):
    cache.clear()
    settings.CAL_BOOKINGS["ACCOUNTS"]["default"]["WEBHOOK_SECRET"] = SECRET
    settings.CAL_BOOKINGS |= {"WORKER": None, "CHANGES_INTERVAL_WITH_WEBHOOKS": 900}
    account = Account.objects.configured().get()
    account.server = "hosted"
    account.save()
    sync.walk(account)
    return account


@pytest.fixture
def announce(account):
    sender = Sender(account)

    def announce(trigger, uid, **more):
        assert sender.deliver(body(trigger, uid=uid, **more)).status_code == 200

    return announce


@pytest.fixture
def healthy(account, cal, announce):
    """One delivery has been processed, an hour ago."""
    announce("BOOKING_CREATED", cal.book())
    processing.process(account.pk)
    pass_time(HOUR)


def pass_time(by):
    WebhookReceiver.objects.update(
        healthy_since=F("healthy_since") - by, expected_since=F("expected_since") - by
    )
    WebhookDelivery.objects.update(received_at=F("received_at") - by)


def grow_old():
    """What walks found is found ten minutes earlier, so that no delivery of it is expected any more."""
    earlier = timedelta(minutes=10)
    BookingChange.objects.update(changed_at=F("changed_at") - earlier)
    Booking.objects.update(
        first_seen_at=F("first_seen_at") - earlier,
        remote_created_at=F("remote_created_at") - earlier,
    )


def walk_changes(account):
    """What the task does."""
    SyncState.objects.filter(mode=Mode.CHANGES).update(due_at=timezone.now())
    tasks.sync_account(account.pk, "changes")


def pause_of_changes():
    due_at = SyncState.objects.get(mode=Mode.CHANGES).due_at
    return (due_at - timezone.now()).total_seconds()


def unannounced(account):
    return {(one.trigger, one.count) for one in silence.unannounced([account])}


@pytest.mark.usefixtures("healthy")
class TestSilence:
    def test_each_kind_of_change_that_nobody_announced(self, account, cal):
        old, moved, declined = cal.book(), cal.book(), cal.book(event_type="confirm")
        for uid in (old, moved, declined):
            self.announce_quietly(account, uid)
        sync.walk(account, Mode.CHANGES)
        WebhookDelivery.objects.all().delete()
        cal.clock.advance(timedelta(seconds=1))
        cal.cancel(old, "Fell ill")
        cal.decline(declined)
        cal.reschedule(moved)
        cal.book()
        cal.book(event_type="confirm")
        sync.walk(account, Mode.CHANGES)
        grow_old()

        found = unannounced(account)

        assert {trigger for trigger, _count in found} == {
            *("BOOKING_CANCELLED", "BOOKING_REJECTED", "BOOKING_RESCHEDULED"),
            *("BOOKING_CREATED", "BOOKING_REQUESTED"),
        }

    def announce_quietly(self, account, uid):
        WebhookDelivery.objects.create(
            account=account, uid=uid, body_hash=uid, trigger="BOOKING_CREATED"
        )

    def test_what_was_announced_is_not_among_it(self, account, cal, announce):
        uid, series = cal.book(), cal.book_series(3)
        announce("BOOKING_CREATED", uid)
        announce("BOOKING_CREATED", series[1])
        sync.walk(account, Mode.CHANGES)  # faster than any worker
        grow_old()

        assert unannounced(account) == set()

    def test_other_changes_are_not_expected_to_be_announced(self, account, cal):
        sync.walk(account, Mode.CHANGES)
        cal.clock.advance(timedelta(seconds=1))
        cal.edit(cal.bookings[0], location="https://meet.example.com/other")
        sync.walk(account, Mode.CHANGES)
        grow_old()

        assert unannounced(account) == set()

    def test_what_is_news_may_still_be_announced(self, account, cal):
        cal.book()
        sync.walk(account, Mode.CHANGES)

        assert unannounced(account) == set()

    def test_an_account_that_never_had_webhooks_is_not_silent(self, account, cal):
        WebhookReceiver.objects.all().delete()
        cal.book()
        sync.walk(account, Mode.CHANGES)
        grow_old()

        assert unannounced(account) == set()

    def test_it_costs_a_constant_number_of_queries(
        self, account, cal, django_assert_max_num_queries
    ):
        for _ in range(20):
            cal.book()
        cal.book_series(5)
        sync.walk(account, Mode.CHANGES)
        grow_old()

        with django_assert_max_num_queries(6):
            assert unannounced(account) == {("BOOKING_CREATED", 25)}


def test_the_first_processed_delivery_is_noted_at_once(
    account, django_assert_num_queries
):
    """A crash between two statements would leave webhooks healthy that are never expected."""
    receiver = WebhookReceiver.objects.of(account)

    with django_assert_num_queries(1):
        health.note_processed(receiver)

    receiver.refresh_from_db()
    assert receiver.expected_since == receiver.healthy_since is not None


class TestRest:
    def test_without_a_delivery_the_loop_does_not_rest(self, account):
        walk_changes(account)

        assert pause_of_changes() < 70

    def test_with_healthy_webhooks_it_rests(self, account, healthy):
        walk_changes(account)

        assert 880 < pause_of_changes() <= 900

    def test_without_the_setting_it_does_not(self, account, healthy, settings):
        settings.CAL_BOOKINGS |= {"CHANGES_INTERVAL_WITH_WEBHOOKS": None}
        walk_changes(account)

        assert pause_of_changes() < 70

    def test_what_nobody_announced_ends_the_rest_at_once(self, account, healthy, cal):
        cal.book()
        walk_changes(account)
        assert pause_of_changes() > 800
        grow_old()

        walk_changes(account)

        assert pause_of_changes() < 70
        assert WebhookReceiver.objects.get().healthy_since is None

    def test_refused_deliveries_end_it(self, account, healthy):
        walk_changes(account)
        for _ in range(refusals.MANY):
            refusals.count(account.pk)

        health.check()

        assert pause_of_changes() <= 0

    def test_deliveries_that_nobody_processes_end_it(self, account, healthy, announce):
        walk_changes(account)
        announce("BOOKING_PAID", "any")
        late = timezone.now() - timedelta(minutes=3)
        WebhookDelivery.objects.filter(uid="any").update(next_attempt_at=late)

        health.check()

        assert pause_of_changes() <= 0

    def test_the_next_processed_delivery_makes_them_healthy_again(
        self, account, healthy, cal, announce
    ):
        health.end_rest([account.pk])
        announce("BOOKING_PAID", cal.bookings[0])
        processing.process(account.pk)

        walk_changes(account)

        assert pause_of_changes() > 800

    def test_a_resting_loop_is_not_silent_for_too_long(self, account):
        state = SyncState.objects.get(mode=Mode.CHANGES)
        state.last_completed_at = timezone.now() - timedelta(minutes=20)

        assert not state.is_silent(timezone.now())
