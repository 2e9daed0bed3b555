"""A real browser on a real server: Debian's Chromium, the admin under a strict CSP, bookings of the fake Cal.com.

    cd tests/browser && npm install --no-package-lock && cd - && pytest -m browser

Screenshots go to build/screenshots/.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from cal_bookings import sync
from cal_bookings.models import Account

HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = HERE.parent.parent / "build" / "screenshots"
SERIOUS = {"serious", "critical"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # Playwright's synchronous calls run in an event loop, in which Django refuses the database unless told.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def site(django_db_setup: None, live_server: Any, settings: Any) -> str:
    """The address of the admin, served without TLS and under the policy.

    The database comes first: a server that is there before it would not share its connection to SQLite in memory, and
    each of its threads would leave one of its own behind.
    """
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    settings.MIDDLEWARE = ["tests.browser.csp.strict", *settings.MIDDLEWARE]
    return f"{live_server.url}/admin"


@pytest.fixture
def mirrored(cal: Any) -> Account:
    """The account, with what the fake holds mirrored."""
    account = Account.objects.configured().get()
    assert sync.walk(account).outcome == "complete"
    return account


@pytest.fixture
def open_as(chromium: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Opens a browser of a user; keywords are those of Playwright's contexts."""
    contexts: list[BrowserContext] = []
    violations: list[str] = []

    def open_(user: User, **options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        signed_in = Client()
        signed_in.force_login(user)
        name = django_settings.SESSION_COOKIE_NAME
        cookie = signed_in.cookies[name].value
        context.add_cookies([{"name": name, "value": cookie, "url": site}])
        page = context.new_page()
        page.on(
            "console",
            lambda said: (
                violations.append(said.text)
                if "Content Security Policy" in said.text
                else None
            ),
        )
        return page

    yield open_
    for context in contexts:
        context.close()
    assert violations == []


@pytest.fixture
def page(open_as: Callable[..., Page], admin_user: User) -> Page:
    return open_as(admin_user)


def violations_of(page: Page) -> list[str]:
    """What axe finds serious or critical."""
    if not AXE.exists():
        raise RuntimeError(f"npm install --no-package-lock in {HERE}")
    page.evaluate(AXE.read_text())
    violations = page.evaluate("axe.run()")["violations"]
    return [
        f"{row['id']}: {node['html'][:200]}"
        for row in violations
        if row["impact"] in SERIOUS
        for node in row["nodes"]
    ]


def screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
