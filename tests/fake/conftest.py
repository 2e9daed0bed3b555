"""Talks to the fake Cal.com as a stranger would: over HTTP, with no code of ours."""

import pytest
import requests


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
