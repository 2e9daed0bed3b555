"""Whatever body is sent to whatever route, there is an answer in one of Cal.com's shapes."""

import json
from datetime import timedelta
from http.client import HTTPConnection
from random import Random
from typing import Any

import pytest
import requests

from cal_bookings.testing import FakeCal
from cal_bookings.testing.endpoints.booking_actions import ACTIONS
from cal_bookings.testing.endpoints.router import ROUTES
from cal_bookings.testing.world.held_slots import Reservation
from tests.testing.conftest import (
    creation,
    soon,
)

BODIES = 500
ATTENDEE = {
    "name": "Ada",
    "email": "ada@example.net",
    "timeZone": "UTC",
    "phoneNumber": "+14155552671",
    "language": "en",
}
RESERVATION = {
    "eventTypeId": 3,
    "slotStart": "2026-11-23T10:00:00Z",
    "slotDuration": 60,
    "reservationDuration": 10,
}
#: A good body of each route that takes one.
GOOD: dict[str, dict[str, Any]] = {
    "POST /bookings": {
        "attendee": ATTENDEE,
        "guests": ["guest@example.net"],
        "location": {"type": "attendeePhone", "phone": "+14155552671"},
        "metadata": {"ref": "1"},
        "bookingFieldsResponses": {"notes": "hello"},
        "lengthInMinutes": 30,
        "recurrenceCount": 2,
        "routing": {"teamMemberIds": [1, 2]},
        "instant": False,
        "emailVerificationCode": "1",
        "allowConflicts": True,
    },
    "POST /bookings/{uid}/reschedule": {
        "rescheduledBy": "host1@example.com",
        "reschedulingReason": "Later",
        "seatUid": "{seat}",
        "allowConflicts": True,
    },
    "POST /bookings/{uid}/cancel": {
        "cancellationReason": "Ill",
        "cancelSubsequentBookings": True,
        "seatUid": "{seat}",
    },
    "POST /bookings/{uid}/confirm": {},
    "POST /bookings/{uid}/decline": {"reason": "No"},
    "POST /bookings/{uid}/request-reschedule": {"rescheduleReason": "Later"},
    "POST /bookings/{uid}/mark-absent": {
        "host": True,
        "attendees": [{"email": "ada@example.net", "absent": True}],
    },
    "POST /bookings/{uid}/reassign": {},
    "POST /bookings/{uid}/reassign/2": {"reason": "Away"},
    "PATCH /bookings/{uid}/location": {
        "location": {"type": "link", "link": "https://meet.example.com/x"}
    },
    "GET /bookings/{uid}/attendees": {},
    "POST /bookings/{uid}/attendees": ATTENDEE,
    "DELETE /bookings/{uid}/attendees/1": {},
    "POST /bookings/{uid}/guests": {"guests": [ATTENDEE]},
    "POST /bookings/verification/email/send-code": {
        "email": "ada@example.net",
        "language": "de",
    },
    "POST /bookings/verification/email/verify-code": {
        "email": "ada@example.net",
        "code": "123456",
    },
    "POST /slots/reservations": RESERVATION,
    "GET /slots/reservations/uid": {},
    "PATCH /slots/reservations/{held}": RESERVATION,
    "DELETE /slots/reservations/{held}": {},
    "POST /auth/oauth2/token": {
        "grant_type": "refresh_token",
        "client_id": "client",
        "client_secret": "hush",
        "refresh_token": "x",
    },
    "POST /oauth/client/refresh": {"refreshToken": "x"},
}
WEBHOOK = {
    "active": True,
    "subscriberUrl": "http://127.0.0.1:9/hook",
    "triggers": ["BOOKING_CREATED", "MEETING_ENDED"],
    "secret": "s",
    "payloadTemplate": "{{title}}",
    "version": "2021-10-20",
    "time": 5,
    "timeUnit": "MINUTE",
}
#: The webhooks of each kind of owner, and how many may be deleted at once: all, or one.
OWNERS = {
    "/webhooks": False,
    "/organizations/12/webhooks": False,
    "/event-types/1/webhooks": True,
    "/teams/1/event-types/7/webhooks": True,
    "/oauth-clients/client/webhooks": True,
}
for _path, _all_at_once in OWNERS.items():
    GOOD[f"POST {_path}"] = GOOD[f"PATCH {_path}/{{webhook}}"] = WEBHOOK
    GOOD[f"DELETE {_path}/{{webhook}}"] = {}
    if _all_at_once:
        GOOD[f"DELETE {_path}"] = {}
