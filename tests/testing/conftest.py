"""Talks to the fake Cal.com as a stranger would: over HTTP, with no code of ours."""

from datetime import timedelta

import pytest
import requests

from tests.testing.receiver import Receiver

SECRET = "whsec_test"
SELF_HOSTED = pytest.mark.cal(dialect="offset")


class Caller:
    """Requests with the key and a version, unless told otherwise."""

    def __init__(self, cal):
        self.cal = cal

    def __call__(self, path, *, version="2024-08-13", key=None, **params):
        headers = {"cal-api-version": version} if version else {}
        key = self.cal.api_key if key is None else key
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return requests.get(
            self.cal.url + path, params=params, headers=headers, timeout=10
        )


@pytest.fixture
def get(cal):
    return Caller(cal)


@pytest.fixture
def post(cal):
    def post(path, body=None, *, version="2024-08-13", key=None, method="POST"):
        headers = {"cal-api-version": version} if version else {}
        key = cal.api_key if key is None else key
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return requests.request(
            method, cal.url + path, json=body, headers=headers, timeout=10
        )

    return post


@pytest.fixture
def refused(post):
    """The status and the text of a refusal, in or without its envelope."""

    def refused(path, body=None, **options):
        answer = post(path, body, **options)
        body = answer.json()
        return answer.status_code, body.get("error", body)["message"]

    return refused


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def hook(cal, receiver):
    """A subscription of the first user to everything."""
    return cal.webhooks.subscribe(receiver.url, secret=SECRET)


def kinds(cal):
    """What was done because a request asked for it."""
    return [effect.kind for effect in cal.effects]


def soon(cal, hours=30):
    moment = cal.clock.now() + timedelta(hours=hours)
    return moment.replace(minute=0, second=0, microsecond=0).isoformat()


def creation(cal, event_type="normal", **fields):
    """The body of a request to create a booking."""
    return {
        "start": soon(cal),
        "eventTypeId": cal.event_type(cal.users[1], event_type).id,
        "attendee": {
            "name": "Zoë",
            "email": "zoe@example.net",
            "timeZone": "Asia/Tokyo",
        },
    } | fields
