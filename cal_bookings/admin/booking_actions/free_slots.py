"""The free times of a booking's event type, requested from Cal.com while a person waits for the page."""

import datetime as dt

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils import timezone

from cal_bookings import budget, client
from cal_bookings.admin import (
    dates,
    visibility,
)
from cal_bookings.models import Booking

DAYS = 3  # before and after the wanted day
PATIENCE = 5  # seconds a person waits for a turn under the rate limit


class NotRead(Exception):
    """An exception whose message says why no free times can be shown."""


def around(request: HttpRequest, booking: Booking, day: dt.date) -> list[dt.datetime]:
    """Return the free times on the days around `day`, without past times. Makes one request; raises NotRead."""
    begin = max(dates.midnight(day - DAYS * dates.DAY), timezone.now())
    end = dates.midnight(day + (DAYS + 1) * dates.DAY)
    if booking.event_type_remote_id is None or end <= begin:
        return []
    account = booking.account
    account.refresh_from_db()  # loads the credential, which pages do not
    try:
        with budget.connect(
            account, priority=budget.Priority.ACTION, max_wait=PATIENCE
        ) as connection:
            slots = connection.slots().free(
                client.EventTypeIdentification(
                    event_type_id=booking.event_type_remote_id
                ),
                begin=begin,
                end=end,
                rescheduling=booking.uid,
            )
            return [slot.start for slot in slots]
    except (client.CalError, budget.NotNow, ImproperlyConfigured) as error:
        raise NotRead(visibility.explain(account, error, request)) from None
