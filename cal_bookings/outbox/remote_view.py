"""The state of a booking on Cal.com before and after an action."""

import time
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from cal_bookings import client, servers
from cal_bookings.client import (
    CalClient,
    CalNotFound,
    Filters,
    RemoteBooking,
    parse_booking,
)
from cal_bookings.models import Account, EventType

#: The greatest number of pages that a search reads of one day's bookings: 2,000 bookings on hosted Cal.com, 5,000 on
#: others.
PAGES = 20
#: The errors that mean that this credential may not read the event types, or that this server does not list them.
_NOT_SHOWN = (
    client.CalForbidden,
    client.CalNotFound,
    client.CalRefused,
    client.CalUnexpected,
)


class RemoteView:
    """The current state on Cal.com. Each part is read once, when it is first needed, and can be mirrored."""

    def __init__(
        self,
        account: Account,
        connection: CalClient,
        uid: str,
        announced_uid: str = "",
    ) -> None:
        """Take a `uid` that is empty for a booking that does not exist yet, or whose uid is not known yet.

        `announced_uid` is the uid of a booking that a webhook announced with the mark of the action.
        """
        self.uid = uid
        self._announced_uid = announced_uid
        self.asked_at = timezone.now()
        self._account = account
        self._note_time()
        self._connection = connection
        self._read: dict[str, list[RemoteBooking]] = {}
        self._attendees: list[dict[str, Any]] | None = None
        self._event_types: list[dict[str, Any]] | None = None
        #: The payloads as Cal.com sent them, in the version of `client.BOOKING_VERSION` or a version of the same shape.
        self.payloads: dict[str, dict[str, Any]] = {}

    @property
    def age(self) -> float:
        """Return the seconds since Cal.com last answered, by the monotonic or the wall clock, whichever shows more.

        Only the wall clock goes on while a machine sleeps.
        """
        by_the_wall = (timezone.now() - self._answered_at).total_seconds()
        return max(time.monotonic() - self._answered, by_the_wall)

    @property
    def _is_anonymous(self) -> bool:
        return isinstance(self._connection.credential, client.Anonymous)

    def _note_time(self) -> None:
        self._answered, self._answered_at = time.monotonic(), timezone.now()

    @property
    def booking(self) -> RemoteBooking:
        """Return the booking itself, and read it if it was not read yet; raise CalNotFound if it does not exist."""
        return self._get(self.uid)[0]

    def read(self) -> None:
        """Read the booking itself, for the mirror; raise CalNotFound if it does not exist."""
        self._get(self.uid)

    def other(self, uid: str) -> RemoteBooking | None:
        """Return another booking; None if it does not exist."""
        try:
            return self._get(uid)[0]
        except CalNotFound:
            return None

    def announced(self) -> list[RemoteBooking]:
        """Return the booking that a webhook announced, if it is there."""
        booking = self.other(self._announced_uid) if self._announced_uid else None
        return [booking] if booking else []

    def series(self) -> list[RemoteBooking]:
        """Return all occurrences of the series that the booking belongs to."""
        return self.all_of(self.booking.recurring_booking_uid)

    def all_of(self, series: str) -> list[RemoteBooking]:
        """Return all occurrences of a series."""
        return self._get(series)

    def attendees(self) -> list[dict[str, Any]]:
        """Return the attendees with their numbers."""
        if self._attendees is None:
            self._attendees = self._connection.attendees(self.uid)
            self._note_time()
        return self._attendees

    def event_type(self, remote_id: int) -> dict[str, Any]:
        """Return an event type of the account's own, from the mirror or else from Cal.com; empty if it is not there."""
        rows = EventType.objects.filter(account=self._account, remote_id=remote_id)
        mirrored = rows.values_list("payload", flat=True).first()
        if mirrored:
            return dict(mirrored)
        if self._is_anonymous:
            return {}
        if self._event_types is None:
            self._event_types = self._own_event_types()
        own = (
            event_type
            for event_type in self._event_types
            if event_type.get("id") == remote_id
        )
        return next(own, {})

    def _own_event_types(self) -> list[dict[str, Any]]:
        try:
            return self._connection.event_types()
        except _NOT_SHOWN:
            return []

    def starting_at(self, start: datetime) -> list[RemoteBooking]:
        """Return the bookings of the account that start at this time and last for less than a day.

        For an account without a credential, to which Cal.com shows no list, return none. Raises CalUnexpected rather
        than overlook a booking among too many.
        """
        if self._is_anonymous:
            return []
        filters = Filters(after_start=start, before_end=start + timedelta(days=1))
        bookings, position = [], None
        for _ in range(PAGES):
            page = servers.list_bookings(
                self._account, self._connection, position, filters=filters
            )
            self._note_time()
            bookings += [self._keep(payload) for payload in page.payloads]
            position = page.next
            if position is None:
                return [
                    booking
                    for booking in bookings
                    if booking and booking.start == start
                ]
        raise client.CalUnexpected(
            f"more than {PAGES} pages of bookings on one day: too many to look for one among them"
        )

    def _get(self, uid: str) -> list[RemoteBooking]:
        if uid not in self._read:
            payloads = self._connection.get_booking(uid)
            self._note_time()
            kept = [self._keep(payload) for payload in payloads]
            self._read[uid] = [booking for booking in kept if booking is not None]
            if not self._read[uid]:
                raise client.CalUnexpected("expected a booking, got one without start")
        return self._read[uid]

    def _keep(self, payload: dict[str, Any]) -> RemoteBooking | None:
        try:
            remote = parse_booking(payload)
        except client.InvalidBooking:
            return None
        self.payloads[remote.uid] = payload
        return remote
