"""Which servers an account in the database may name: whoever adds one could reach into the site's own network."""

import json
import socket

import pytest
from cryptography.fernet import Fernet
from django.contrib.messages import get_messages
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from cal_bookings import conf
from cal_bookings.client import ApiKey, CalClient, CalUnavailable, Cause
from cal_bookings.models import Account
from tests.admin.rows import page_of
from tests.client import sockets

pytestmark = pytest.mark.django_db
WORDS = "AccessKeyId=AKIA short secret"


@pytest.fixture(autouse=True)
def configured(settings):
    settings.CAL_BOOKINGS = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    return settings.CAL_BOOKINGS


def add(admin_client, url):
    """What the page says of the URL and of the rest, when an account is added."""
    data = {"alias": "ada", "base_url": url, "scope": "{}", "api_key": "cal_1"}
    response = admin_client.post(reverse("admin:cal_bookings_account_add"), data)
    assert response.status_code == 200
    assert not Account.objects.exists()
    return str(response.context["adminform"].form.errors)


REFUSED = {
    "http://cal.example.com/v2": "needs https://",
    "https://cal.example.com": "must end in /v2",
    "https://cal.example.com/v2/admin": "must end in /v2",
    "https://user:word@cal.example.com/v2": "holds a user name",
    "https://127.0.0.1/v2": "in a private network",
    "http://localhost:8000/v2": "in a private network",
    "https://app.localhost/v2": "in a private network",
    "https://[::1]/v2": "in a private network",
    "https://[::ffff:10.0.0.1]/v2": "in a private network",
    "https://169.254.169.254/latest/v2": "in a private network",
    "https://10.1.2.3/v2": "in a private network",
    "https://192.168.0.1/v2": "in a private network",
    "https://0.0.0.0/v2": "in a private network",
}


@pytest.mark.parametrize(("url", "problem"), REFUSED.items())
def test_it_is_refused_where_it_is_entered_and_where_it_is_used(
    admin_client, url, problem
):
    assert problem in add(admin_client, url)

    stored = Account.objects.create(
        alias="ada", base_url=url, credentials={"API_KEY": "cal_1"}
    )
    with pytest.raises(ImproperlyConfigured, match=problem):
        stored.connect()


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1"])
def test_a_name_that_resolves_to_a_private_address_is_refused_before_it_is_connected(
    admin_client, host
):
    """So is one that resolves to another address the second time: each connection is looked at."""
    connected: list[socket.socket] = []
    with sockets.serve(connected.append) as port:
        text = add(admin_client, f"https://{host}:{port}/v2")

    assert "has an address in a private network" in text
    assert "ALLOWED_SERVERS" in text
    assert connected == []


def test_nothing_is_sent_to_a_private_address_over_a_connection_of_another_client(cal):
    """Connections are shared by the clients of a process, but not with those that may reach everything."""
    with CalClient(cal.url, ApiKey(cal.api_key)) as client:
        client.me()
    requests = len(cal.requests)

    with (
        CalClient(cal.url, ApiKey(cal.api_key), public_only=True) as client,
        pytest.raises(CalUnavailable) as caught,
    ):
        client._http.request("POST", "/bookings", version="2024-08-13", json={})

    assert caught.value.cause is Cause.PRIVATE
    assert not caught.value.may_have_applied
    assert len(cal.requests) == requests


def test_a_list_allows_what_is_on_it_and_nothing_else(configured):
    configured["ALLOWED_SERVERS"] = ["10.1.2.3", ".example.com", "[::1]"]
    credentials = {"API_KEY": "cal_1"}
    account = Account(alias="ada", credentials=credentials)

    for host in ("10.1.2.3", "example.com", "cal.example.com", "[::1]"):
        account.base_url = f"https://{host}/v2"
        account.connect().close()
    for host in ("api.cal.com", "example.com.evil.org", "127.0.0.1"):
        account.base_url = f"https://{host}/v2"
        with pytest.raises(ImproperlyConfigured, match="does not list"):
            account.connect()


def test_while_debug_is_on_this_machine_itself_is_allowed(cal, settings):
    settings.DEBUG = True
    account = Account(
        alias="ada", base_url=cal.url, credentials={"API_KEY": cal.api_key}
    )

    with account.connect() as client:
        assert client.me()


def test_accounts_of_the_settings_may_name_any_server(cal):
    with Account.objects.configured().get().connect() as client:
        assert client.me()


ANSWERS = {
    "500": ("500 Error", "application/json", json.dumps({"message": WORDS})),
    "403": ("403 Forbidden", "application/json", json.dumps({"message": WORDS})),
    "401": (
        "401 Unauthorized",
        "application/json",
        json.dumps({"error": "invalid_token", "error_description": WORDS}),
    ),
    "404": ("404 Not Found", "application/json", json.dumps({"message": WORDS})),
    "400 text": ("400 Bad", "text/AKIA", WORDS),
    "200 text": ("200 OK", "text/AKIA", WORDS),
    "200 JSON": ("200 OK", "application/json", json.dumps({WORDS: {WORDS: 1}})),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_nothing_that_a_foreign_service_says_is_shown_or_kept(
    admin_client, configured, answer
):
    configured["ALLOWED_SERVERS"] = ["127.0.0.1"]
    status, kind, body = answer

    def handle(connection):
        sockets.read_head(connection)
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nX-Request-Id: AKIA\r\n"
        length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + length + body).encode())

    with sockets.serve(handle) as port:
        url = f"http://127.0.0.1:{port}/v2"
        texts = [add(admin_client, url)]
        stored = Account.objects.create(
            alias="eve", base_url=url, credentials={"API_KEY": "cal_1"}
        )
        # Twice: eight failures in a row pause an account, and the page says why.
        for _ in range(2):
            address = reverse("admin:cal_bookings_account_test", args=[stored.pk])
            response = admin_client.post(address)
            texts += [str(message) for message in get_messages(response.wsgi_request)]
        texts.append(admin_client.get(page_of(stored)).content.decode())

    stored.refresh_from_db()
    assert f"GET /me: {status[:3]}" in texts[0]
    for text in [*texts, stored.circuit_reason]:
        assert "AKIA" not in text
        assert "short secret" not in text


def test_a_proxy_may_stand_in_the_private_network(admin_client, monkeypatch):
    def handle(connection):
        sockets.read_head(connection)
        connection.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")

    with sockets.serve(handle) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        text = add(admin_client, "https://cal.example/v2")

    assert "the proxy answers 407" in text
    assert "private network" not in text


@pytest.mark.parametrize(
    "host",
    ["10.0.0.5\\.allowed.com", "10.0.0.5;.allowed.com", "10.0.0.5%2f.allowed.com"],
)
def test_a_host_that_the_http_client_would_end_earlier_is_refused(settings, host):
    settings.CAL_BOOKINGS = {"ALLOWED_SERVERS": [".allowed.com"]}

    assert conf.stored_base_url_problem(f"https://{host}/v2")
    assert not conf.stored_base_url_problem("https://cal.allowed.com/v2")
