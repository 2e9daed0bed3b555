"""The reading of bookings that deliveries name: each once, with its whole series, and the old half of a reschedule."""

import logging
from collections.abc import Iterable

from cal_bookings import mirror
from cal_bookings.client import CalClient
from cal_bookings.models import Account, Booking, BookingChange

logger = logging.getLogger(__name__)

_COLUMNS = (
    *("uid", "status", "recurring_booking_uid", "remote_updated_at"),
    *("missing_since", "account"),
)


def rows(account: Account, uids: Iterable[str]) -> dict[str, Booking]:
    """Return the mirrored bookings of the account, by uid, as far as deliveries are judged by them. One query."""
    found = Booking.objects.filter(account=account, uid__in=[*uids]).only(*_COLUMNS)
    return {row.uid: row for row in found}


class Reader:
    """A reader of one account's bookings, which reads no booking twice."""

    def __init__(self, account: Account, connection: CalClient) -> None:
        self._account = account
        self._connection = connection
        self._read: set[str] = set()

    def read(self, uid: str, *, trigger: str, series: str = "") -> None:
        """Mirror the booking `uid` and the rest of its series, by one or two requests.

        `series` is the booking's series, if the mirror knows it: then one request shows all occurrences. A booking that
        Cal.com does not know is marked missing. Raises the client's `CalError`s and those of the budget.
        """
        if series and series not in self._read:
            self._mirror(series, trigger)
        if uid not in self._read:
            self._mirror(uid, trigger)
        found = rows(self._account, [uid]).get(uid)
        series = found.recurring_booking_uid if found else ""
        if series and series not in self._read:
            self._mirror(series, trigger)

    def _mirror(self, uid: str, trigger: str) -> None:
        outcome = mirror.refresh(
            self._account,
            uid,
            connection=self._connection,
            source=BookingChange.Source.WEBHOOK,
            trigger=trigger,
        )
        for failure in outcome.failures:
            message = "%s: a booking that a webhook named could not be mirrored: %s"
            logger.warning(message, self._account, failure.error)
        seen = Booking.objects.filter(pk__in=outcome.booking_ids)
        self._read |= {uid, *seen.values_list("uid", flat=True)}
