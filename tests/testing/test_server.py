"""The fake as a server: credentials, single objects, faults, the rate limit, changes, the command."""

import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random

import pytest
import requests

from cal_bookings.testing import FakeCal, RateLimit


def test_credentials_are_checked_as_cal_com_checks_them(get):
    assert get("/me").status_code == 200
    assert get("/me", key="").status_code == 401
    assert get("/bookings", key="").status_code == 403
    bad = get("/bookings", key="cal_live_wrong")
    assert (bad.status_code, bad.json()["error"]["code"]) == (
        401,
        "UnauthorizedException",
    )


def test_clients_with_secrets_and_tokens_act_for_their_user(cal):
    user = cal.users[2]
    cal.accept_client("client", "secret", user)
    cal.accept_token("token", user)
    pair = {"x-cal-client-id": "client", "x-cal-secret-key": "secret"}
    token = {"Authorization": "Bearer token"}
    for headers in (pair, token):
        answer = requests.get(f"{cal.url}/me", headers=headers, timeout=10)
        assert answer.json()["data"]["id"] == user.id

    cal.expire_token("token")
    expired = requests.get(f"{cal.url}/me", headers=token, timeout=10)
    assert expired.status_code == 498
    assert expired.json()["error"]["code"] == "TokenExpiredException"


def test_a_booking_is_read_by_its_uid_without_any_credential(cal, get):
    uid = cal.book()

    assert get(f"/bookings/{uid}", key="").json()["data"] == cal.payload(uid)


def test_the_uid_of_a_series_reads_all_its_occurrences(cal, get):
    occurrences = cal.book_series(3)
    series = cal.payload(occurrences[0])["recurringBookingUid"]

    data = get(f"/bookings/{series}").json()["data"]

    assert [booking["uid"] for booking in data] == occurrences


def test_an_unknown_booking_is_not_found(get):
    answer = get("/bookings/doesnotexist123")

    assert answer.status_code == 404
    message = "Booking with uid=doesnotexist123 was not found in the database"
    assert answer.json()["error"]["message"] == message


def test_self_hosted_servers_answer_below_another_prefix_too(cal):
    url = cal.url.replace("/v2", "/api/v2")
    headers = {"Authorization": f"Bearer {cal.api_key}"}
    answer = requests.get(f"{url}/me", headers=headers, timeout=10)
    assert answer.status_code == 200


def test_event_types_are_those_of_the_user(cal, get):
    listed = get("/event-types", version="2024-06-14").json()["data"]

    assert {booking["ownerId"] for booking in listed} == {cal.users[1].id}


def test_every_answer_tells_the_time_of_the_clock_and_the_rate_limit(cal, get):
    cal.clock.set(datetime(2030, 5, 1, 12, tzinfo=UTC))

    headers = get("/me").headers

    message = parsedate_to_datetime(headers["Date"])
    assert abs(message - datetime(2030, 5, 1, 12, tzinfo=UTC)) < timedelta(seconds=5)
    assert headers["X-Request-Id"]
    for name in ("Limit", "Remaining", "Reset"):
        assert headers[f"X-RateLimit-{name}-Default"].isdigit()


