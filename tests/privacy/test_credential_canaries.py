"""A server that sends each credential back: it is in no log, no output, no row and no page."""

import io
import json
import logging
import re
from contextlib import suppress
from datetime import timedelta
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib.messages import get_messages
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from cal_bookings import mirror, outbox
from cal_bookings.models import Account, Booking, BookingAction, BookingChange, SyncRun
from tests.admin.rows import page_of
from tests.builders import booking_payload
from tests.client import sockets

pytestmark = pytest.mark.django_db(transaction=True)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLW9mLWFsbA"
CANARIES = {
    "short": {"API_KEY": "cal_k3y"},
    "letters": {"API_KEY": "cal_abcdefghijklmnopqrstuvwx"},
    "jwt": {"ACCESS_TOKEN": JWT},
    "dots": {"API_KEY": "canary.yellow.feathers"},
    "oauth": {
        "ACCESS_TOKEN": "canary-access",
        "REFRESH_TOKEN": "canary-refresh/+",
        "CLIENT_ID": "client",
        "CLIENT_SECRET": "hush-hush-canary",
    },
    "live": {"API_KEY": "cal_live_0123456789abcdef0123456789abcdef"},
    "client": {"CLIENT_ID": "client", "CLIENT_SECRET": "s3cret_of_client"},
}
SECRETS = [
    value
    for credentials in CANARIES.values()
    for name, value in credentials.items()
    if name != "CLIENT_ID"
]


def leaks(text):
    """Which secrets, or pieces of them, are in the text."""
    forms = {
        form
        for secret in SECRETS
        for form in (secret, quote(secret, safe=""), *secret.split("."))
    }
    return sorted(form for form in forms if form in text)


def echo(status, code):
    """Sends back what it was sent: the credential of the head, and those of the body."""

    def handle(connection):
        head = sockets.read_head(connection)
        body = head.partition(b"\r\n\r\n")[2]
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        while length and len(body) < int(length[1]):
            body += connection.recv(4096)
        sent = re.findall(rb"(?:Bearer|x-cal-secret-key:) (\S+)", head, re.IGNORECASE)
        token = b" ".join(sent).decode()
        said = f"no oAuth client found for access token={token} in {body.decode()}"
        answer = json.dumps(
            {"status": "error", "error": {"code": code, "message": said}}
        )
        lines = f"Content-Length: {len(answer)}\r\nX-Request-Id: {token}\r\n"
        lines += "Content-Type: application/json\r\nConnection: close\r\n\r\n"
        connection.sendall(f"HTTP/1.1 {status} X\r\n{lines}{answer}".encode())

    return handle


@pytest.fixture(
    params=[
        (403, "ForbiddenException"),
        (401, "UnauthorizedException"),
        (400, "BadRequestException"),
        (498, "TokenExpiredException"),
    ],
    ids=lambda param: str(param[0]),
)
def accounts(request, settings):
    settings.CAL_BOOKINGS = {
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
        "ALLOWED_SERVERS": ["127.0.0.1"],
    }
    with sockets.serve(echo(*request.param)) as port:
        yield [
            Account.objects.create(
                alias=alias,
                base_url=f"http://127.0.0.1:{port}/v2",
                credentials=credentials,
                dialect="cursor",
            )
            for alias, credentials in CANARIES.items()
        ]


def act(account):
    """Asks for a cancellation of a booking that is mirrored."""
    mirror.upsert(
        account,
        [booking_payload(f"uid-of-{account.alias}", start=timezone.now())],
        asked_at=timezone.now(),
        api_version="2024-08-13",
        source=BookingChange.Source.WALK,
    )
    booking = Booking.objects.get(account=account)
    Booking.objects.filter(pk=booking.pk).update(
        start=timezone.now() + timedelta(days=1),
        end=timezone.now() + timedelta(days=1, minutes=30),
    )
    booking.refresh_from_db()
    outbox.cancel(booking, reason="Rain.")


def run(command, **options):
    out = io.StringIO()
    with suppress(SystemExit):
        call_command(command, stdout=out, stderr=out, **options)
    return out.getvalue()


def rows():
    """Each value of each column of the app, as text."""
    for model in apps.get_app_config("cal_bookings").get_models():
        yield from (
            f"{model.__name__} {row}" for row in model._default_manager.values()
        )


def pages(client, accounts):
    """What staff see of it: accounts, overview, runs, actions, and the answers to the buttons."""
    names = [
        "account_changelist",
        "overview",
        "syncrun_changelist",
        "bookingaction_changelist",
    ]
    addresses = [reverse(f"admin:cal_bookings_{name}") for name in names]
    addresses += map(
        page_of, [*accounts, *SyncRun.objects.all(), *BookingAction.objects.all()]
    )
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200
        yield response.content.decode()
    for account in accounts:
        response = client.post(
            reverse("admin:cal_bookings_account_test", args=[account.pk])
        )
        yield " ".join(map(str, get_messages(response.wsgi_request)))
        replace = reverse("admin:cal_bookings_account_replace_key", args=[account.pk])
        [key] = [v for k, v in CANARIES[account.alias].items() if k != "CLIENT_ID"][:1]
        yield client.post(replace, {"api_key": key}).content.decode()


def test_a_credential_that_the_server_sends_back_is_seen_nowhere(
    admin_client, accounts, caplog
):
    caplog.set_level(logging.DEBUG)
    for account in accounts:
        act(account)

    outputs = [run("cal_sync"), run("cal_sync", json=True, force=True)]
    outputs += [run("cal_push"), run("cal_push", json=True)]
    shown = list(pages(admin_client, accounts))

    assert SyncRun.objects.exclude(error="").exists()
    assert all(outputs[:2])
    for text in [*outputs, *shown, *rows(), caplog.text]:
        assert leaks(text) == [], text
