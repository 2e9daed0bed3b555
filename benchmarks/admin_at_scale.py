"""How long the admin's pages take on PostgreSQL with a million bookings: median, p95, slowest, and queries per page.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/admin_scale python benchmarks/admin_at_scale.py

Fills the database (once; it must be named ``..._scale``) and asks for each page as a superuser through Django's test
client: the time is that of the server, without the network.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, reset_queries, transaction  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import reverse  # noqa: E402

from cal_bookings.admin.booking_actions.pages import (  # noqa: E402
    SELECTED,
    format_selection,
)
from cal_bookings.models import Account, Booking  # noqa: E402

# Two years back to half a year ahead, evenly; 4 of 5 take place; one booking in two has a second attendee.
FILL = """
INSERT INTO cal_bookings_eventtype (account_id, remote_id, slug, title, length_minutes, payload, mirrored_at)
SELECT 1 + n % 4, n, 'type-' || n, 'Consultation ' || n, 30, '{}', now() FROM generate_series(1, 60) n;

INSERT INTO cal_bookings_host (account_id, remote_id, name, email, username, time_zone, mirrored_at)
SELECT 1 + n % 4, n, 'Host ' || n, 'host' || n || '@example.com', 'host' || n, 'Europe/Rome', now()
FROM generate_series(1, 200) n;

INSERT INTO cal_bookings_booking (account_id, uid, remote_id, title, description, status, start, "end", duration,
    event_type_id, event_type_remote_id, location, absent_host, cancellation_reason, cancelled_by_email,
    rescheduling_reason, rescheduled_by_email, rescheduled_from_uid, rescheduled_to_uid, recurring_booking_uid,
    appointment, rating, ics_uid, guests, metadata, booking_fields_responses, remote_created_at, remote_updated_at,
    first_seen_at, mirrored_at, missing_since, payload, payload_hash, api_version)
SELECT 1 + n % 4, md5(n::text), n, 'Consultation between Host ' || (n % 200) || ' and Guest ' || n, '',
    (ARRAY['accepted','accepted','accepted','accepted','accepted','accepted','accepted','accepted','cancelled',
           CASE WHEN n % 50 = 9 THEN 'pending' ELSE 'rejected' END])[1 + n % 10],
    started, started + interval '30 minutes', 30, 1 + n % 60, 1 + n % 60,
    'https://meet.example.com/' || n, n % 997 = 0, '', '', '', '', '', '', '', gen_random_uuid(), NULL,
    md5(n::text) || '@Cal.com', '[]', '{}', '{}', started - interval '9 days', started - interval '9 days', now(),
    now(), CASE WHEN n % 5003 = 0 THEN now() END,
    jsonb_build_object(
        'id', n, 'uid', md5(n::text), 'title', 'Consultation', 'status', 'accepted', 'duration', 30,
        'start', started, 'end', started + interval '30 minutes', 'eventTypeId', 1 + n % 60,
        'hosts', jsonb_build_array(jsonb_build_object('id', n % 200, 'name', 'Host', 'email', 'h@example.com')),
        'attendees', jsonb_build_array(jsonb_build_object('name', 'Guest', 'email', 'g@example.net')),
        'createdAt', started - interval '9 days', 'updatedAt', started - interval '9 days',
        'metadata', jsonb_build_object('filler', repeat(md5(n::text), 30))),
    md5(n::text), '2026-05-01'
FROM (SELECT n, date_trunc('minute', now()) - interval '730 days' + n * interval '912 days' / %(rows)s AS started
      FROM generate_series(1, %(rows)s) n) numbered;

INSERT INTO cal_bookings_booking_hosts (booking_id, host_id) SELECT id, 1 + id % 200 FROM cal_bookings_booking;

INSERT INTO cal_bookings_attendee (booking_id, position, name, email, display_email, time_zone, language,
    phone_number, absent, seat_uid, metadata, booking_fields_responses)
SELECT id, place, 'Guest ' || id, 'guest' || id % 300000 || '@example.net', '', 'America/New_York', 'en', '',
    id % 499 = 0, '', '{}', '{}'
FROM cal_bookings_booking, generate_series(0, 1) place WHERE place = 0 OR id % 2 = 0;
"""

LIMIT = 300  # ms
#: Words read whole tables unless the site makes the indexes of docs/admin.md; a thousand bookings at once may take long.
WITHOUT_LIMIT = (
    *(f"list ?q={words}" for words in ("Consultation", "Guest+123456")),
    *(f"cancel {SELECTED:,}: the {part}" for part in ("page", "deed")),
)

TRIGRAMS = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX IF NOT EXISTS booking_title_words ON cal_bookings_booking USING gin (upper(title) gin_trgm_ops);
CREATE INDEX IF NOT EXISTS attendee_name_words ON cal_bookings_attendee USING gin (upper(name::text) gin_trgm_ops);
ANALYZE cal_bookings_booking, cal_bookings_attendee;
"""
NO_TRIGRAMS = "DROP INDEX IF EXISTS booking_title_words, attendee_name_words"

