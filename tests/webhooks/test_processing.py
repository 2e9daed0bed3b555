"""What becomes of a delivery: its booking is read again, once for all deliveries that name it, and never written from it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cal_bookings import mirror, outbox, signals, sync
from cal_bookings.models import (
    Account,
    Booking,
    BookingAction,
    BookingChange,
    WebhookDelivery,
    WebhookReceiver,
)
from cal_bookings.testing import FakeCal
from cal_bookings.webhooks import processing
from tests.builders import iso
from tests.comparison import assert_mirrors
from tests.histories import Crash, crash_at
from tests.webhooks.conftest import Sender, body
from tests.webhooks.recorded import SECRET

ROOT = Path(__file__).resolve().parents[2]


class Desk:
    """An account whose webhooks arrive, and the Cal.com that it mirrors."""

    def __init__(self, cal: FakeCal, account: Account) -> None:
        self.cal, self.account = cal, account
        self.sender = Sender(account)

    def announce(self, trigger: str, uid: str, **more: Any) -> WebhookDelivery:
        """Deliver what Cal.com says when it has made a change: created at this moment."""
        self.deliver(body(trigger, iso(timezone.now()), uid=uid, **more))
        return WebhookDelivery.objects.order_by("pk").last()  # type: ignore[return-value]

    def deliver(self, delivered: bytes) -> None:
        assert self.sender.deliver(delivered).status_code == 200

    def process(self) -> int:
        """Process what is due; return how many requests that took."""
        before = len(self.cal.requests)
        processing.process(self.account.pk)
        return len(self.cal.requests) - before

    def pass_time(self, seconds: float) -> None:
        by = timedelta(seconds=seconds)
        moved = ("received_at", "next_attempt_at", "processed_at")
        columns = {name: F(name) - by for name in moved}
        WebhookDelivery.objects.update(**columns)
        BookingAction.objects.update(
            ended_at=F("ended_at") - by, next_attempt_at=F("next_attempt_at") - by
        )

    def states(self) -> list[tuple[str, str]]:
        rows = WebhookDelivery.objects.order_by("pk")
        return list(rows.values_list("state", "outcome"))

    def is_equal(self) -> None:
        assert_mirrors(self.account, self.cal.payloads())


@pytest.fixture
def desk(db, cal, settings):
    entry = settings.CAL_BOOKINGS["ACCOUNTS"]["default"]
    entry["WEBHOOK_SECRET"] = SECRET
    settings.CAL_BOOKINGS |= {"WORKER": None}
    account = Account.objects.configured().get()
    account.server = "hosted"
    account.save()
    return Desk(cal, account)


def test_a_new_booking_is_mirrored_by_one_request(desk):
    desk.announce("BOOKING_CREATED", desk.cal.book())

    assert desk.process() == 1
    desk.is_equal()
    assert desk.states() == [("done", "mirrored")]


def test_nothing_of_the_payload_is_written(desk):
    uid = desk.cal.book()
    lies = {"title": "Free money", "status": "CANCELLED", "location": "nowhere"}
    desk.announce("BOOKING_RESCHEDULED", uid, **lies)

    desk.process()

    desk.is_equal()
    assert Booking.objects.get().status == "accepted"


def test_a_storm_about_a_few_bookings_costs_a_few_requests(desk):
    uids = [desk.cal.book() for _ in range(5)]
    for number in range(200):
        desk.announce("BOOKING_PAID", uids[number % 5], number=number)

    assert desk.process() == 5
    assert {*desk.states()} == {("done", "mirrored")}
    desk.is_equal()


def test_a_storm_that_goes_on_is_read_ever_less_often(desk):
    uid = desk.cal.book()
    requests = []
    for second in range(40):
        desk.announce("BOOKING_PAID", uid, number=second)
        requests.append(desk.process())
        desk.pass_time(1)
    desk.pass_time(60)
    requests.append(desk.process())

    assert sum(requests) <= 6
    assert {*desk.states()} == {("done", "mirrored")}


def test_a_cancellation_announced_before_its_commit_is_read_again(desk):
    uid = desk.cal.book()
    desk.announce("BOOKING_CANCELLED", uid)
    desk.process()
    assert Booking.objects.get().status == "accepted"
    assert desk.states() == [("settling", "")]

    desk.cal.cancel(uid, "Fell ill")
    assert desk.process() == 0
    desk.pass_time(4)
    desk.process()

    assert Booking.objects.get().status == "cancelled"
    assert desk.states() == [("done", "mirrored")]
    desk.is_equal()


def test_what_is_never_shown_is_read_four_times(desk):
    desk.announce("BOOKING_CANCELLED", desk.cal.book())
    for _ in range(6):
        desk.process()
        desk.pass_time(60)

    assert desk.states() == [("done", "not_shown")]
    assert len(desk.cal.requests) == 4


def test_a_server_that_announces_inside_the_request_is_read_once_more(desk):
    desk.account.server = "self-hosted"
    desk.account.save()
    uid = desk.cal.book()
    desk.cal.clock.advance(timedelta(seconds=1))
    desk.announce("BOOKING_CREATED", uid)
    desk.deliver(body("BOOKING_CREATED", iso(desk.cal.clock.now()), uid=uid))
    desk.process()
    assert ("settling", "") in desk.states()

    desk.cal.touch(uid)
    desk.pass_time(4)
    assert desk.process() == 1

    assert {*desk.states()} == {("done", "mirrored")}
    desk.is_equal()


def test_one_delivery_reads_the_whole_series(desk):
    uids = desk.cal.book_series(4)
    for uid in uids:
        desk.cal.edit(uid, status="pending")
    desk.announce("BOOKING_REQUESTED", uids[0])
    assert desk.process() == 2  # the occurrence, and then all of them
    desk.is_equal()

    for uid in uids:
        desk.cal.decline(uid)
    desk.pass_time(61)
    desk.announce("BOOKING_REJECTED", uids[1])

    assert desk.process() == 1
    desk.is_equal()
    assert {*Booking.objects.values_list("status", flat=True)} == {"rejected"}


def test_both_halves_of_a_reschedule_are_read(desk):
    uid = desk.cal.book()
    sync.walk(desk.account)
    new = desk.cal.reschedule(uid)
    desk.announce("BOOKING_RESCHEDULED", new, rescheduleUid=uid)

    desk.process()

    desk.is_equal()
    assert desk.states() == [("done", "mirrored")]


def test_a_booking_that_is_gone_is_marked_missing(desk):
    uid = desk.cal.book()
    sync.walk(desk.account)
    desk.cal.delete(uid)
    desk.announce("BOOKING_NO_SHOW_UPDATED", "", bookingUid=uid)
    for _ in range(4):
        desk.process()
        desk.pass_time(60)

    assert Booking.objects.get().missing_since
    assert desk.states() == [("done", "missing")]


def test_each_account_reads_with_its_own_credential(desk, settings):
    user = desk.cal.users[2]
    settings.CAL_BOOKINGS["ACCOUNTS"]["other"] = {
        "API_KEY": user.api_key,
        "BASE_URL": desk.cal.url,
        "WEBHOOK_SECRET": SECRET,
    }
    other = Desk(desk.cal, Account.objects.configured().get(alias="other"))
    uid = desk.cal.book()
    delivered = body("BOOKING_CREATED", uid=uid)
    desk.deliver(delivered)
    other.deliver(delivered)

    assert (desk.process(), other.process()) == (1, 1)
    owners = Booking.objects.values_list("account__alias", flat=True)
    assert {*owners} == {"default", "other"}


class TestWhatGoesWrong:
    def test_while_the_server_is_down_deliveries_stay_due(self, desk):
        desk.announce("BOOKING_CREATED", desk.cal.book())
        desk.cal.fault("502", times=20)

        assert processing.process(desk.account.pk).stopped
        assert desk.states() == [("waiting", "")]

        desk.cal.faults.clear()
        desk.process()
        desk.is_equal()

    def test_a_refused_booking_stops_no_other_and_is_tried_four_times(self, desk):
        uids = [desk.cal.book() for _ in range(2)]
        for uid in uids:
            desk.announce("BOOKING_PAID", uid)
        desk.cal.fault("500", path=f"/bookings/{uids[0]}", times=100)
        for _ in range(5):
            desk.process()
            desk.pass_time(301)

        assert desk.states() == [("done", "failed"), ("done", "mirrored")]
        assert "500" in WebhookDelivery.objects.get(outcome="failed").error

    def test_a_crash_before_the_mark_leads_to_another_reading(self, desk):
        desk.announce("BOOKING_CREATED", desk.cal.book())
        for statement in range(1, 40):
            Booking.objects.all().delete()
            WebhookReceiver.objects.update(lease_until=None)
            WebhookDelivery.objects.update(
                state="waiting",
                outcome="",
                attempts=0,
                processed_at=None,
                next_attempt_at=timezone.now(),
            )
            try:
                with crash_at(statement):
                    desk.process()
            except Crash:
                is_done = desk.states() == [("done", "mirrored")]
                assert Booking.objects.exists() or not is_done
            else:
                break
        else:
            pytest.fail("it never got through")
        desk.is_equal()

    def test_one_worker_at_a_time_is_at_an_account(self, desk):
        desk.announce("BOOKING_CREATED", desk.cal.book())
        until = timezone.now() + timedelta(seconds=9)
        WebhookReceiver.objects.update(lease_until=until)
        assert desk.process() == 0

        WebhookReceiver.objects.update(lease_until=timezone.now())
        assert desk.process() == 1

    def test_an_account_that_is_not_active_or_paused_waits(self, desk):
        desk.announce("BOOKING_CREATED", desk.cal.book())
        assert processing.due_accounts() == [desk.account.pk]

        Account.objects.update(circuit_open_until=timezone.now() + timedelta(hours=1))
        assert processing.due_accounts() == []
        Account.objects.update(circuit_open_until=None, is_active=False)
        assert processing.due_accounts() == []
        assert desk.process() == 0


class TestOurOwnActions:
    @pytest.fixture
    def booking(self, desk):
        uid = desk.cal.book()
        sync.walk(desk.account)
        return Booking.objects.get(uid=uid)

    def test_an_echo_is_not_read_again(self, desk, booking):
        action = outbox.cancel(booking, reason="Fell ill")
        outbox.deliver(action.pk)
        desk.announce("BOOKING_CANCELLED", booking.uid)

        assert desk.process() == 0
        assert desk.states() == [("done", "echo")]
        desk.is_equal()

    def test_the_echo_of_a_reschedule_has_another_uid(self, desk, booking):
        start = booking.start + timedelta(days=2)
        action = outbox.reschedule(booking, start=start)
        outbox.deliver(action.pk)
        action.refresh_from_db()
        new = action.result_uid
        desk.announce("BOOKING_RESCHEDULED", new, rescheduleUid=booking.uid)

        assert desk.process() == 0
        assert desk.states() == [("done", "echo")]

    def test_a_change_by_somebody_else_is_read(self, desk, booking):
        action = outbox.reschedule(booking, start=booking.start + timedelta(days=2))
        outbox.deliver(action.pk)
        action.refresh_from_db()
        desk.cal.cancel(action.result_uid, "Fell ill")
        desk.announce("BOOKING_CANCELLED", action.result_uid)

        assert desk.process() == 1
        desk.is_equal()

    def test_an_echo_waits_for_the_end_of_the_action(self, desk, booking):
        action = outbox.cancel(booking, reason="Fell ill")
        soon = timezone.now() + timedelta(minutes=1)
        BookingAction.objects.update(
            status="sending", lease_until=soon, sent_at=timezone.now()
        )
        desk.announce("BOOKING_CANCELLED", booking.uid)
        assert desk.process() == 0
        assert desk.states() == [("waiting", "")]

        BookingAction.objects.update(status="queued", lease_until=None, sent_at=None)
        outbox.deliver(action.pk)
        WebhookDelivery.objects.update(next_attempt_at=timezone.now())
        assert desk.process() == 0
        assert desk.states() == [("done", "echo")]

    def test_many_echoes_cost_no_more_statements_than_one(self, desk, booking):
        outbox.deliver(outbox.cancel(booking, reason="Fell ill").pk)
        desk.announce("BOOKING_CANCELLED", booking.uid)
        with CaptureQueriesContext(connection) as for_one:
            desk.process()

        for _ in range(5):
            desk.announce("BOOKING_CANCELLED", booking.uid)
        with CaptureQueriesContext(connection) as for_many:
            desk.process()

        assert desk.states() == [("done", "echo")] * 6
        assert len(for_many) <= len(for_one)

    def test_an_unknown_create_is_verified_when_its_mark_arrives(self, desk):
        action = outbox.create(
            desk.account,
            event_type_id=desk.cal.event_type(desk.cal.users[1], "normal").id,
            start=desk.cal._some_start(),
            attendee={
                "name": "Ben",
                "email": "ben@example.net",
                "timeZone": "Europe/Rome",
            },
        )
        desk.cal.fault("500-applied", method="POST")
        outbox.deliver(action.pk)
        action.refresh_from_db()
        assert action.status == "unknown"
        uid = desk.cal.bookings[-1]
        metadata = desk.cal.payload(uid)["metadata"]
        desk.announce("BOOKING_CREATED", uid, metadata=metadata)
        asked = len(desk.cal.requests)

        desk.process()

        action.refresh_from_db()
        assert (action.status, action.result_uid) == ("done", uid)
        paths = [one.path for one in [*desk.cal.requests][asked:]]
        assert paths == [f"/bookings/{uid}"]
        desk.is_equal()


def test_signals_say_the_source_and_the_trigger(
    desk, django_capture_on_commit_callbacks
):
    heard: list[tuple[str, str]] = []

    def hear(source: str, trigger: str, **_: Any) -> None:
        heard.append((source, trigger))

    uid = desk.cal.book()
    sync.walk(desk.account)
    desk.cal.decline(uid)
    desk.announce("BOOKING_REJECTED", uid)
    signals.booking_changed.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            desk.process()
        desk.cal.edit(uid, title="Another one")
        with (
            django_capture_on_commit_callbacks(execute=True),
            desk.account.connect() as connection,
        ):
            mirror.refresh(desk.account, uid, connection=connection)
    finally:
        signals.booking_changed.disconnect(hear)

    assert heard == [("webhook", "BOOKING_REJECTED"), ("refresh", "")]
    assert BookingChange.objects.filter(source="webhook").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_documents_receiver_writes_when_staff_decline(desk, mailoutbox, settings):
    # Django 6.1 wants a mailer to be named.
    backend = "django.core.mail.backends.locmem.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend}}
    text = (ROOT / "docs" / "webhooks.md").read_text()
    example = text.split("## Write to people")[1].split("```python\n")[1]
    names: dict[str, Any] = {}
    exec(example.split("```")[0], names)  # noqa: S102 - our own text
    uid = desk.cal.book(event_type="confirm")
    desk.announce("BOOKING_REQUESTED", uid)
    desk.process()
    desk.pass_time(5)
    desk.cal.decline(uid)
    desk.announce("BOOKING_REJECTED", uid, rejectionReason="we are closed that day.")

    desk.process()

    signals.booking_changed.disconnect(names["tell_why"])
    assert len(mailoutbox) == Booking.objects.get().attendees.count() > 0
    assert "we are closed that day." in mailoutbox[0].body
