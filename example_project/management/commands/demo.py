"""The command ``manage.py demo``: one process with a fake Cal.com, all on this machine, which leaves nothing there."""

import os
import secrets
import signal
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone

from cal_bookings import sync
from cal_bookings.management.progress import ProgressDisplay
from cal_bookings.models import Account, Booking, BookingAction, Status, SyncRun
from cal_bookings.testing import FakeCal
from example_project.serving import Site
from example_project.visitor import Visitor
from example_project.worker import (
    DELIVERY_SECONDS,
    FULL_EVERY,
    ROUND_SECONDS,
    Deliveries,
    Inbox,
    Worker,
    describe_run,
)

ALIAS = USER = "demo"
PASSWORD = "demo"  # noqa: S105 - the README names it
WEBHOOK_SECONDS = 10  # limit for a webhook to reach the mirror
ACTION_SECONDS = 15  # limit for an action from the admin to Cal.com and back
#: The hours and event types of this day's bookings.
TODAY = (
    (8, "intro-call"),
    (10, "workshop"),
    (11, "consultation"),
    (14, "support"),
    (16, "deep-dive"),
)
INTERRUPTED = 130  # exit status of a program that Ctrl-C ended


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
            help="one round on any free port: mirror, change, mirror, open each page, act in the admin; exit code 0 if all is well",
        )

    def handle(self, *, port: int, bookings: int, check: bool, **options: Any) -> None:
        _refuse_other_settings()
        _delete_database()  # left by a killed demo with the same process id
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.default_int_handler)
        # A proxy would be used for addresses that only this machine knows.
        os.environ["no_proxy"] = "127.0.0.1"
        try:
            with ExitStack() as stack:
                stack.callback(_delete_database)
                site = stack.enter_context(_take_port(0 if check else port))
                seeded = max(bookings - len(TODAY), 0)
                cal = stack.enter_context(
                    FakeCal(bookings=seeded, private_webhooks=True)
                )
                _book_today(cal)
                self._run(site, cal, check=check)
        except KeyboardInterrupt:
            if check:
                raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
            self._print("\nThe demo has ended and left nothing behind.")

    def _run(self, site: Site, cal: FakeCal, *, check: bool) -> None:
        self._print(
            f"Fake Cal.com: {len(cal.bookings):,} bookings at {cal.url}\n"
            f"Database:     {settings.DATABASES['default']['NAME']} (deleted at the end)"
        )
        call_command("migrate", verbosity=0)
        get_user_model().objects.create_superuser(USER, password=PASSWORD)
        settings.CAL_BOOKINGS["ACCOUNTS"][ALIAS] = {
            "API_KEY": cal.api_key,
            "BASE_URL": cal.url,
            "WEBHOOK_SECRET": secrets.token_hex(32),
        }
        settings.CAL_BOOKINGS["SITE_URL"] = site.url
        account = Account.objects.configured().get(alias=ALIAS)
        self._mirror(account)
        site.start()
        _subscribe(account, cal, site)
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
        self._print(
            f"Mirrored:     {run.seen:,} bookings from {run.pages} {account.dialect} page{pluralize(run.pages)} "
            f"in {seconds:.1f} s"
        )

    def _check(self, account: Account, cal: FakeCal, site: Site) -> None:
        # The change is not random: a booking that goes to another host leaves this account's list.
        uid = cal.book(event_type="on-request")
        self._print("On Cal.com:   somebody asks for a booking")
        run = sync.walk(account)
        _require_complete(run)
        booking = Booking.objects.filter(uid=uid).first()
        if booking is None:
            raise CommandError("The new booking did not arrive in the mirror.")
        self._print(f"Then:         {describe_run(run)}")
        with Visitor(site.url) as visitor:
            visitor.sign_in(USER, PASSWORD)
            for name, address in addresses(site).items():
                seconds = visitor.open(address).elapsed.total_seconds()
                self._print(
                    f"{name + ':':13} {address} answers 200 in {seconds * 1000:.0f} ms"
                )
            visitor.act(booking.pk, "decline")
        self._await_decline(booking, cal)
        self._await_webhook(account, cal)

    def _await_webhook(self, account: Account, cal: FakeCal) -> None:
        """Change a booking on Cal.com, and require that its webhook alone brings the change into the mirror."""
        with Inbox(account, lambda line: self._print(f"Then:         {line}")):
            began = time.monotonic()
            uid = cal.book(event_type="consultation")
            self._print("On Cal.com:   somebody books a consultation")
            arrived = Booking.objects.filter(uid=uid)
            while not arrived.exists():
                if time.monotonic() - began > WEBHOOK_SECONDS:
                    raise CommandError(
                        f"No webhook has brought a new booking within {WEBHOOK_SECONDS} s."
                    )
                time.sleep(0.02)
            seconds = time.monotonic() - began
            self._print(f"Webhook:      in the mirror after {seconds * 1000:.0f} ms")

    def _await_decline(self, booking: Booking, cal: FakeCal) -> None:
        """Deliver the action, and require that its effect is on Cal.com and in the mirror."""
        with Deliveries(lambda line: self._print(f"Action:       {line}")):
            _wait_for_end(booking)
        action = booking.actions.get()
        if action.status != BookingAction.Status.DONE:
            raise CommandError(
                f"Declining a booking in the admin ended as {action.get_status_display()}: {action.error_message}"
            )
        booking.refresh_from_db()
        remote = cal.payload(booking.uid)["status"]
        if (remote, booking.status) != (Status.REJECTED, Status.REJECTED):
            raise CommandError(
                f"The booking was declined, but is {remote} on Cal.com and {booking.status} in the mirror."
            )

    def _serve(self, account: Account, cal: FakeCal, site: Site) -> None:
        lines = [f"{name + ':':13} {url}" for name, url in addresses(site).items()]
        lines[0] += f" (user {USER}, password {PASSWORD})"
        self._print(
            "\n".join(lines) + "\n\n"
            f"Every {ROUND_SECONDS} s a booking changes on the fake Cal.com. Its webhook brings the change here within a second; the "
            f"loop `changes`\nfinds what no webhook brought, and once in {FULL_EVERY * ROUND_SECONDS} s `window` reads the coming weeks, and `full` everything. What you do in the admin is sent to the "
            f"fake Cal.com within about {DELIVERY_SECONDS} s.\nCtrl-C ends the demo.\n"
        )
        with (
            Deliveries(self._say),
            Inbox(account, self._say),
            Worker(account, cal, self._say),
        ):
            Event().wait()

    def _say(self, line: str) -> None:
        self._print(f"{time.strftime('%H:%M:%S')}  {line}")

    def _print(self, text: str) -> None:
        """Print at once, also into a file or a pipe, where Python would hold the lines back."""
        self.stdout.write(text)
        self.stdout.flush()