LIST, CALENDAR = (f"admin:cal_bookings_booking_{n}" for n in ("changelist", "calendar"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument(
        "--trigrams", action="store_true", help="with the indexes of docs/admin.md"
    )
    options.add_argument("--requests", type=int, default=20, help="for each page")
    asked = options.parse_args()
    fill(asked.rows)
    with connection.cursor() as cursor:
        cursor.execute(TRIGRAMS if asked.trigrams else NO_TRIGRAMS)
    browser = Client(headers={"host": "localhost"})
    staff, _made = User.objects.get_or_create(
        username="scale", is_staff=True, is_superuser=True
    )
    browser.force_login(staff)
    print(f"{'page':48} {'median':>8} {'p95':>8} {'max':>8} {'queries':>8}   (ms)")
    slow = [
        name
        for name, ask in questions(browser)
        if not is_fast(name, ask, asked.requests)
    ]
    sys.exit(f"p95 of {LIMIT} ms or more: {', '.join(slow)}" if slow else 0)


def fill(rows: int) -> None:
    if not str(connection.settings_dict["NAME"]).endswith("_scale"):
        sys.exit("Give it a PostgreSQL database of its own, named ..._scale.")
    call_command("migrate", verbosity=0)
    if Booking.objects.exists():
        return
    print(f"Filling the database with {rows:,} bookings", flush=True)
    aliases = (f"account-{n}" for n in range(4))
    Account.objects.bulk_create(Account(alias=alias) for alias in aliases)
    with connection.cursor() as cursor:
        cursor.execute(FILL.replace("%(rows)s", str(rows)))
        cursor.execute("VACUUM ANALYZE")


def questions(browser: Client) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each page by name, with what asks for it."""
    for name, url in pages():
        yield name, partial(browser.get, url)
    soon = Booking.objects.upcoming().filter(account=1).order_by("start")[:SELECTED]
    form = {"bookings": format_selection(soon), "reason": "Snow"}
    act = reverse("admin:cal_bookings_booking_act", args=["cancel"])
    yield f"cancel {SELECTED:,}: the page", partial(browser.post, act, form)
    yield f"cancel {SELECTED:,}: the deed", partial(undone, browser, act, form)


def undone(browser: Client, act: str, form: dict[str, str]) -> Any:
    with transaction.atomic():
        response = browser.post(act, form | {"confirmed": "yes"})
        transaction.set_rollback(True)
    return response


def pages() -> Iterator[tuple[str, str]]:
    listed, calendar = reverse(LIST), reverse(CALENDAR)
    yield "list", listed
    for query in (
        *("when=upcoming", "when=today", "when=week", "when=past", "status=accepted"),
        *("status=pending", "status=cancelled", "status=other", "pending_for=24"),
        *("absent=host", "absent=attendee", "missing=yes", "missing=no"),
        *("event_type__id__exact=7", "hosts__id__exact=7", "account__id__exact=2"),
        *("start__year=2026", "start__year=2026&start__month=11", "p=100"),
        *(
            "q=guest4711@example.net",
            "q=guest4711@",
            "q=c4ca4238a0b923820dcc509a6f75849b",
        ),
        *("q=Consultation", "q=Guest+123456"),
    ):
        yield f"list ?{query}", f"{listed}?{query}"
    for query in ("", "by=event_type", "view=month", "status=pending&view=month"):
        yield f"calendar ?{query}", f"{calendar}?{query}"
    yield "overview", reverse("admin:cal_bookings_overview")
    yield "booking", reverse("admin:cal_bookings_booking_change", args=[1000])


def is_fast(name: str, ask: Callable[[], Any], requests: int) -> bool:
    """Whether its p95 is below the limit; prints its numbers."""
    ask()  # caches of the process and of PostgreSQL
    taken = []
    for _ in range(requests):
        began = time.perf_counter()
        response = ask()
        taken.append((time.perf_counter() - began) * 1000)
        if response.status_code >= 400:
            sys.exit(f"{name} was answered {response.status_code}")
    p95 = statistics.quantiles(taken, n=20, method="inclusive")[-1]
    numbers = (statistics.median(taken), p95, max(taken))
    print(
        f"{name:48}", *(f"{n:8.0f}" for n in numbers), f"{queries(ask):8}", flush=True
    )
    return p95 < LIMIT or name in WITHOUT_LIMIT


def queries(ask: Callable[[], Any]) -> int:
    with override_settings(DEBUG=True):
        reset_queries()
        ask()
        return len(connection.queries)


if __name__ == "__main__":
    main()
