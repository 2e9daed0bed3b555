"""The trial delivery through the public address of the site, on the way of Cal.com's deliveries."""

from __future__ import annotations

import requests
from urllib3.exceptions import HTTPError

from cal_bookings import __version__
from cal_bookings.client.causes import cause_of
from cal_bookings.client.errors import CalUnavailable
from cal_bookings.client.webhook_signatures import VERSION_HEADER, sign
from cal_bookings.client.webhooks import PAYLOAD_VERSION


def deliver_trial(
    url: str,
    body: bytes,
    *,
    secret: str,
    signature_header: str,
    timeout: tuple[float, float],
) -> int:
    """Post a signed `body` to `url` and return the status of the answer. Redirects are not followed.

    `timeout` is for connecting and between two bytes, in seconds. Raises CalUnavailable, with its cause, if no answer
    comes.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"django-cal-bookings/{__version__}",
        VERSION_HEADER: PAYLOAD_VERSION,
        signature_header: sign(body, secret),
    }
    try:
        with requests.post(
            url,
            data=body,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as response:
            return response.status_code
    except (requests.RequestException, HTTPError) as error:
        cause, what = cause_of(error)
    # This is outside the except block: requests' own error prints the address, which is a secret.
    raise CalUnavailable(f"no answer from this site: {what}", cause=cause)
