"""The demo as its visitor meets it: the process of the README, and what is done in its pages comes true."""

import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import screenshot
from tests.test_demo import demo_under_way

SECONDS = 10  # within which what was asked for is done


@pytest.fixture
def demo() -> Iterator[tuple[subprocess.Popen[str], str]]:
    with ExitStack() as stack:
        yield stack.enter_context(demo_under_way("--bookings", "200"))


@pytest.fixture
def visitor(chromium: Browser, demo) -> Iterator[Page]:
    """Somebody who opened the address that the demo printed, and signed in as it says."""
    _process, said = demo
    (admin,) = re.findall(r"^Admin: +(\S+)", said, re.MULTILINE)
    (name, password) = re.findall(r"\(user (\w+), password (\w+)\)", said)[0]
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(admin)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    yield page
    context.close()


def test_a_request_is_declined_and_seen_to_be_done(visitor, demo):
    process, said = demo
    (bookings,) = re.findall(r"^Bookings: +(\S+)", said, re.MULTILINE)
    visitor.goto(f"{bookings}?status=pending&when=upcoming")
    visitor.locator("#result_list .field-name a").first.click()
    visitor.get_by_role("button", name="Decline").click()
    visitor.get_by_label("Reason").fill("We are closed that day")
    visitor.get_by_role("button", name="Decline").click()
    expect(visitor.get_by_text("Decline: 1 queued.")).to_be_visible()

    for _ in range(SECONDS):
        visitor.wait_for_timeout(1000)
        visitor.reload()
        if visitor.get_by_text("rejected").count():
            break

    expect(visitor.locator(".field-status_badge").first).to_contain_text("rejected")
    expect(visitor.get_by_role("row").filter(has_text="decline")).to_contain_text(
        "done"
    )
    screenshot(visitor, "demo-declined")
    process.terminate()
    rest, _ = process.communicate(timeout=30)
    assert re.search(r"in the admin: decline: .*: done\n", rest)


def test_today_shows_bookings_that_take_place(visitor, demo):
    _process, said = demo
    (calendar,) = re.findall(r"^Calendar: +(\S+)", said, re.MULTILINE)

    visitor.goto(calendar)

    today = visitor.locator("td.cal-today .cal-entry.cal-accepted")
    expect(today.nth(1)).to_be_visible()


def test_the_webhook_buttons_work(visitor, demo):
    _process, said = demo
    (admin,) = re.findall(r"^Admin: +(\S+)", said, re.MULTILINE)
    visitor.goto(f"{admin}cal_bookings/account/1/change/")

    visitor.get_by_role("button", name="Test the webhook").click()
    expect(visitor.get_by_text("arrived through the public address")).to_be_visible()
    visitor.get_by_role("button", name="Remove the webhook").click()
    expect(visitor.get_by_text("1 webhook of demo is removed.")).to_be_visible()
    visitor.get_by_role("button", name="Remove the webhook").click()
    expect(visitor.get_by_text("No webhook of demo was found")).to_be_visible()
    visitor.get_by_role("button", name="Subscribe to webhooks").click()
    expect(visitor.get_by_text("is subscribed to Cal.com's webhooks")).to_be_visible()


def test_a_change_on_cal_com_shows_within_a_second(visitor, demo):
    """Its webhook alone brings it: the loops run every five seconds, after a change of their own."""
    _process, said = demo
    (bookings,) = re.findall(r"^Bookings: +(\S+)", said, re.MULTILINE)
    (cal,) = re.findall(r"at (http\S+/v2)", said)
    key, uid = some_booking(said)
    visitor.goto(f"{bookings}{key}/change/")
    badge = visitor.locator(".field-status_badge").first
    expect(badge).to_contain_text("accepted")

    answer = requests.post(
        f"{cal}/bookings/{uid}/cancel",
        json={"cancellationReason": "Ill"},
        headers={"cal-api-version": "2026-02-25"},
        timeout=10,
    )
    began = time.monotonic()
    assert answer.status_code == 200
    opened = 0.0  # when the page was opened that shows it
    while "cancelled" not in (badge.text_content() or ""):
        assert opened < SECONDS
        visitor.wait_for_timeout(50)
        opened = time.monotonic() - began
        visitor.reload()

    screenshot(visitor, "demo-webhook")
    assert opened < 1
    assert source_of_last_change(said, key) == ("webhook",)


def some_booking(said: str) -> tuple[Any, ...]:
    """The key and the uid of an accepted booking to come that anybody may cancel."""
    (found,) = ask(
        said,
        "SELECT id, uid FROM cal_bookings_booking WHERE status = 'accepted' AND title NOT LIKE 'Workshop%' "
        "AND start > datetime('now') ORDER BY start DESC LIMIT 1",
    )
    return found


def source_of_last_change(said: str, key: int) -> tuple[Any, ...]:
    (found,) = ask(
        said,
        f"SELECT source FROM cal_bookings_bookingchange WHERE booking_id = {key} ORDER BY id DESC LIMIT 1",  # noqa: S608
    )
    return found


def ask(said: str, sql: str) -> list[tuple[Any, ...]]:
    (database,) = re.findall(r"^Database: +(\S+)", said, re.MULTILINE)
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()
