"""What holds for every page: nothing that axe finds serious, narrow and dark too, and no JavaScript needed."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from cal_bookings.admin import filters
from cal_bookings.models import Account, Booking, Host
from tests.browser.conftest import screenshot, violations_of

pytestmark = pytest.mark.cal(bookings=150, seed=1)
PAGES = {
    "list": "/cal_bookings/booking/",
    "booking": "/cal_bookings/booking/{booking}/change/",
    "week": "/cal_bookings/booking/calendar/",
    "week-by-event-type": "/cal_bookings/booking/calendar/?by=event_type",
    "month": "/cal_bookings/booking/calendar/?view=month",
    "overview": "/cal_bookings/syncstate/overview/",
    "account": "/cal_bookings/account/{account}/change/",
    "account-add": "/cal_bookings/account/add/",
    "account-replace-key": "/cal_bookings/account/{stored}/replace-key/",
    "app": "/cal_bookings/",
}
LOOKS: dict[str, Any] = {
    "wide": {"viewport": {"width": 1280, "height": 800}},
    "narrow": {"viewport": {"width": 400, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
}


def address(site, name, account):
    booking = Booking.objects.exclude(attendees=None).latest("start")
    stored, _ = Account.objects.get_or_create(alias="stored")
    numbers = {"booking": booking.pk, "account": account.pk, "stored": stored.pk}
    return site + PAGES[name].format(**numbers)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible(open_as, admin_user, site, mirrored, name, look):
    page = open_as(admin_user, **LOOKS[look])

    page.goto(address(site, name, mirrored))
    screenshot(page, f"{name}-{look}")

    assert violations_of(page) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= LOOKS[look]["viewport"]["width"]


def test_filters_of_many_rows_are_accessible(page, site, mirrored):
    Host.objects.bulk_create(
        Host(
            account=mirrored, remote_id=-n, name=f"Ada {n}", mirrored_at=timezone.now()
        )
        for n in range(filters.FEW)
    )

    page.goto(site + PAGES["list"])

    named = page.locator(".select2-selection__rendered[aria-label]")
    expect(named).to_have_count(1)
    assert violations_of(page) == []


def test_the_calendar_needs_no_javascript(open_as, admin_user, site, mirrored):
    page = open_as(admin_user, java_script_enabled=False)
    booking = Booking.objects.exclude(status="cancelled").latest("start")
    day = booking.start.date()

    page.goto(f"{site}{PAGES['week']}?date={day}")
    page.get_by_role("link", name="By event type").click()
    page.get_by_role("link", name=booking.status, exact=True).click()
    page.get_by_role("link", name=booking.title).first.click()

    expect(page.get_by_role("heading", level=2).first).to_have_text(booking.title)


def test_the_calendar_prints_without_what_surrounds_it(page, site, mirrored):
    page.goto(site + PAGES["month"])
    page.emulate_media(media="print")

    expect(page.locator(".cal-calendar")).to_be_visible()
    for around in ["#header", "#changelist-filter", ".cal-tools"]:
        expect(page.locator(around)).to_be_hidden()
