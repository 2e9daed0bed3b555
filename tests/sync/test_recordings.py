"""What a running Cal.com answered, mirrored through the command as a site would."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cal_bookings.models import Account, Booking
from tests.comparison import assert_mirrors
from tests.replay import RECORDED, ReplayServer, recorded


@pytest.fixture(scope="module")
def server():
    with ReplayServer() as server:
        yield server


@pytest.fixture(autouse=True)
def configured(db, settings, server):
    server.answer = None
    settings.CAL_BOOKINGS = {
        "ACCOUNTS": {"default": {"API_KEY": "cal_key", "BASE_URL": server.url}}
    }


def cal_sync():
    """What the command printed for its one account, and its exit code."""
    out, code = StringIO(), 0
    try:
        call_command("cal_sync", json=True, stdout=out, stderr=StringIO())
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return json.loads(out.getvalue()), code


@pytest.mark.parametrize("name", RECORDED["answers"])
def test_each_recorded_answer_is_mirrored_field_by_field_and_then_left_alone(
    server, name
):
    server.payloads = recorded(name)
    count = len(server.payloads)

    first, code = cal_sync()

    assert (first["created"], first["seen"], first["complete"], code) == (
        count,
        count,
        True,
        0,
    )
    assert_mirrors(Account.objects.get(), server.payloads)

    with CaptureQueriesContext(connection) as queries:
        second, code = cal_sync()

    assert (second["created"], second["updated"], second["unchanged"], code) == (
        0,
        0,
        count,
        0,
    )
    tables = (
        "booking",
        "attendee",
        "host",
        "eventtype",
        "bookingchange",
        "booking_hosts",
    )
    wrote = [
        query["sql"]
        for query in queries
        if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
    ]
    assert not [
        sql
        for sql in wrote
        if any(f'"cal_bookings_{table}"' in sql.replace("`", '"') for table in tables)
    ]


def test_the_recorded_day_played_in_order_ends_equal_to_its_last_state(server):
    remote = {}
    for name in RECORDED["answers"]:
        remote.update({payload["uid"]: payload for payload in recorded(name)})
        server.payloads = list(remote.values())
        cal_sync()

    assert_mirrors(Account.objects.get(), list(remote.values()))
    rescheduled = Booking.objects.exclude(rescheduled_to_uid="")
    for old in rescheduled.filter(rescheduled_to_uid__in=remote):
        assert (
            Booking.objects.get(uid=old.rescheduled_to_uid).appointment
            == old.appointment
        )


def test_a_server_that_answers_in_the_legacy_shape_is_asked_in_the_other_dialect(
    server,
):
    server.payloads = recorded("396-statuses-none")
    server.versions.clear()

    result, code = cal_sync()

    assert (result["created"], code) == (len(server.payloads), 0)
    assert server.versions == ["2026-05-01", "2024-08-13"]
    assert Account.objects.get().dialect == "offset"

    server.versions.clear()
    cal_sync()
    assert server.versions == ["2024-08-13"]


@pytest.mark.parametrize(
    "answer",
    [
        b'{"status": "success"}',
        b'{"status": "success", "data": null}',
        b'{"status": "success", "data": []}',
        b'{"status": "success", "data": {"items": []}, "pagination": {}}',
        b'{"status": "success", "data": [], "pagination": {"hasMore": true, "nextCursor": null}}',
        b"[]",
        b"<html>hello</html>",
    ],
)
def test_an_answer_of_unknown_shape_is_an_error_and_never_no_bookings(server, answer):
    server.payloads = recorded("067-list-no-params")
    cal_sync()
    server.answer = answer

    result, code = cal_sync()

    assert (result["complete"], code) == (False, 2)
    for word in ("default", server.url, "expected"):
        assert word in result["error"]
    assert_mirrors(Account.objects.get(), server.payloads)


def test_a_server_that_shows_the_same_page_for_ever_ends_the_walk(server):
    shown = recorded("070-list-take2-skip1-misaligned")
    pagination = {"hasNextPage": True, "totalItems": 71}
    server.answer = json.dumps(
        {"status": "success", "data": shown, "pagination": pagination}
    ).encode()

    result, code = cal_sync()

    assert (result["complete"], code) == (False, 2)
    assert Booking.objects.count() == 2
