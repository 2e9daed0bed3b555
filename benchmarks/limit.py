"""What no mirror can be faster than: fetch and parse every page; and COPY its rows.

With the fastest parser there is, without checks, without an upsert, one transaction a page. The tables are either as
few columns and indexes as will do, or copies of our own with all their columns and indexes.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import requests

FEW = """
DROP SCHEMA IF EXISTS copy_limit CASCADE;
CREATE SCHEMA copy_limit;
SET search_path TO copy_limit;
CREATE TABLE booking(
  id bigserial PRIMARY KEY, uid text UNIQUE, remote_id bigint, title text, status text, start timestamptz,
  "end" timestamptz, event_type_id bigint, created timestamptz, updated timestamptz, payload jsonb);
CREATE INDEX ON booking(start);
CREATE INDEX ON booking(status);
CREATE TABLE attendee(
  id bigserial PRIMARY KEY, booking_uid text, name text, email text, time_zone text, language text, absent bool,
  phone_number text);
CREATE INDEX ON attendee(booking_uid);
CREATE INDEX ON attendee(email);
CREATE TABLE host(booking_uid text, host_id bigint, PRIMARY KEY (booking_uid, host_id));
"""
BOOKINGS = """COPY booking(uid, remote_id, title, status, start, "end", event_type_id, created, updated, payload)
FROM STDIN"""
ATTENDEES = """COPY attendee(booking_uid, name, email, time_zone, language, absent, phone_number)
FROM STDIN"""
HOSTS = "COPY host FROM STDIN"


def pages(base_url: str, size: int = 100) -> Iterator[list[dict[str, Any]]]:
    """Fetched and parsed, and nothing else."""
    params = {"limit": str(size)}
    with requests.Session() as session:
        while True:
            answer = session.get(f"{base_url}/bookings", params=params, timeout=30)
            page = orjson.loads(answer.content)
            yield page["data"]
            if not page["pagination"]["hasMore"]:
                return
            params["cursor"] = page["pagination"]["nextCursor"]


def fetch_and_parse(base_url: str) -> int:
    return sum(map(len, pages(base_url)))


OURS = """
DROP SCHEMA IF EXISTS copy_limit CASCADE;
CREATE SCHEMA copy_limit;
CREATE TABLE copy_limit.booking (LIKE public.cal_bookings_booking INCLUDING ALL);
CREATE TABLE copy_limit.attendee (LIKE public.cal_bookings_attendee INCLUDING ALL);
CREATE TABLE copy_limit.host (LIKE public.cal_bookings_booking_hosts INCLUDING ALL);
SET search_path TO copy_limit;
"""
OUR_BOOKINGS = """COPY booking(
  id, account_id, uid, remote_id, title, description, status, start, "end", duration, event_type_remote_id,
  location, absent_host, cancellation_reason, cancelled_by_email, rescheduling_reason, rescheduled_by_email,
  rescheduled_from_uid, rescheduled_to_uid, recurring_booking_uid, appointment, rating, ics_uid, guests, metadata,
  booking_fields_responses, remote_created_at, remote_updated_at, first_seen_at, mirrored_at, payload, payload_hash,
  api_version) FROM STDIN"""
OUR_ATTENDEES = """COPY attendee(
  booking_id, position, name, email, display_email, time_zone, language, phone_number, absent, seat_uid, metadata,
  booking_fields_responses) FROM STDIN"""
EMPTY = ("{}", "{}")
OUR_HOSTS = "COPY host(booking_id, host_id) FROM STDIN"


def prepare(database_url: str, tables: str) -> psycopg.Connection:
    database = psycopg.connect(database_url)
    database.execute(tables.encode())
    database.commit()
    return database


def copy_into_ours(base_url: str, database: psycopg.Connection) -> int:
    count = 0
    for bookings in pages(base_url):
        with database.cursor() as cursor:
            _copy(cursor, OUR_BOOKINGS, map(_our_booking, bookings))
            _copy(cursor, OUR_ATTENDEES, _our_attendees(bookings))
            _copy(
                cursor,
                OUR_HOSTS,
                ((one["id"], host["id"]) for one in bookings for host in one["hosts"]),
            )
        database.commit()
        count += len(bookings)
    return count


def _our_booking(one: dict[str, Any]) -> tuple[Any, ...]:
    names = ("uid", "id", "title", "description", "status", "start", "end", "duration")
    documents = ("guests", "metadata", "bookingFieldsResponses")
    updated = one["updatedAt"]
    return (
        *(one["id"], 1, *map(one.get, names), one["eventTypeId"], one["location"]),
        *(one["absentHost"], one["cancellationReason"], one["cancelledByEmail"]),
        *("", "", "", "", "", uuid4(), one["rating"], one["icsUid"]),
        *(orjson.dumps(one[name]).decode() for name in documents),
        *(one["createdAt"], updated, updated, updated),
        *(orjson.dumps(one).decode(), one["uid"], "2026-05-01"),
    )


def _our_attendees(bookings: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    names = ("name", "email", "displayEmail", "timeZone", "language")
    for booking in bookings:
        for position, one in enumerate(booking["attendees"]):
            known = map(one.get, names)
            phone = one.get("phoneNumber", "")
            yield (booking["id"], position, *known, phone, one["absent"], "", *EMPTY)


def copy(base_url: str, database: psycopg.Connection) -> int:
    count = 0
    for bookings in pages(base_url):
        with database.cursor() as cursor:
            _copy(cursor, BOOKINGS, map(_booking, bookings))
            _copy(cursor, ATTENDEES, _attendees(bookings))
            _copy(cursor, HOSTS, _hosts(bookings))
        database.commit()
        count += len(bookings)
    return count


def _copy(cursor: psycopg.Cursor, statement: str, rows: Iterator[Any]) -> None:
    with cursor.copy(statement.encode()) as copying:
        for row in rows:
            copying.write_row(row)


def _booking(one: dict[str, Any]) -> tuple[Any, ...]:
    return (
        *(one["uid"], one["id"], one["title"], one["status"], one["start"], one["end"]),
        *(one["eventTypeId"], one["createdAt"], one["updatedAt"]),
        orjson.dumps(one).decode(),
    )


def _attendees(bookings: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    names = ("name", "email", "timeZone", "language", "absent", "phoneNumber")
    for booking in bookings:
        for attendee in booking["attendees"]:
            yield booking["uid"], *map(attendee.get, names)


def _hosts(bookings: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    return ((one["uid"], host["id"]) for one in bookings for host in one["hosts"])
