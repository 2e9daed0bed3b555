"""Whatever arrives at the receiver's address: one of six answers, nothing stored of the unsigned, no exception, flat memory."""

import gc
import json
import logging
import tracemalloc
from random import Random
from typing import Any

import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from cal_bookings.client import sign
from cal_bookings.models import WebhookDelivery
from cal_bookings.webhooks import refusals, views
from tests.webhooks.recorded import DELIVERIES, SECRET

# The connection is closed after each request, as on a server.
pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS = {200, 401, 404, 405, 413, 503}
METHODS = ("POST", "POST", "POST", "POST", "POST", "HEAD", "GET", "PUT", "PATCH")
NAMES = ("X-Cal-Signature-256", "X-Cal-Webhook-Version", "Content-Type", "X-Other")
VALUES = (
    "",
    "no-secret-provided",
    "é",
    "a,b",
    "0" * 64,
    "application/json",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "2021-10-20",
    "\x7f" * 300,
)
LENGTHS = (None, None, None, None, "", "0", "-1", "abc", "999999999999", "3")


def some_body(rng: Random) -> bytes:
    recorded = rng.choice(DELIVERIES).body
    match rng.randrange(6):
        case 0:
            return recorded
        case 1:
            return rng.randbytes(rng.randrange(200))
        case 2:
            cut = rng.randrange(len(recorded))
            return recorded[:cut] + rng.randbytes(3) + recorded[cut:]
        case 3:
            return recorded[: rng.randrange(len(recorded))]
        case 4:
            return json.dumps(some_json(rng, 4)).encode()
        case _:
            trigger = rng.choice(("BOOKING_CREATED", "MEETING_ENDED", "", 7, None))
            content = {"triggerEvent": trigger, "payload": some_json(rng, 3)}
            content |= {"createdAt": some_json(rng, 0), "uid": some_json(rng, 1)}
            return json.dumps(content).encode()


def some_json(rng: Random, depth: int):
    if depth and rng.random() < 0.7:
        keys = ("uid", "bookingUid", "booking", "metadata", "rescheduleUid", "x")
        if rng.random() < 0.7:
            return {rng.choice(keys): some_json(rng, depth - 1) for _ in range(3)}
        return [some_json(rng, depth - 1) for _ in range(2)]
    texts = ("", "one", "a\0b", "\ud800", "u" * 300, "2026-11-20T19:51:20.097Z")
    return rng.choice((*texts, None, True, 7, -1e300, 10**30))


class Fuzz:
    def __init__(self, sender, seed: int) -> None:
        self.sender, self.rng = sender, Random(seed)
        self.accepted: set[bytes] = set()
        # As a server calls it: Django's test client keeps something of each request.
        self.site = WSGIHandler()

    def serve(self, environ: dict[str, Any]) -> int:
        statuses: list[str] = []

        def start(status: str, *_headers: Any) -> Any:
            statuses.append(status)

        answer = self.site(environ, start)
        answer.close()
        return int(statuses[0].split()[0])

    def send(self) -> None:
        rng, body = self.rng, some_body(self.rng)
        is_signed = rng.random() < 0.3
        headers = {
            rng.choice(NAMES): rng.choice(VALUES) for _ in range(rng.randrange(4))
        }
        if is_signed:
            headers["X-Cal-Signature-256"] = sign(body, SECRET)
        path = self.sender.path if rng.random() < 0.95 else "/cal/webhooks/unknown/"
        length, method = rng.choice(LENGTHS), rng.choice(METHODS)
        if length == "3" and len(body) < 3:
            length = None  # Django's test client, unlike a server, has no stream that ends early
        more: dict[str, Any] = {} if length is None else {"CONTENT_LENGTH": length}
        kind = headers.pop("Content-Type", "application/json")
        request = RequestFactory().generic(
            method, path, body, content_type=kind, headers=headers, **more
        )
        status = self.serve(request.environ)
        assert status in ANSWERS, (method, path, headers, body)
        if status == 200 and method == "POST":
            assert is_signed
            self.accepted.add(body)


def run(sender, count: int, *, seed: int) -> None:
    fuzz = Fuzz(sender, seed)
    tracemalloc.start()
    for _ in range(count // 2):
        fuzz.send()
    before, known = memory(), sum(map(len, fuzz.accepted))
    for _ in range(count // 2):
        fuzz.send()
    grown = memory() - before
    tracemalloc.stop()

    assert WebhookDelivery.objects.count() == len(fuzz.accepted)
    assert len(fuzz.accepted) > count / 20
    # The bodies that this test itself remembers, and nothing of that size besides.
    remembered = sum(map(len, fuzz.accepted)) - known
    assert grown < 2 * remembered + 1_000_000


def memory() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


class Exceptions(logging.Filter):
    """Keeps what is logged with an exception, and lets nothing through to pytest, which would keep every request."""

    found: logging.LogRecord | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            self.found = record
        return False


@pytest.fixture
def no_exception():
    exceptions = Exceptions()
    names = ("django.request", "django.security", views.__name__, refusals.__name__)
    loggers = [logging.getLogger(name) for name in names]
    for each in loggers:
        each.addFilter(exceptions)
    yield
    for each in loggers:
        each.removeFilter(exceptions)
    assert exceptions.found is None


@pytest.mark.usefixtures("no_exception")
def test_a_thousand_bodies_and_header_sets(sender):
    cache.clear()
    run(sender, 1_000, seed=1)


@pytest.mark.slow
@pytest.mark.usefixtures("no_exception")
def test_fifty_thousand_bodies_and_header_sets(sender):
    cache.clear()
    run(sender, 50_000, seed=2)