@pytest.mark.cal(rate_limit=RateLimit(limit=3, window=30, block=40))
def test_beyond_the_rate_limit_a_key_is_blocked_on_every_route(cal, get):
    assert [get("/me").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = get("/bookings")
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers
    assert 30 < int(refused.headers["X-RateLimit-Reset-Default"]) <= 40
    assert get("/me", key=cal.users[2].api_key).status_code == 200
    assert cal.rate_limit.refused == 2


@pytest.mark.parametrize(
    ("kind", "status"),
    [("429", 429), ("401", 401), ("403", 403), ("498", 498), ("500", 500)],
)
def test_a_scripted_fault_strikes_as_often_as_told_where_told(cal, get, kind, status):
    cal.fault(kind, times=2, skip=1, path="/me")

    assert get("/event-types", version="2024-06-14").status_code == 200
    answers = [get("/me").status_code for _ in range(4)]
    assert answers == [200, status, status, 200]


def test_faults_of_the_connection_break_it(cal, get):
    cal.fault("reset")
    with pytest.raises(requests.ConnectionError):
        get("/me")
    cal.fault("truncated")
    with pytest.raises(
        (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
    ):
        get("/me")
    assert get("/me").status_code == 200


def test_faults_of_the_body_come_with_status_200(cal, get):
    cal.fault("shape")
    assert get("/bookings").json() == {"status": "success", "data": {"items": []}}
    cal.fault("html")
    assert get("/bookings").headers["Content-Type"] == "text/html"


def test_an_unknown_fault_names_those_there_are(cal):
    with pytest.raises(ValueError, match="truncated"):
        cal.fault("teapot")


def test_changes_move_updated_at_as_on_cal_com(cal):
    cal.clock.stop()
    normal, seated = cal.book(), cal.book(event_type="seated")

    def moves(uid, change):
        before = cal.payload(uid)["updatedAt"]
        cal.clock.advance(timedelta(seconds=1))
        change()
        return cal.payload(uid)["updatedAt"] > before

    assert moves(normal, lambda: cal.set_location(normal, "Room 1"))
    assert moves(normal, lambda: cal.mark_host_absent(normal))
    assert not moves(normal, lambda: cal.mark_absent(normal))
    assert not moves(seated, lambda: cal.join_seat(seated))
    seat = cal.payload(seated)["attendees"][0]["seatUid"]
    assert not moves(seated, lambda: cal.cancel_seat(seated, seat))
    assert moves(normal, lambda: cal.reschedule(normal))
    assert moves(normal, lambda: cal.confirm(normal))


def test_a_reschedule_cancels_the_old_booking_and_links_both(cal):
    old = cal.book()
    new = cal.reschedule(old, reason="conflict")

    assert cal.payload(old)["status"] == "cancelled"
    assert cal.payload(old)["rescheduledToUid"] == new
    assert cal.payload(new)["rescheduledFromUid"] == old
    assert cal.payload(new)["reschedulingReason"] == "conflict"
    assert cal.payload(new)["id"] > cal.payload(old)["id"]


def test_the_same_seed_gives_the_same_bookings_and_another_seed_others():
    assert (
        FakeCal(bookings=20, seed=4).bookings == FakeCal(bookings=20, seed=4).bookings
    )
    assert (
        FakeCal(bookings=20, seed=4).bookings != FakeCal(bookings=20, seed=5).bookings
    )


def test_seeded_bookings_come_in_every_variant():
    payloads = FakeCal(bookings=600).payloads()

    assert {payload["status"] for payload in payloads} == {
        "accepted",
        "pending",
        "cancelled",
        "rejected",
    }
    for has in (
        lambda booking: "rescheduledToUid" in booking,
        lambda booking: "recurringBookingUid" in booking,
        lambda booking: "seatUid" in booking["attendees"][0],
        lambda booking: len(booking["hosts"]) > 1,
        lambda booking: booking["eventType"] is None,
        lambda booking: not booking["title"].isascii(),
        lambda booking: "phoneNumber" in booking["attendees"][0],
        lambda booking: booking["attendees"][0]["absent"],
    ):
        assert any(map(has, payloads))


def test_random_changes_go_on_for_ever_without_a_contradiction():
    cal, rng = FakeCal(bookings=30), Random(3)
    for _ in range(300):
        assert cal.change_something(rng)
    for payload in cal.payloads():
        successor = payload.get("rescheduledToUid")
        assert successor is None or cal.payload(successor)["rescheduledFromUid"]


def test_the_fixture_points_the_settings_at_the_fake(cal, settings):
    account = settings.CAL_BOOKINGS["ACCOUNTS"]["default"]

    assert account == {"API_KEY": cal.api_key, "BASE_URL": cal.url}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_fake_that_runs_cannot_be_entered_again(cal):
    with pytest.raises(RuntimeError, match="already runs"):
        cal.__enter__()


@pytest.mark.parametrize("port_of", [int, free_port], ids=["any port", "a given port"])
def test_the_command_serves_on_a_free_port_until_it_is_interrupted(port_of):
    port = port_of()
    command = [sys.executable, "-m", "cal_bookings.testing", "--bookings=9"]
    with subprocess.Popen(
        [*command, f"--port={port}", "--changes-every=0.05"],
        stdout=subprocess.PIPE,
        text=True,
    ) as served:
        assert served.stdout is not None
        assert served.stdout.readline().startswith("A fake Cal.com with 9 bookings")
        url, key = (served.stdout.readline().strip().split("=", 1)[1] for _ in "ab")
        assert port in (0, int(url.split(":")[2].removesuffix("/v2")))
        answer = requests.get(
            f"{url}/me", headers={"Authorization": f"Bearer {key}"}, timeout=10
        )
        assert answer.status_code == 200
        assert served.stdout.readline().strip()
        served.send_signal(signal.SIGINT)
        assert served.wait(timeout=10) == 0


def test_a_port_in_use_is_told_with_the_cure(cal):
    port = cal.url.split(":")[2].split("/")[0]
    command = [sys.executable, "-m", "cal_bookings.testing", f"--port={port}"]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env=os.environ
    )

    assert ended.returncode == 1
    assert "--port" in ended.stderr
