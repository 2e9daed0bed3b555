"""The pages of a list, read around bookings that Cal.com cannot show.

One booking that Cal.com fails to write into a list makes a 500 of every page with it, at every attempt. Where a page
fails although Cal.com otherwise works, smaller pages are requested, until that booking is alone. In a list by offset
the booking is then passed. A list by cursor cannot be read any further, because only the page with the booking names
the next cursor: the list is read by offset instead, from its beginning, if the server speaks that dialect, too.
"""

from dataclasses import dataclass, replace
from typing import Any

from cal_bookings import client, conf, servers
from cal_bookings.client import CalClient, Dialect, Page, Position
from cal_bookings.models import Account
from cal_bookings.sync import failures
from cal_bookings.sync.checkpoint import Checkpoint

#: The number of unreadable bookings in a row after which the list itself is taken to fail.
MOST_IN_A_ROW = 10

#: The number of bookings that Cal.com puts on a page by default.
_USUAL = {Dialect.CURSOR: 100, Dialect.OFFSET: 250}

#: The errors of a server that does not speak a dialect.
_NOT_SPOKEN = (client.CalRefused, client.CalNotFound, client.CalUnexpected)


class DeadEnd(Exception):
    """A list by cursor cannot be read any further, because Cal.com cannot show the next booking."""

    def __init__(self, error: client.CalError) -> None:
        super().__init__(error.summary)
        self.error = error


@dataclass(frozen=True, slots=True)
class Read:
    """A page, and the errors of the bookings before it that Cal.com cannot show."""

    page: Page
    unreadable: tuple[client.CalError, ...] = ()


class Pages:
    """The reader of one walk's pages, which remembers between them that a smaller page was needed."""

    def __init__(
        self, account: Account, connection: CalClient, *, learns: bool = True
    ) -> None:
        """Take the walk's settings: with `learns`, what the pages prove about the server is saved on `account`."""
        self._account = account
        self._connection = connection
        self._learns = learns
        self._size: int | None = conf.get("PAGE_SIZE")
        #: The greatest number of bookings before the unreadable booking.
        self._ahead = 0

    def read(self, checkpoint: Checkpoint) -> Read:
        """Return the page at `checkpoint`. Raises DeadEnd, and the errors of `servers.list_bookings`."""
        is_narrow = self._ahead > 0
        try:
            page = self._ask(checkpoint, persist=not is_narrow)
        except client.CalError as error:
            if not is_of_the_page(error) or not (is_narrow or self._is_well()):
                raise
            return self._read_around(checkpoint, error)
        self._advance(len(page.payloads))
        return Read(page)

    def _read_around(self, at: Checkpoint, error: client.CalError) -> Read:
        """Return the first page that can be read, however small, at this place or after it."""
        first = at = replace(at, position=self._position(at))
        unreadable: list[client.CalError] = []
        while len(unreadable) < MOST_IN_A_ROW:
            try:
                page = self._read_smaller(at)
            except client.CalDialectChanged:  # the dialect was a guess
                return self._read_by_offset(at, error)
            if page is None:
                unreadable.append(error)
                position = self._position(at).past()
                if position is None:
                    return self._read_by_offset(at, error)
                if not self._is_well():
                    raise error
                at = replace(at, position=position)
                page = self._read_one(at)
            if page is not None:
                return self._confirmed(first, Read(page, tuple(unreadable)))
        raise error

    def _read_by_offset(self, at: Checkpoint, error: client.CalError) -> Read:
        """Begin the list again in the other dialect, which is kept for a day."""
        self._widen()
        if not self._is_well():
            raise error
        if self._account.forced_dialect:
            raise DeadEnd(error)
        begin = self._connection.first_position(Dialect.OFFSET, filters=at.filters[0])
        at = replace(at, position=begin)
        try:
            read = Read(self._ask(at))
        except _NOT_SPOKEN:
            raise DeadEnd(error) from None
        except client.CalUnavailable as failure:
            if not is_of_the_page(failure):
                raise
            read = self._read_around(at, failure)
        if self._learns:
            servers.learn(self._account, replace(read.page, unavailable=Dialect.CURSOR))
        return read

    def _read_smaller(self, at: Checkpoint) -> Page | None:
        """Halve the page until it can be read; return None if its next booking alone cannot be read."""
        smallest = self._position(at).smallest
        size = self._ahead = self._size or self._usual(at)
        while size > smallest:
            size = self._size = max(size // 2, smallest)
            page = self._try(at)
            if page is not None:
                self._advance(len(page.payloads))
                return page
        return None

    def _read_one(self, at: Checkpoint) -> Page | None:
        """Return a page of the next booking alone: bookings that Cal.com cannot show often stand together."""
        self._size = self._position(at).smallest
        page = self._try(at)
        if page is not None:
            self._widen()
        return page

    def _confirmed(self, first: Checkpoint, read: Read) -> Read:
        """Repeat the failed request, now that Cal.com responds; return the page instead if it can be read."""
        if not read.unreadable:
            return read
        size, self._size = self._size, self._position(first).smallest
        page = self._try(first)
        self._size = size
        return Read(page) if page else read

    def _try(self, at: Checkpoint) -> Page | None:
        """Return the page, or None if Cal.com cannot show it. The request was just repeated, and is made only once."""
        try:
            return self._ask(at, persist=False)
        except client.CalError as error:
            if not is_of_the_page(error):
                raise
            return None

    def _ask(self, at: Checkpoint, *, persist: bool = True) -> Page:
        return servers.list_bookings(
            self._account,
            self._connection,
            at.position,
            filters=at.filters[0],
            page_size=self._size,
            persist=persist,
            learns=self._learns,
        )

    def _position(self, at: Checkpoint) -> Position:
        """Return the position of `at`; for the first page of a list, which has none, make a position."""
        if at.position:
            return at.position
        usual = (
            Dialect.CURSOR if self._connection.scope.has_cursor_list else Dialect.OFFSET
        )
        dialect = self._account.forced_dialect or self._account.dialect or usual
        return self._connection.first_position(Dialect(dialect), filters=at.filters[0])

    def _usual(self, at: Checkpoint) -> int:
        return _USUAL[self._position(at).dialect]

    def _advance(self, bookings: int) -> None:
        """Return to the usual page size after the end of the page that failed."""
        if self._ahead:
            self._ahead -= bookings
            if self._ahead <= 0:
                self._widen()

    def _widen(self) -> None:
        self._size, self._ahead = conf.get("PAGE_SIZE"), 0

    def _is_well(self) -> bool:
        """Return whether Cal.com responds to another request: then this page fails, and not the server.

        A refusal is a response, too: a token without the scope for profiles gets a 403. Raises CalRateLimited.
        """
        try:
            self._connection.me()
        except client.CalRateLimited:
            raise
        except failures.REFUSALS:
            return True
        except client.CalError:
            return False
        return True


def is_of_the_page(error: client.CalError) -> bool:
    """Return whether the page itself may be at fault: Cal.com fails with a 500, or sends unreadable JSON."""
    return isinstance(error, client.CalUnavailable) and error.status in (200, 500)


def was_never_updated(payload: Any) -> bool:
    """Return whether a booking was listed without a time of update."""
    return isinstance(payload, dict) and payload.get("updatedAt") is None
