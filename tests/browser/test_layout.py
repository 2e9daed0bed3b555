"""The pages look the same on every Django we name: Django's own styles change under them from version to version."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from cal_bookings import sync
from cal_bookings.models import Booking
from cal_bookings.testing.world.catalog import Person

pytestmark = pytest.mark.cal(bookings=60, seed=1)
LIST = "/cal_bookings/booking/"
CALENDAR = f"{LIST}calendar/"
WIDTHS = [1400, 400]
OWN_PAGES = {
    "calendar": CALENDAR,
    "overview": "/cal_bookings/syncstate/overview/",
    "act": "decline",
}


def box_of(locator: Locator) -> dict[str, float]:
    box = locator.bounding_box()
    assert box is not None
    x, y = box["x"], box["y"]
    return {"x": x, "y": y, "right": x + box["width"], "bottom": y + box["height"]}


def style_of(locator: Locator, name: str) -> str:
    return str(locator.evaluate(f"one => getComputedStyle(one).{name}"))


def open_act(page: Page, site: str, booking: Booking, name: str) -> None:
    page.goto(f"{site}{LIST}{booking.pk}/change/")
    page.locator(f'button[formaction$="/act/{name}/"]').click()


def booked(cal, account, **fields) -> Booking:
    uid = cal.book(**fields)
    assert sync.walk(account).outcome == "complete"
    return Booking.objects.get(uid=uid)


def test_the_whole_week_stands_below_its_tools_and_beside_its_filters(
    open_as, admin_user, site, mirrored
):
    page = open_as(admin_user, viewport={"width": 1400, "height": 900})

    page.goto(site + CALENDAR)

    table = page.locator(".cal-calendar")
    tools, week = box_of(page.locator("nav.cal-tools")), box_of(table)
    filters = box_of(page.locator("#changelist-filter"))
    last_day = box_of(table.locator("thead th").last)
    assert tools["bottom"] <= week["y"]
    assert last_day["right"] <= filters["x"]
    assert filters["y"] <= week["bottom"]
    assert tools["bottom"] - tools["y"] < 60, "the tools need more than one line"


@pytest.mark.parametrize("status", ["cancelled", "rejected", "accepted"])
def test_only_bookings_that_do_not_take_place_are_struck_through(
    page, site, cal, mirrored, status
):
    booked(cal, mirrored, start=timezone.now(), status=status)

    page.goto(f"{site}{CALENDAR}?status={status}")

    line = style_of(
        page.locator(f".cal-entry.cal-{status}").first, "textDecorationLine"
    )
    assert line == ("none" if status == "accepted" else "line-through")


@pytest.mark.parametrize("name", OWN_PAGES)
def test_breadcrumbs_look_like_those_of_django(page, site, cal, mirrored, name):
    booking = booked(cal, mirrored, event_type="confirm")
    page.goto(site + LIST)
    expected = look_of_breadcrumbs(page)

    if name == "act":
        open_act(page, site, booking, OWN_PAGES[name])
    else:
        page.goto(site + OWN_PAGES[name])

    assert look_of_breadcrumbs(page) == expected


def look_of_breadcrumbs(page: Page) -> list[str]:
    bar = page.locator(".breadcrumbs")
    looks = [style_of(bar, name) for name in ["backgroundColor", "paddingLeft"]]
    return [*looks, style_of(bar.locator("a").first, "color")]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_box_to_tick_stands_before_its_label(
    open_as, admin_user, site, cal, mirrored, width
):
    page = open_as(admin_user, viewport={"width": width, "height": 900})
    yesterday = timezone.now() - dt.timedelta(days=1)
    people = [Person("Ada", "ada@example.net"), Person("Ben", "ben@example.net")]
    booking = booked(cal, mirrored, start=yesterday, attendees=people)

    open_act(page, site, booking, "mark_absent")

    for text in ["The host", "All attendees", "Ada", "Ben"]:
        label = page.locator("label", has_text=text)
        box = box_of(page.get_by_label(text))
        words = box_of(label)
        middle = (box["y"] + box["bottom"]) / 2
        assert words["y"] <= middle <= words["bottom"], text
        assert box["x"] < 400, text
        assert box["right"] <= words["right"] <= box["right"] + 200, text


def test_the_days_with_free_times_stand_side_by_side(
    open_as, admin_user, site, cal, mirrored
):
    page = open_as(admin_user, viewport={"width": 1400, "height": 900})
    booking = booked(cal, mirrored, event_type="consultation")

    open_act(page, site, booking, "reschedule")

    days = page.locator("#id_slot > div")
    expect(days.nth(1)).to_be_visible()
    tops = {box_of(days.nth(n))["y"] for n in range(days.count())}
    assert len(tops) == 1


def test_a_long_event_type_breaks_so_that_the_attendees_stay_in_sight(
    page, site, mirrored
):
    page.goto(f"{site}{LIST}")

    cell = page.locator("#result_list tbody .field-event_type").first

    assert style_of(cell, "whiteSpace") == "normal"


@pytest.mark.parametrize("address", [LIST, CALENDAR, OWN_PAGES["overview"]])
def test_buttons_have_room_around_their_text(page, site, mirrored, address):
    page.goto(f"{site}{address}")

    button = page.locator("button.button:visible").first

    assert style_of(button, "paddingLeft") == "8px"


def test_the_overview_is_as_wide_as_a_phone(page, site, mirrored):
    page.set_viewport_size({"width": 400, "height": 850})
    page.goto(f"{site}{OWN_PAGES['overview']}")

    assert page.evaluate("document.documentElement.scrollWidth") <= 400