def addresses(site: Site) -> dict[str, str]:
    """Return the pages that a visitor should see, with their full addresses by name."""
    names = {
        "Admin": "admin:index",
        "Bookings": "admin:cal_bookings_booking_changelist",
        "Calendar": "admin:cal_bookings_booking_calendar",
        "Overview": "admin:cal_bookings_overview",
    }
    return {name: site.url + reverse(page) for name, page in names.items()}


def _refuse_other_settings() -> None:
    """Refuse other settings: the README names the login, which no real site and no needed database may hold."""
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
    for path in database.parent.glob(f"{database.name}*"):  # and SQLite's log
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


def _book_today(cal: FakeCal) -> None:
    """Add some bookings on this day, so that the calendar does not open with an empty column."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    for hour, event_type in TODAY:
        cal.book(event_type=event_type, start=midnight + timedelta(hours=hour))


def _subscribe(account: Account, cal: FakeCal, site: Site) -> None:
    """Make the webhook on the fake Cal.com that delivers to this site."""
    secret = settings.CAL_BOOKINGS["ACCOUNTS"][ALIAS]["WEBHOOK_SECRET"]
    url = site.url + account.webhook_path()
    cal.webhooks.subscribe(url, secret=secret, user=cal.users[1].id)


def _wait_for_end(booking: Booking) -> None:
    """Wait until no action on a booking is open; CommandError if that takes too long."""
    latest = time.monotonic() + ACTION_SECONDS
    while booking.actions.filter(status__in=BookingAction.OPEN).exists():
        if time.monotonic() > latest:
            raise CommandError(
                f"The action that was asked for in the admin has not ended after {ACTION_SECONDS} s."
            )
        time.sleep(0.1)
