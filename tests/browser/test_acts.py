"""What staff do, in the browser: from the selected bookings through the outbox to Cal.com and back."""

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest
import requests
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from cal_bookings import outbox, sync
from cal_bookings.models import Booking, BookingAction, Host
from cal_bookings.testing.world.catalog import Person
from tests.browser.conftest import screenshot, violations_of

pytestmark = pytest.mark.cal(bookings=150, seed=1)
LIST = "/cal_bookings/booking/"
JAVASCRIPT = [pytest.param(True, id="script"), pytest.param(False, id="no script")]


def run_worker() -> None:
    """Delivers what is due, as a worker would."""
    for action_id in outbox.due(100):
        outbox.deliver(action_id)


def next_weekday(hour: int) -> dt.datetime:
    day = timezone.now() + dt.timedelta(days=1)
    while day.weekday() > 4:
        day += dt.timedelta(days=1)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def select(page: Page, site: str, bookings, action: str) -> None:
    """Ticks the bookings in the list and goes to the page of the action."""
    page.goto(f"{site}{LIST}?when=upcoming")
    for booking in bookings:
        page.locator(f'input[name="_selected_action"][value="{booking.pk}"]').check()
    page.get_by_label("Action:").select_option(action)
    # "Go" until Django 6.0.
    page.get_by_role("button", name=re.compile("^(Go|Run)$")).click()


def booked(cal, mirrored, **fields):
    """Books on the fake Cal.com and mirrors it."""
    uid = cal.book(**fields)
    assert sync.walk(mirrored).outcome == "complete"
    return Booking.objects.get(uid=uid)


@pytest.mark.parametrize("script", JAVASCRIPT)
def test_two_bookings_are_reassigned(open_as, admin_user, site, cal, mirrored, script):
    page = open_as(admin_user, java_script_enabled=script)
    bookings = [
        booked(cal, mirrored, event_type="round-robin", start=next_weekday(hour))
        for hour in (10, 12)
    ]
    own, colleague = cal.users[1], cal.users[2]
    # Who hosted the event type before is a candidate.
    before = {"event_type": "round-robin", "hosts": [own, colleague]}
    booked(cal, mirrored, start=next_weekday(14), **before)
    host = Host.objects.get(remote_id=colleague.id)

    select(page, site, bookings, "reassign")
    expect(page.get_by_text("2 of 2 bookings can be acted on")).to_be_visible()
    if script:
        assert violations_of(page) == []
        screenshot(page, "reassign")
    choice = page.get_by_label("New host")
    choice.select_option(str(host.pk))
    page.get_by_label("Reason").fill("On leave")
    page.get_by_role("button", name="Reassign").click()

    expect(page.get_by_text("Reassign: 2 queued.")).to_be_visible()
    expect(page.get_by_role("link", name="reassign: queued")).to_have_count(2)
    if script:
        screenshot(page, "list-with-actions")
    run_worker()
    assert set(BookingAction.objects.values_list("status", flat=True)) == {"done"}
    page.reload()
    expect(page.get_by_role("link", name="reassign: queued")).to_have_count(0)
    for booking in bookings:
        page.goto(f"{site}{LIST}{booking.pk}/change/")
        facts = page.locator(".field-host_links")
        expect(facts).to_contain_text(cal.payload(booking.uid)["hosts"][0]["name"])
        assert cal.payload(booking.uid)["hosts"][0]["id"] == colleague.id


@pytest.mark.parametrize("script", JAVASCRIPT)
def test_a_request_is_declined_with_a_reason(
    open_as, admin_user, site, cal, mirrored, script
):
    page = open_as(admin_user, java_script_enabled=script)
    booking = booked(cal, mirrored, event_type="confirm", start=next_weekday(11))

    page.goto(f"{site}{LIST}{booking.pk}/change/")
    page.get_by_role("button", name="Decline").click()
    page.get_by_label("Reason").fill("We are closed that day")
    page.get_by_role("button", name="Decline").click()

    expect(page.get_by_text("Decline: 1 queued.")).to_be_visible()
    assert urlsplit(page.url).path.endswith(f"{LIST}{booking.pk}/change/")
    run_worker()
    page.reload()
    expect(page.locator(".field-status_badge").first).to_contain_text("rejected")
    assert cal.payload(booking.uid)["status"] == "rejected"


@pytest.mark.parametrize("script", JAVASCRIPT)
def test_a_booking_is_rescheduled_to_a_free_time(
    open_as, admin_user, site, cal, mirrored, script
):
    page = open_as(admin_user, java_script_enabled=script)
    booking = booked(cal, mirrored, event_type="consultation", start=next_weekday(10))

    page.goto(f"{site}{LIST}{booking.pk}/change/")
    page.get_by_role("button", name="Reschedule", exact=True).click()
    if script:
        assert violations_of(page) == []
        screenshot(page, "reschedule")
    page.locator('input[name="slot"]').last.check()
    picked = dt.datetime.fromisoformat(
        str(page.locator('input[name="slot"]').last.get_attribute("value"))
    )
    page.get_by_label("Reason").fill("The train is late")
    page.locator('input[name="confirmed"]').click()

    expect(page.get_by_text("Reschedule: 1 queued.")).to_be_visible()
    run_worker()
    action = BookingAction.objects.get()
    assert (action.status, Booking.objects.get(uid=action.result_uid).start) == (
        "done",
        picked,
    )
    page.reload()
    moved = page.locator(".field-other_bookings").get_by_role("link")
    moved.first.click()
    expect(page.locator(".field-status_badge").first).to_contain_text("accepted")


def test_a_conflict_shows_both_versions(page, site, cal, mirrored):
    booking = booked(cal, mirrored, event_type="consultation", start=next_weekday(10))
    outbox.cancel(booking, reason="Snow")
    cal.reschedule(booking.uid, next_weekday(15))

    run_worker()
    page.goto(f"{site}{LIST}{booking.pk}/change/")
    row = page.get_by_role("row").filter(has_text="failed")
    row.get_by_role("link").first.click()

    expect(
        page.get_by_text("rescheduled on Cal.com in the meantime").first
    ).to_be_visible()
    expect(page.locator("tr.cal-differs").first).to_be_visible()
    assert violations_of(page) == []
    screenshot(page, "conflict")
    page.get_by_role("button", name="Queue again").click()
    expect(page.locator(".messagelist")).to_be_visible()


def test_a_forged_post_is_refused(open_as, site, cal, mirrored):
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_booking"))
    page = open_as(viewer)
    booking = booked(cal, mirrored, event_type="confirm", start=next_weekday(11))

    page.goto(f"{site}{LIST}{booking.pk}/change/")
    expect(page.get_by_role("button", name="Decline")).to_have_count(0)
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    html = page.content()
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', html)
    form = {
        "bookings": f"{booking.pk}:{booking.payload_hash}",
        "confirmed": "yes",
        "csrfmiddlewaretoken": token[1] if token else "",
    }
    url = f"{site}{LIST}act/decline/"
    answer = requests.post(url, form, cookies=cookies, timeout=10)

    assert answer.status_code == 403
    assert not BookingAction.objects.exists()


def test_a_booking_is_found_by_the_address_of_who_attends(page, site, cal, mirrored):
    ada = Person("Ada Lovelace", "lovelace@example.net")
    booking = booked(cal, mirrored, start=next_weekday(10), attendees=[ada])

    page.goto(site + LIST)
    page.get_by_label("Search").fill("lovelace@")
    page.get_by_role("button", name="Search").click()

    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.get_by_role("link", name=booking.title).click()
    expect(page.get_by_text("lovelace@example.net").first).to_be_visible()
