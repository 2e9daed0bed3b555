"""The visitor of the demo's admin, in the way of a person's browser: sign in, open pages, press a button."""

import re
from contextlib import AbstractContextManager
from typing import Any

import requests
from django.core.management.base import CommandError
from django.urls import reverse

ANSWER_SECONDS = 30
HIDDEN = r'<input type="hidden" name="%s" value="([^"]*)"'


class Visitor(AbstractContextManager["Visitor"]):
    """A session on the site at `url`, such as http://127.0.0.1:8000. Each method raises CommandError if it fails."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.browser = requests.Session()

    def __exit__(self, *_: object) -> None:
        self.browser.close()

    def sign_in(self, username: str, password: str) -> None:
        page = self.open(self.url + reverse("admin:login"))
        form = {"username": username, "password": password}
        self._post(page, reverse("admin:login"), form)

    def open(self, address: str) -> requests.Response:
        """Open a page; its answer must be 200, without a redirect to another page."""
        return _require(200, self._ask("GET", address))

    def act(self, booking_id: int, act: str) -> None:
        """Put an action on one booking into the outbox, by the form to which the booking's page leads."""
        page = self.open(
            self.url + reverse("admin:cal_bookings_booking_change", args=[booking_id])
        )
        form = {"bookings": _hidden(page, "bookings"), "from": "page"}
        address = reverse("admin:cal_bookings_booking_act", args=[act])
        self._post(page, address, form | {"confirmed": "yes"})

    def _post(
        self, page: requests.Response, address: str, form: dict[str, str]
    ) -> None:
        """Send the form of a page; the site must accept it and redirect."""
        token = {"csrfmiddlewaretoken": _hidden(page, "csrfmiddlewaretoken")}
        _require(302, self._ask("POST", self.url + address, data=form | token))

    def _ask(self, method: str, address: str, **options: Any) -> requests.Response:
        options |= {"allow_redirects": False, "timeout": ANSWER_SECONDS}
        try:
            return self.browser.request(method, address, **options)
        except requests.RequestException as error:
            raise CommandError(
                f"{address} does not answer ({type(error).__name__})."
            ) from error


def _require(status: int, answer: requests.Response) -> requests.Response:
    if answer.status_code != status:
        raise CommandError(
            f"{answer.url} answers {answer.status_code} instead of {status}."
        )
    return answer


def _hidden(page: requests.Response, name: str) -> str:
    found = re.search(HIDDEN % name, page.text)
    if not found:
        raise CommandError(f'{page.url} has no hidden field "{name}".')
    return found[1]
