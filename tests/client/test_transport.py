"""The transport: what is sent, what is repeated, what is bounded."""

import gzip
import json
import logging
import multiprocessing
import os
import time

import pytest

from cal_bookings import __version__
from cal_bookings.client import (
    AccessToken,
    ApiKey,
    CalClient,
    CalError,
    CalRateLimited,
    CalRefused,
    CalUnavailable,
    CalUnexpected,
    ClientSecret,
    RateLimit,
)
from tests.client.conftest import (
    KEY,
    Reply,
    recording,
    reply,
)

ME = {"status": "success", "data": {"id": 1}}


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        pytest.param(ApiKey(KEY), {"authorization": f"Bearer {KEY}"}, id="key"),
        pytest.param(AccessToken("jwt"), {"authorization": "Bearer jwt"}, id="token"),
        pytest.param(
            ClientSecret("id", "hush"),
            {"x-cal-client-id": "id", "x-cal-secret-key": "hush"},
            id="client",
        ),
    ],
)
def test_each_request_is_signed_and_says_who_asks(script, credential, expected):
    script.will(reply(ME))

    with CalClient(script.url, credential) as client:
        assert client.me() == {"id": 1}

    (request,) = script.requests
    assert request.path == "/v2/me"
    assert expected.items() <= request.headers.items()
    assert request.headers["user-agent"] == f"django-cal-bookings/{__version__}"
    assert request.headers["cal-api-version"] == "2024-08-13"


def test_a_login_in_netrc_does_not_replace_the_key(script, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    script.will(reply(ME))

    with CalClient(script.url, ApiKey(KEY)) as client:
        client.me()

    assert script.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Reply(fault="reset"), id="reset"),
        pytest.param(Reply(body=b'{"da', fault="truncated"), id="truncated"),
        pytest.param(
            Reply(body=b'{"da', headers={"Content-Type": "application/json"}),
            id="cut-json",
        ),
        pytest.param(Reply(502, b"<html>Bad Gateway</html>"), id="502"),
        pytest.param(Reply(500, b'{"statusCode": 500}'), id="500"),
        pytest.param(
            Reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}), id="gzip"
        ),
    ],
)
def test_a_read_is_repeated_after_a_fault(script, client, pauses, fault):
    script.will(fault, fault, reply(ME))

    assert client.me() == {"id": 1}

    assert len(script.requests) == 3
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1.0


def test_a_pooled_connection_that_was_reset_is_replaced(script, client):
    script.will(reply(ME), Reply(fault="reset"), reply(ME))

    client.me()

    assert client.me() == {"id": 1}


def test_a_read_is_given_up_after_four_attempts(script, client, pauses):
    script.will(*[Reply(503)] * 5)

    with pytest.raises(CalUnavailable) as caught:
        client.me()

    assert caught.value.status == 503
    assert len(script.requests) == 4
    assert len(pauses) == 3


def test_a_slow_answer_is_a_timeout(script):
    def slow(request):
        time.sleep(0.3)
        return reply(ME)

    script.answer = slow
    with (
        CalClient(script.url, ApiKey(KEY), timeout=(1, 0.05), sleep=print) as client,
        pytest.raises(CalUnavailable, match="GET /me: no complete answer"),
    ):
        client.me()


LONG = json.dumps(ME | {"noise": f"{'x' * 50}{os.urandom(50).hex()}"}).encode()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(LONG, {}, id="whole"),
        pytest.param(LONG, {"Transfer-Encoding": "chunked"}, id="in chunks"),
        pytest.param(gzip.compress(LONG), {"Content-Encoding": "gzip"}, id="gzip"),
    ],
)
def test_an_answer_that_drips_is_cut_off(script, body, headers):
    """Each byte is in time, and the last one would never be."""
    headers = {"Content-Type": "application/json"} | headers
    script.will(*[Reply(body=body, headers=headers, fault="drip")] * 4)
    with (
        CalClient(script.url, ApiKey(KEY), timeout=(1, 0.1), sleep=print) as client,
        pytest.raises(CalUnavailable, match=r"it takes too long$"),
    ):
        client.me()

    assert len(script.requests) == 4


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(b'{"data": {}}', {"Transfer-Encoding": "chunked"}, id="in chunks"),
        pytest.param(
            gzip.compress(b'{"data": {}}'), {"Content-Encoding": "gzip"}, id="gzip"
        ),
    ],
)
def test_a_slow_answer_that_ends_in_time_is_read(script, client, body, headers):
    headers = {"Content-Type": "application/json"} | headers
    script.will(Reply(body=body, headers=headers, fault="drip"))

    assert client.me() == {}

    assert len(script.requests) == 1
    assert script.requests[0].headers["accept-encoding"] == "gzip"