KINDS = ("normal", "confirm", "recurring", "seated", "round-robin", "deep-dive")
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2.5,
    1e400,
    "",
    " ",
    "x",
    "\x00",
    "ß" * 600,
    [],
    [None],
    {},
)
RAW = (b"", b"null", b'"hi"', b"5", b"[]", b"[1]", b"{", b"\xff\xfe", b"[" * 50_000)
ENVELOPE = {"status", "timestamp", "path", "error"}
BARE = {"statusCode", "message"}
#: The words of the 500s that Cal.com answers itself.
MEANT = ("Internal server error", "Failed to update no-show status")


def spoilt(rng, value):
    """A body that is nearly good: nulls, lists, wrong types, and what is missing or too much."""
    if isinstance(value, dict) and rng.random() < 0.85:
        kept = {key: item for key, item in value.items() if rng.random() < 0.85}
        new = {key: spoilt(rng, item) for key, item in kept.items()}
        if rng.random() < 0.1:
            new[rng.choice(["bogus", "0", "location", "start"])] = rng.choice(ODD)
        return new
    if isinstance(value, list) and rng.random() < 0.7:
        return [spoilt(rng, item) for item in value for _ in range(rng.randint(0, 3))]
    return rng.choice(ODD) if rng.random() < 0.25 else value


def booked(cal, rng):
    """The uid of a booking of any kind and state, with one of its seats."""
    kind = rng.choice(KINDS)
    past = cal.clock.now() - timedelta(days=rng.randint(1, 300), minutes=rng.random())
    if kind == "recurring" and rng.random() < 0.5:
        return cal.book_series(2)[0], ""
    start = past if rng.random() < 0.3 else None
    uid = cal.book(event_type=kind, start=start)
    cal.edit(uid, status=rng.choice(["accepted"] * 4 + ["pending", "cancelled"]))
    return uid, cal.payload(uid)["attendees"][0].get("seatUid", "")


def reserved(cal, rng):
    """The uid of a reservation."""
    start, hour = (
        cal.clock.now() + timedelta(days=rng.random() * 300),
        timedelta(hours=1),
    )
    reservation = Reservation(
        cal.reservations.new_uid(),
        cal.event_types[rng.randint(1, 5)],
        start,
        start + hour,
        cal.clock.now() + hour,
    )
    cal.reservations.keep(reservation)
    return reservation.uid


def subscribed(cal, rng, path):
    """The id of a webhook of the owner in the path, or of another one."""
    cal.users[1].organization_id = 12
    cal.accept_client("client", "hush", cal.users[1])
    owners = {
        "event-types/1": ("eventTypeId", 1),
        "event-types/7": ("eventTypeId", 7),
        "organizations": ("teamId", 12),
        "clients": ("oAuthClientId", "client"),
    }
    found = (owner for part, owner in owners.items() if part in path)
    kind, owner = next(found, ("userId", 1)) if rng.random() < 0.8 else ("userId", 2)
    url = "http://127.0.0.1:9/"
    made = cal.webhooks.subscribe(
        url, owner_kind=kind, owner=owner, triggers=["BOOKING_PAID"]
    )
    made.active = False  # nobody listens there
    return made.id


def body_of(cal, rng, route, seat):
    if rng.random() < 0.1:
        return rng.choice(RAW)
    good = GOOD[route]
    if route == "POST /bookings":
        good = creation(cal, rng.choice(KINDS)) | good
    if route.endswith("/reschedule"):
        good = {"start": soon(cal, rng.randint(1, 2000))} | good
    text = json.dumps(spoilt(rng, good)).replace("{seat}", seat)
    return text.encode()


def answer_of(connection, cal, rng, route, dialect):
    method, path = route.split()
    uid, seat = booked(cal, rng)
    keys = [cal.api_key] * 6 + [cal.users[2].api_key]
    headers = {
        "Authorization": f"Bearer {rng.choice(keys)}",
        "cal-api-version": "2026-02-25" if dialect == "cursor" else "2024-08-13",
        "Content-Type": rng.choice(["application/json"] * 9 + ["text/plain"]),
    }
    if path.endswith("/attendees") or "location" in path or "guests" in path:
        headers["cal-api-version"] = "2024-08-13"
    if path.startswith("/slots"):
        headers["cal-api-version"] = "2024-09-04"
    body = body_of(cal, rng, route, seat)
    held = reserved(cal, rng) if "{held}" in path else ""
    webhook = subscribed(cal, rng, path) if "webhook" in path else ""
    path = path.format(uid=uid, held=held, webhook=webhook)
    connection.request(method, f"/v2{path}", body, headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read()), body


