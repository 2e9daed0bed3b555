"""Each broken set-up ends with exit code 2 and its own cure: what a person who set the site up has to change."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from cal_bookings.models import Account, SyncRun
from tests.client import sockets

ROOT = Path(__file__).parents[2]
KEY = "cal_live_5ecre7"
WALK = "The next run of the walk goes on from its checkpoint."
UNTOUCHED = "The mirror was left as it is."
HTML = "<html><h1>Sign in</h1></html>"


def says(status, body="", **headers):
    """A handler of connections that answers each request so."""
    kind = "text/html" if body.startswith("<") else "application/json"
    lines = {"Content-Type": kind, "Content-Length": len(body), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())

    def handle(connection):
        sockets.read_head(connection)
        connection.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n{body}".encode())

    return handle


def sync(settings, base_url):
    """Exit code and standard error of the command."""
    account = {"API_KEY": KEY, "BASE_URL": base_url}
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"default": account}, "TIMEOUT": (0.5, 0.2)}
    error = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("cal_sync", stdout=StringIO(), stderr=error)
    return stopped.value.code, error.getvalue()


def assert_says(result, *cures):
    code, error = result
    assert code == 2
    for cure in cures:
        assert cure in error
    assert 'Account "default" at http' in error
    for never in (KEY, "Max retries", "HTTPConnection", "urllib3", "Traceback"):
        assert never not in error


SAID = f"PermissionsGuard - no oAuth client found for access token={KEY}"
NO_KEY = json.dumps(
    {"status": "error", "error": {"code": "ForbiddenException", "message": SAID}}
)
#: What the server at BASE_URL answers to everything, and what helps.
ANSWERS = {
    "another login": (
        says("302 Found", Location="https://login.example.com/start?next=secret"),
        ["The redirect points to https://login.example.com:", UNTOUCHED],
    ),
    "a redirect to nowhere": (
        says("302 Found"),
        ["The redirect does not say where to:", "the address of the API itself"],
    ),
    "a login page": (
        says("200 OK", HTML),
        ["A web page answers there, not the API", "ends with /v2", UNTOUCHED],
    ),
    "a website without that page": (
        says("404 Not Found", HTML),
        ["A web page answers there, not the API", "ends with /v2"],
    ),
    "a firewall": (
        says("403 Forbidden", HTML),
        [
            "a page of a firewall, proxy or login in front of Cal.com",
            "says nothing about the credential",
            "Let requests of this machine to 127.0.0.1 through",
        ],
    ),
    "a key with another prefix": (
        says("403 Forbidden", NO_KEY),
        [
            'does not take the credential in CAL_BOOKINGS["ACCOUNTS"]["default"] for an API key',
            "API_KEY_PREFIX",
        ],
    ),
    "a key that may not list": (
        says("403 Forbidden", '{"message": "PermissionsGuard - no"}'),
        [
            'does not let the credential in CAL_BOOKINGS["ACCOUNTS"]["default"] do this: check'
        ],
    ),
    "another API": (
        says("200 OK", '{"hello": "world"}'),
        ["Check that BASE_URL is a Cal.com API v2", UNTOUCHED],
    ),
    "a server that fails": (
        says("502 Bad Gateway", HTML),
        ["The server cannot be reached or fails.", WALK],
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("handle", "cures"),
    [pytest.param(*each, id=name) for name, each in ANSWERS.items()],
)
def test_an_answer_that_is_not_cal_coms(settings, handle, cures):
    with sockets.serve(handle) as port:
        result = sync(settings, f"http://127.0.0.1:{port}/v2")

    assert_says(result, *cures)
    assert "secret" not in result[1]


@pytest.mark.django_db
def test_a_firewall_does_not_claim_that_the_credential_is_valid(settings):
    with sockets.serve(says("403 Forbidden", HTML)) as port:
        _, error = sync(settings, f"http://127.0.0.1:{port}/v2")

    assert "valid" not in error
    assert "permissions" not in error


@pytest.mark.django_db
def test_http_where_the_server_wants_https(settings):
    to = "https://127.0.0.1/v2/bookings"
    with sockets.serve(says("301 Moved Permanently", Location=to)) as port:
        result = sync(settings, f"http://127.0.0.1:{port}/v2")

    assert_says(
        result,
        "The server at 127.0.0.1 wants https: write BASE_URL with https://",
        "a redirect to https://127.0.0.1",
    )


@pytest.mark.django_db
def test_nobody_listens(settings):
    result = sync(settings, "http://127.0.0.1:9/v2")

    assert_says(
        result,
        "Connection refused",
        "nothing accepts connections at 127.0.0.1:9",
        WALK,
    )


@pytest.mark.django_db
def test_a_server_that_never_answers(settings):
    def handle(connection):
        while connection.recv(4096):
            pass

    with sockets.serve(handle) as port:
        result = sync(settings, f"http://127.0.0.1:{port}/v2")

    assert_says(result, "it takes too long", 'CAL_BOOKINGS["TIMEOUT"]', WALK)


@pytest.mark.django_db
def test_a_certificate_that_nobody_trusts(settings, tmp_path):
    with sockets.serve(says("200 OK"), sockets.self_signed(tmp_path)) as port:
        result = sync(settings, f"https://127.0.0.1:{port}/v2")

    assert_says(result, "self-signed certificate", "REQUESTS_CA_BUNDLE", WALK)


@pytest.mark.django_db
def test_https_where_the_server_speaks_http(settings):
    def handle(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with sockets.serve(handle) as port:
        result = sync(settings, f"https://127.0.0.1:{port}/v2")

    assert_says(result, "does not speak TLS", "check the port in BASE_URL")


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_login(settings, monkeypatch, scheme):
    with sockets.serve(says("407 Proxy Authentication Required", HTML)) as port:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://127.0.0.1:{port}")
        result = sync(settings, f"{scheme}://cal.example/v2")

    assert_says(result, "407", "The proxy of this machine", "NO_PROXY", WALK)


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there(settings, monkeypatch, scheme):
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", "http://user:pa55@127.0.0.1:9")

    result = sync(settings, f"{scheme}://cal.example/v2")

    assert_says(result, "the proxy cannot be reached", "The proxy of this machine")
    assert "pa55" not in result[1]


def test_a_name_that_does_not_resolve(empty_database):
    """In a network namespace of its own, which has no network: nothing is asked anywhere."""
    alone = ["/usr/bin/unshare", "--user", "--map-root-user", "--net"]
    done = subprocess.run(
        [
            *alone,
            sys.executable,
            "manage.py",
            "cal_sync",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": f"sqlite:///{empty_database()}",
            "CAL_BOOKINGS_API_KEY": KEY,
            "CAL_BOOKINGS_BASE_URL": "https://api.cal.exmaple/v2",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    result = done.returncode, done.stderr
    assert_says(
        result, "cannot be resolved", 'The name "api.cal.exmaple" is unknown', WALK
    )


@pytest.mark.django_db
def test_the_run_and_the_pause_of_the_account_name_the_cure_too(settings):
    with sockets.serve(says("403 Forbidden", NO_KEY)) as port:
        sync(settings, f"http://127.0.0.1:{port}/v2")

    reason = Account.objects.get().circuit_reason
    for text in (SyncRun.objects.get().error, reason):
        assert "API_KEY_PREFIX" in text
        assert KEY not in text
    assert "oAuth" not in reason
