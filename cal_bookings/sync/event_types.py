"""The event types, mirrored with each full walk, because bookings name an event type by its id and slug alone."""

import logging

from django.utils import timezone

from cal_bookings import client, mirror
from cal_bookings.client import CalClient
from cal_bookings.models import Account
from cal_bookings.sync import failures

logger = logging.getLogger(__name__)


def mirror_event_types(account: Account, connection: CalClient) -> mirror.Outcome:
    """Mirror the account's event types with one request, and return the outcome.

    Bookings do not depend on them: an answer that is no list of event types is logged, and the outcome is empty. Raises
    the other `CalError`s, which the list of bookings would meet as well.
    """
    asked_at = timezone.now()
    try:
        payloads = connection.event_types()
    except client.CalError as error:
        if not failures.is_alone(error):
            raise
        logger.warning("%s: event types could not be mirrored: %s", account, error)
        return mirror.Outcome()
    return mirror.upsert_event_types(account, payloads, asked_at=asked_at)