def assert_well_formed(status, shown):
    if status < 300:
        assert shown.get("status") == "success" or "access_token" in shown
        return
    assert 400 <= status <= 500
    if "error_description" in shown:
        return
    error = shown.get("error", shown)
    assert shown.keys() <= {
        "status",
        "timestamp",
        "path",
        "error",
        *("statusCode",),
    } | {"message"}
    assert isinstance(error["message"], str)
    assert status < 500 or error["message"] in MEANT


@pytest.mark.parametrize("dialect", ["cursor", "offset"])
@pytest.mark.parametrize("route", GOOD)
def test_every_body_is_answered_in_a_shape_of_cal_com(route, dialect):
    rng = Random(f"{route} {dialect}")
    statuses = set()
    with FakeCal(dialect=dialect, private_webhooks=True) as cal:
        connection = HTTPConnection("127.0.0.1", int(cal.url.split(":")[2][:-3]))
        for _ in range(BODIES // 2):
            status, shown, body = answer_of(connection, cal, rng, route, dialect)
            try:
                assert_well_formed(status, shown)
            except (AssertionError, KeyError) as error:
                raise AssertionError(f"{status} {shown} to {body[:500]}") from error
            statuses.add(status)
        connection.close()
        assert cal.crashes == []
    assert statuses - {413}


def test_every_route_that_changes_something_is_among_those():
    routes = [route.format(uid="uid", held="uid", webhook="id") for route in GOOD]
    answered: list[Any] = [*ACTIONS, *ROUTES]
    for other in answered:
        assert other.method == "GET" or any(matches(other, route) for route in routes)


def matches(action, route):
    method, path = route.split()
    return action.method == method and action.pattern.fullmatch(path)


QUERIES = [
    "/bookings?take=inf",
    "/bookings?take=nan&skip=-1",
    "/bookings?afterUpdatedAt=0001-01-01T00:00:00%2B14:00",
    "/bookings?eventTypeIds=1,x",
    "/bookings?status=",
    "/slots?eventTypeId=x&start=1&end=2",
    "/slots?eventTypeId=1&start=2026-01-01&end=9999-12-31",
    "/event-types?username=%00",
    "/bookings/%ff/attendees",
    "/bookings//cancel",
    "/organizations/99999999999999999999/bookings",
]


@pytest.mark.parametrize("version", ["2026-05-01", "2024-08-13", "2024-09-04", ""])
def test_every_query_is_answered(cal, get, version):
    for query in [*QUERIES, "/bookings?cursor=MQ==&limit=1e9", "/bookings?cursor=é"]:
        answer = get(query, version=version)
        assert answer.status_code < 500, query
        assert answer.json()["status"] in ("success", "error")


# An error of the fake's own


def fail(request):
    raise ZeroDivisionError("oops")


def test_an_error_of_the_fake_s_own_is_answered_and_raised_at_the_end(capsys):
    cal = FakeCal().__enter__()
    cal.on_request = fail

    answer = requests.get(f"{cal.url}/me", timeout=10)

    assert answer.status_code == 500
    assert answer.json() == {"statusCode": 500, "message": "Internal server error"}
    assert "oops" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="failed to answer") as raised:
        cal.__exit__()
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_what_else_is_raised_is_not_hidden_by_an_error_of_the_fake_s_own():
    cal = FakeCal().__enter__()
    cal.crashes.append(ZeroDivisionError())

    cal.__exit__(KeyError("mine"))

    assert cal.crashes == []


def test_a_body_that_is_too_large_is_refused(cal):  # 490
    answer = requests.post(f"{cal.url}/bookings", json={"a": "x" * 150_000}, timeout=10)
    message = {"statusCode": 413, "message": "request entity too large"}
    assert (answer.status_code, answer.json()) == (413, message)


@pytest.mark.parametrize("sent", ['{"start": "2026', "null", '"hi"', "5"])
def test_what_is_no_json_object_or_list_is_refused(cal, sent):  # 361-364
    headers = {"Content-Type": "application/json", "cal-api-version": "2024-08-13"}
    answer = requests.post(
        f"{cal.url}/bookings", data=sent, headers=headers, timeout=10
    )
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_other_content_types_are_no_body_at_all(cal, kind):  # 366, 367
    headers = {"Content-Type": kind, "cal-api-version": "2024-08-13"}
    data = json.dumps(creation(cal))
    answer = requests.post(
        f"{cal.url}/bookings", data=data, headers=headers, timeout=10
    )
    message = answer.json()["error"]["message"]
    assert message.startswith("start property is wrong,start must be a valid ISO 8601")
    assert "eventTypeId or eventTypeSlug + username property is wrong" in message
