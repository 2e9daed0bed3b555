"""``manage.py demo``: everything on this machine in one process, a fake Cal.com included, and nothing left behind."""

import os
import signal
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from threading import Event
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from cal_bookings import sync
from cal_bookings.management.progress import ProgressDisplay
from cal_bookings.models import Account, SyncRun
from cal_bookings.testing import FakeCal
from example_project.serving import Site
from example_project.worker import FULL_EVERY, ROUND_SECONDS, Worker, told

ALIAS = USER = "demo"
PASSWORD = "demo"  # noqa: S105 - the README tells it to everybody
BOOKING_LIST = "/admin/cal_bookings/booking/"
ANSWER_SECONDS = 30
INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


class Command(BaseCommand):
    help = (
        "Mirrors a fake Cal.com into a SQLite file of its own and serves the admin, while the bookings keep changing. "
        "Ctrl-C ends it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="of the admin (default: 8000)"
        )
        parser.add_argument(
            "--bookings", type=int, default=2000, help="how many (default: 2000)"
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="one round on any free port: mirror, change, mirror, ask the admin; exit code 0 if all is well",
        )

    def handle(self, *, port: int, bookings: int, check: bool, **options: Any) -> None:
        _refuse_other_settings()
        _delete_database()  # of a demo that was killed and had the number of this process
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.default_int_handler)
        # A proxy would be asked for addresses that only this machine knows.
        os.environ["no_proxy"] = "127.0.0.1"
        try:
            with ExitStack() as stack:
                stack.callback(_delete_database)
                site = stack.enter_context(_take_port(0 if check else port))
                cal = stack.enter_context(FakeCal(bookings=bookings))
                self._run(site, cal, check=check)
        except KeyboardInterrupt:
            if check:
                raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
            self.stdout.write("\nThe demo has ended and left nothing behind.")

    def _run(self, site: Site, cal: FakeCal, *, check: bool) -> None:
        self.stdout.write(
            f"Fake Cal.com: {len(cal.bookings):,} bookings at {cal.url}\n"
            f"Database:     {settings.DATABASES['default']['NAME']} (deleted at the end)"
        )
        call_command("migrate", verbosity=0)
        get_user_model().objects.create_superuser(USER, password=PASSWORD)
        settings.CAL_BOOKINGS["ACCOUNTS"][ALIAS] = {
            "API_KEY": cal.api_key,
            "BASE_URL": cal.url,
        }
        account = Account.objects.configured().get(alias=ALIAS)
        self._mirror(account)
        site.start()
        if check:
            self._check(account, cal, site)
        else:
            self._serve(account, cal, site)

    def _mirror(self, account: Account) -> None:
        began = time.monotonic()
        progress = ProgressDisplay(self.stdout, account.alias)
        try:
            run = sync.walk(account, on_page=progress)
        finally:
            progress.finish()
        _require_complete(run)
        seconds = time.monotonic() - began
        self.stdout.write(
            f"Mirrored:     {run.seen:,} bookings mirrored over {run.pages} {account.dialect} pages in {seconds:.1f} s"
        )

    def _check(self, account: Account, cal: FakeCal, site: Site) -> None:
        # No random change: a booking that goes to another host leaves this account's list.
        cal.book()
        self.stdout.write("On Cal.com:   somebody books")
        run = sync.walk(account)
        _require_complete(run)
        if not run.created + run.updated:
            raise CommandError("The change did not arrive in the mirror.")
        self.stdout.write(f"Then:         {told(run)}")
        seconds = _look_at_admin(site)
        self.stdout.write(f"Admin:        answers 200 in {seconds * 1000:.0f} ms")

    def _serve(self, account: Account, cal: FakeCal, site: Site) -> None:
        self.stdout.write(
            f"Admin:        {site.url}/admin/ (user {USER}, password {PASSWORD})\n"
            f"Overview:     {site.url}/admin/overview/\n"
            f"Calendar:     {site.url}{BOOKING_LIST}calendar/\n"
            "\n"
            f"Every {ROUND_SECONDS} s a booking changes on the fake Cal.com, and the loop `changes` mirrors it; every "
            f"{FULL_EVERY * ROUND_SECONDS} s the loop `full`\nlooks at everything. Ctrl-C ends the demo.\n"
        )
        with Worker(account, cal, self._say):
            Event().wait()

    def _say(self, line: str) -> None:
        self.stdout.write(f"{time.strftime('%H:%M:%S')}  {line}")


def _refuse_other_settings() -> None:
    """Its login is printed in the README: never on a site that people use, nor in a database that somebody needs."""
    if settings.SETTINGS_MODULE != "example_project.demo_settings":
        raise CommandError(
            "The demo has settings of its own: unset DJANGO_SETTINGS_MODULE."
        )
    if not settings.DEBUG:
        raise CommandError(
            "The demo makes an admin with a published password, so it does not run in production, that is with DEBUG "
            "off: unset DJANGO_DEBUG."
        )


def _delete_database() -> None:
    connections.close_all()
    database: Path = settings.DATABASES["default"]["NAME"]
    for path in database.parent.glob(f"{database.name}*"):  # SQLite keeps a log beside
        path.unlink(missing_ok=True)


def _take_port(port: int) -> Site:
    try:
        return Site(port)
    except OverflowError:
        raise CommandError(f"{port} is no port: give --port 1 to 65535.") from None
    except OSError as error:
        raise CommandError(
            f"Port {port} cannot be used ({error.strerror}): choose another one, for example "
            f"manage.py demo --port {port + 1 if 1024 <= port < 65535 else 8001}"
        ) from None


def _require_complete(run: SyncRun) -> None:
    if run.outcome != SyncRun.Outcome.COMPLETE or run.failed:
        raise CommandError(run.error or f"{run.failed} bookings could not be mirrored.")


def _look_at_admin(site: Site) -> float:
    """Signs in and opens the list of bookings as a browser does; answers the seconds that the list took."""
    form = {"username": USER, "password": PASSWORD}
    asked: dict[str, Any] = {"allow_redirects": False, "timeout": ANSWER_SECONDS}
    with requests.Session() as browser:
        login = f"{site.url}/admin/login/"
        browser.get(login, **asked)
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        browser.post(login, form, **asked)
        page = browser.get(site.url + BOOKING_LIST, **asked)
    if page.status_code != HTTPStatus.OK:
        raise CommandError(f"The admin answers {page.status_code} at {page.url}.")
    return page.elapsed.total_seconds()