def test_a_small_answer_that_unpacks_to_a_large_one_is_read_up_to_the_bound(script):
    body = gzip.compress(json.dumps({"data": "x" * 10_000_000}).encode())
    script.will(Reply(body=body, headers={"Content-Encoding": "gzip"}))

    with (
        CalClient(script.url, ApiKey(KEY), max_bytes=1000) as client,
        pytest.raises(CalUnexpected, match="expected at most 1000 bytes"),
    ):
        client.me()


def test_nobody_listening_is_unavailable():
    with (
        CalClient("http://127.0.0.1:1/v2", ApiKey(KEY), sleep=print) as client,
        pytest.raises(CalUnavailable) as caught,
    ):
        client.get_booking("5BTviwpTVSbHcHEjF7hFtJ")

    assert "5BTviwpTVSbHcHEjF7hFtJ" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_rate_limited_request_is_not_repeated(script, client, pauses):
    script.will(recording("406"))

    with pytest.raises(CalRateLimited) as caught:
        client.me()

    assert caught.value.retry_after == 60
    assert len(script.requests) == 1
    assert pauses == []


@pytest.mark.parametrize(
    ("fault", "may_have_applied"),
    [
        pytest.param(Reply(fault="reset"), True, id="reset"),
        pytest.param(Reply(502), True, id="502"),
        pytest.param(Reply(200, b"<html>"), True, id="not-json"),
        pytest.param(recording("049"), True, id="409"),
        pytest.param(recording("129"), False, id="404"),
        pytest.param(recording("406"), False, id="429"),
    ],
)
def test_a_write_is_sent_once_and_says_whether_it_may_have_applied(
    script, client, fault, may_have_applied
):
    script.will(fault)

    with pytest.raises(CalError) as caught:
        client._http.request(
            "POST",
            "/bookings/{uid}/cancel",
            version="2024-08-13",
            parts={"uid": "a"},
            json={},
        )

    assert caught.value.may_have_applied is may_have_applied
    assert len(script.requests) == 1


def test_a_write_to_nobody_has_not_applied():
    with (
        CalClient("http://127.0.0.1:1/v2", ApiKey(KEY)) as client,
        pytest.raises(CalUnavailable) as caught,
    ):
        client._http.request("POST", "/bookings", version="2024-08-13", json={})

    assert caught.value.may_have_applied is False


def test_a_redirect_is_not_followed(script, client):
    script.will(Reply(302, headers={"Location": "http://127.0.0.1:1/"}))

    with pytest.raises(CalUnexpected) as caught:
        client.me()

    assert caught.value.status == 302
    assert len(script.requests) == 1


def test_the_body_of_a_redirect_is_an_answer_like_any_other(script, client):
    body = gzip.compress(b"<html>Moved</html>")
    headers = {"Location": "http://127.0.0.1:1/", "Content-Encoding": "gzip"}
    script.will(Reply(301, body, headers))

    with pytest.raises(CalUnexpected):
        client.me()


def test_an_answer_is_read_up_to_a_bound(script):
    script.will(reply({"data": "x" * 2000}))

    with (
        CalClient(script.url, ApiKey(KEY), max_bytes=1000) as client,
        pytest.raises(CalUnexpected, match="expected at most 1000 bytes"),
    ):
        client.me()

    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>Welcome</html>", id="html"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe", id="no-utf8"),
    ],
)
def test_a_2xx_that_is_not_json_is_unexpected(script, client, body):
    script.will(Reply(200, body, {"Content-Type": "text/html"}))

    with pytest.raises(CalUnexpected, match=r"expected JSON from http://127\.0"):
        client.me()


