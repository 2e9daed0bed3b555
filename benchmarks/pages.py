"""A page server with no work to do: the same rendered bookings for every contender, in both list dialects.

Not a fake Cal.com: it checks nothing, so that what is measured is who asks and not who answers.
"""

import datetime as dt
import hashlib
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import parse_qs, urlsplit

EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STATUSES = ("accepted", "accepted", "accepted", "pending", "cancelled", "rejected")
CURSOR_VERSION = "2026-05-01"
#: No budget is ever short: what is measured is the mirror, not the waiting.
PLENTY = "1000000"


@contextmanager
def serve(bookings: int) -> Iterator[str]:
    """Answers the base URL of a server, in a process of its own, that has so many bookings."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_run, args=(bookings, there), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v2"
    finally:
        process.terminate()
        process.join()


def _run(bookings: int, parent: Connection) -> None:
    rows = [json.dumps(booking(number)).encode() for number in range(bookings)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, rows))
    server.daemon_threads = True
    parent.send(server.server_port)
    server.serve_forever()


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    disable_nagle_algorithm = True

    def __init__(self, rows: list[bytes], *args: Any) -> None:
        self.rows = rows
        super().__init__(*args)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
        """Nothing: a terminal is slower than a page."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path.endswith("/bookings"):
            self._answer(*self._page(query))
        else:
            self._answer([], {})

    def _page(self, query: dict[str, str]) -> tuple[list[bytes], dict[str, Any]]:
        # Nothing changed lately: a poll for changes finds an empty list.
        rows = [] if "afterUpdatedAt" in query else self.rows
        if self.headers.get("cal-api-version") == CURSOR_VERSION or "limit" in query:
            first, size = int(query.get("cursor", 0)), int(query.get("limit", 50))
            more = first + size < len(rows)
            page = {
                "nextCursor": str(first + size) if more else None,
                "hasMore": more,
            }
        else:
            first, size = int(query.get("skip", 0)), int(query.get("take", 100))
            page = {
                "totalItems": len(rows),
                "hasNextPage": first + size < len(rows),
                "hasPreviousPage": first > 0,
            }
        return rows[first : first + size], page

    def _answer(self, rows: list[bytes], page: dict[str, Any]) -> None:
        body = b'{"status":"success","data":[%s],"pagination":%s}' % (
            b",".join(rows),
            json.dumps(page).encode(),
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-RateLimit-Limit-Default", PLENTY)
        self.send_header("X-RateLimit-Remaining-Default", PLENTY)
        self.send_header("X-RateLimit-Reset-Default", "60")
        self.end_headers()
        self.wfile.write(body)


def booking(number: int) -> dict[str, Any]:
    start = EPOCH + dt.timedelta(minutes=30 * number)
    uid = hashlib.sha256(str(number).encode()).hexdigest()[:22]
    guest = f"guest{number}@example.com"
    attendees = [
        attendee(f"Guest {number}", guest, "America/New_York", "en")
        | {"phoneNumber": "+1234567890"}
    ]
    if number % 3 == 0:
        second = f"second{number}@example.com"
        attendees.append(attendee("Second", second, "Europe/Rome", "it"))
    return {
        "id": number + 1,
        "uid": uid,
        "title": f"Consultation between Host {number % 17} and Guest {number}",
        "description": "Learn how to integrate scheduling into marketplace. " * 3,
        "hosts": [host(number % 17)],
        "status": STATUSES[number % len(STATUSES)],
        "cancellationReason": "",
        "cancelledByEmail": "",
        "rescheduledByEmail": None,
        "start": iso(start),
        "end": iso(start + dt.timedelta(minutes=30)),
        "duration": 30,
        "eventTypeId": number % 9 + 1,
        "eventType": {"id": number % 9 + 1, "slug": f"event-{number % 9}"},
        "meetingUrl": "https://example.com/meeting",
        "location": "https://example.com/meeting",
        "absentHost": False,
        "createdAt": iso(start - dt.timedelta(days=7)),
        "updatedAt": iso(start - dt.timedelta(days=6)),
        "metadata": {"crm": str(number)},
        "rating": None,
        "icsUid": f"{uid}@Cal.com",
        "attendees": attendees,
        "guests": [f"g{number}@example.com"] if number % 4 == 0 else [],
        "bookingFieldsResponses": {
            "name": f"Guest {number}",
            "email": guest,
            "notes": "Hello there",
        },
    }


def attendee(name: str, email: str, time_zone: str, language: str) -> dict[str, Any]:
    return {
        "name": name,
        "email": email,
        "displayEmail": email,
        "timeZone": time_zone,
        "language": language,
        "absent": False,
    }


def host(number: int) -> dict[str, Any]:
    email = f"host{number}@example.com"
    return {
        "id": number + 1,
        "name": f"Host {number}",
        "email": email,
        "displayEmail": email,
        "username": f"host{number}",
        "timeZone": "America/Los_Angeles",
    }


def iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
