"""What commands print, runs record and anything logs, down to DEBUG: no person, and no uid of a booking."""

import io
import json
import logging
from datetime import timedelta

import pytest
import requests
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from cal_bookings import client, outbox, sync
from cal_bookings.admin.booking_actions.pages import format_selection
from cal_bookings.models import Account, Booking, BookingAction, SyncRun
from cal_bookings.testing import Person
from tests.privacy.canaries import ADDRESS, holds_canary

CANARY = Person("Canary Attendee", ADDRESS, phone_number="+34 canary")
EVE = {"name": "Eve Canary", "email": "eve.canary@example.net", "timeZone": "UTC"}


@pytest.fixture
def account(db, cal):
    return Account.objects.configured().get()


@pytest.fixture
def log(caplog):
    """Everything that is logged, as it is written."""
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text


def secrets(cal):
    """The uids of Cal.com's bookings, series and seats."""
    for uid in cal.bookings:
        yield uid
        payload = cal.payload(uid)
        yield payload.get("recurringBookingUid")
        yield from (
            attendee.get("seatUid") for attendee in payload.get("attendees") or ()
        )


def assert_discreet(text, cal):
    assert not holds_canary(text)
    assert [uid for uid in secrets(cal) if uid and uid in text] == []


def book(cal, event_type="normal", **fields):
    return cal.book(event_type=event_type, attendees=[CANARY], **fields)


def run(name, *arguments):
    """All that a command prints, and its exit code."""
    out, error, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command(name, *arguments, stdout=out, stderr=error)
    except SystemExit as end:
        code = int(str(end.code))
    return out.getvalue() + error.getvalue(), code


@pytest.mark.parametrize("options", [[], ["--json"], ["--dry-run"], ["-v", "3"]])
def test_a_walk_names_neither_people_nor_uids(cal, account, log, options):
    unreadable, gone, malformed = book(cal), book(cal), book(cal)
    run("cal_sync")
    for uid in (unreadable, gone):
        cal.delete(uid)
    cal.fault("500", path=f"/bookings/{unreadable}", times=100)
    cal.edit(malformed, start=None, title="Tea with Canary Attendee")
    book(cal, event_type="seated")
    cal.book_series(attendees=[CANARY])

    said, code = run("cal_sync", *options)

    assert code == 1
    assert_discreet(said + log(), cal)
    assert unreadable not in said + log()
    if "--dry-run" not in options:
        failures = SyncRun.objects.latest("pk").failures
        assert {failure["uid"] for failure in failures} == {unreadable, malformed}
        assert ("page 1" in said) == ("asked for on its own" in said) is True


def make_actions(cal, account):
    """Actions that end in each way, with people in their errors and notes."""
    past = timezone.now().replace(microsecond=0) - timedelta(hours=3)
    uids = [book(cal) for _ in range(6)] + [book(cal, start=past)]
    series = cal.book_series(attendees=[CANARY])
    run("cal_sync")
    by_uid = {uid: Booking.objects.get(uid=uid) for uid in [*uids, *series]}
    plain, moved, placed, lost, busy, removed, over = (by_uid[uid] for uid in uids)
    room = {"type": "link", "link": "https://example.com/canary"}
    outbox.cancel(plain, reason="Canary is ill")
    outbox.cancel(by_uid[series[1]], reason="Canary is ill", subsequent=True)
    outbox.reschedule(moved, start=moved.start + timedelta(days=2))
    outbox.update_location(placed, location=room)
    cal.change(placed.uid, location="https://example.com/canary/other")
    outbox.cancel(lost, reason="Canary is ill")
    outbox.add_attendee(busy, name="Eve", email=EVE["email"], time_zone="UTC")
    outbox.update_location(removed, location=room)
    cal.reschedule(removed.uid)
    outbox.mark_absent(over, attendees=[ADDRESS])
    cal.fault("502", method="POST", path=f"/bookings/{lost.uid}")


@pytest.mark.parametrize("options", [[], ["--json"], ["-v", "3"]])
def test_a_pass_over_the_outbox_names_neither_people_nor_uids(
    cal, account, log, options
):
    make_actions(cal, account)

    said, code = run("cal_push", *options)

    assert code == 2
    assert_discreet(said + log(), cal)
    statuses = set(BookingAction.objects.values_list("status", flat=True))
    assert statuses >= {"done", "failed", "unknown"}
    errors = BookingAction.objects.values_list("error_message", flat=True)
    assert any(map(holds_canary, errors))
    done = BookingAction.objects.filter(kind="cancel", status="done").earliest("pk")
    if "--json" in options:
        rows = {row["id"]: row for row in map(json.loads, said.splitlines())}
        assert rows[done.pk]["booking"] == rows[done.pk]["result"] == done.booking_id
    else:
        assert f"cancel #{done.pk}, booking {done.booking_id}: done" in said


def test_pruning_prints_counts_only(cal, account, log):
    make_actions(cal, account)
    run("cal_push")

    said, code = run("cal_prune", "--json", "--actions", "0", "--missing-bookings", "0")

    assert code == 0
    assert set(json.loads(said)) >= {"dry_run", "actions"}
    assert_discreet(said + log(), cal)


def test_looking_from_the_admin_logs_nobody(cal, account, log, admin_client):
    uid = book(cal)
    run("cal_sync")
    booking = Booking.objects.get(uid=uid)
    refresh = reverse("admin:cal_bookings_booking_refresh", args=[booking.pk])
    free_times = reverse("admin:cal_bookings_booking_act", args=["reschedule"])

    admin_client.post(refresh)
    admin_client.post(free_times, {"bookings": format_selection([booking])})
    cal.delete(uid)
    cal.fault("502", times=100)
    admin_client.post(refresh)

    assert_discreet(log(), cal)
    assert uid not in log()


def test_the_log_of_urllib3_shows_what_was_asked_without_the_uid(cal, account, log):
    uid = book(cal)
    with account.connect() as connection:
        connection.get_booking(uid)

    assert '"GET /bookings/{uid} HTTP/1.1" 200' in log()
    assert uid not in log()


def test_the_other_requests_of_a_site_are_logged_as_they_are(cal, account, log):
    sync.walk(account)

    requests.get(f"{cal.url}/bookings/of-the-site?a=b", timeout=5)

    assert "/bookings/of-the-site?a=b" in log()


def test_an_error_prints_no_uid(cal, account):
    uid = book(cal)
    cal.delete(uid)
    with account.connect() as connection, pytest.raises(client.CalNotFound) as caught:
        connection.get_booking(uid)

    assert uid not in str(caught.value) + repr(caught.value)