def test_nan_is_no_json(script, client):
    script.will(*[Reply(200, b'{"data": {"id": NaN}}')] * 4)

    with pytest.raises(CalUnexpected, match="does not parse"):
        client.me()


@pytest.mark.parametrize("uid", ["", ".", ".."])
def test_a_uid_that_would_leave_its_place_in_the_path_is_refused(client, uid):
    with pytest.raises(CalRefused, match="dots only"):
        client.get_booking(uid)


def test_a_uid_is_quoted(script, client):
    script.will(reply({"data": {"uid": "a/b?c#d"}}))

    client.get_booking("a/../b?c=d#e%2F")

    assert script.requests[0].path == "/v2/bookings/a%2F..%2Fb%3Fc%3Dd%23e%252F"


@pytest.mark.parametrize(
    "url",
    [
        "api.cal.com/v2",
        "/v2",
        "ftp://api.cal.com/v2",
        "https:///v2",
        "https://user:word@api.cal.com/v2",
        "https://api.cal.com/v2?key=1",
    ],
)
def test_a_base_url_that_is_not_one_is_refused_with_the_cure(url):
    with pytest.raises(ValueError, match="The base URL must be"):
        CalClient(url, ApiKey(KEY))


def test_a_trailing_slash_of_the_base_url_does_not_matter(script):
    script.will(reply(ME))

    with CalClient(script.url + "/", ApiKey(KEY)) as client:
        client.me()

    assert script.requests[0].path == "/v2/me"


def test_each_physical_request_is_announced_and_reported(script):
    events: list[object] = []
    script.will(Reply(500), recording("406"))
    client = CalClient(
        script.url,
        ApiKey(KEY),
        before_request=lambda endpoint: events.append("ask"),
        on_answer=lambda endpoint, limit, status: events.append((limit, status)),
        sleep=print,
    )

    with client, pytest.raises(CalRateLimited):
        client.me()

    limit = RateLimit(limit=120, remaining=0, reset_seconds=60, name="default")
    assert events == ["ask", (None, 500), "ask", (limit, 429)]
    assert client.rate_limit == limit


def test_the_key_is_in_no_repr_and_no_log(script, client, caplog):
    caplog.set_level(logging.DEBUG)
    script.will(Reply(500), Reply(500, KEY.encode()), recording("133"))

    with pytest.raises(CalError) as caught:
        client.me()

    secrets = (KEY, "hush")
    shown = (
        repr(client),
        repr(ClientSecret("id", "hush")),
        repr(AccessToken(KEY)),
        repr(caught.value),
        str(caught.value),
        caplog.text,
    )
    assert "trying again" in caplog.text
    assert [text for text in shown if any(secret in text for secret in secrets)] == []


@pytest.mark.parametrize("key", ["", "cal_live_1\n", " cal_live_1", "cal_“1”"])
def test_a_key_that_cannot_be_a_header_is_refused_without_showing_it(key):
    with pytest.raises(ValueError, match="The API key must be printable") as caught:
        ApiKey(key)

    assert "cal_" not in str(caught.value)


def test_the_next_client_goes_on_with_the_connection_of_the_last(cal):
    for user in (cal.users[1], cal.users[2]):
        with CalClient(cal.url, ApiKey(user.api_key)) as client:
            assert client.me()["id"] == user.id

    assert cal.connections == 1


def test_a_connection_that_the_server_closed_meanwhile_is_not_used(cal):
    with CalClient(cal.url, ApiKey(cal.api_key)) as client:
        client.me()
    cal.hang_up()

    with CalClient(cal.url, ApiKey(cal.api_key)) as client:
        client.me()

    assert cal.connections == 2
    assert len(cal.requests) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_opens_connections_of_its_own(cal):
    def ask():
        with CalClient(cal.url, ApiKey(cal.api_key)) as client:
            client.me()

    ask()
    child = multiprocessing.get_context("fork").Process(target=ask)
    child.start()
    child.join(timeout=30)
    ask()

    assert child.exitcode == 0
    assert cal.connections == 2
