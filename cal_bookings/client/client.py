"""The reading half of Cal.com's API v2: pages of bookings, one booking, who we are; and the way to the writing half."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from .actions import BookingActions
from .credentials import Credential
from .dialects import LIST_VERSION, Dialect, UnexpectedAnswer, describe, recognise
from .errors import CalDialectChanged, CalError, CalUnauthorized, CalUnexpected
from .filters import Filters, Scope, check_filters, walk_fingerprint
from .http import MAX_BYTES, Answer, Http
from .instants import read_instant, write_instant
from .positions import FIRST_PLACE, OtherWalk, Place, Position
from .rate_limit import RateLimit

# Matched per endpoint by the server: another resource's version answers 404 [rec 126].
BOOKING_VERSION = "2024-08-13"
EVENT_TYPES_VERSION = "2024-06-14"
SLOTS_VERSION = "2024-09-04"
ME_VERSION = "2024-08-13"  # any will do [rec 360]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list of bookings, and where the next one is."""

    #: As sent, malformed ones included.
    payloads: list[Any]
    #: None after the last page.
    next: Position | None
    dialect: Dialect
    api_version: str
    #: By our clock, before the request.
    asked_at: datetime
    #: By the server's clock.
    answered_at: datetime | None
    #: How many bookings the list has, if the server says so and can be trusted.
    total: int | None
    #: HTTP requests this page took, with retries and the search for the dialect.
    requests: int


class CalClient:
    """One Cal.com, one credential. Not to be shared between threads."""

    def __init__(
        self,
        base_url: str,
        credential: Credential,
        *,
        scope: Scope | None = None,
        timeout: tuple[float, float] = (5, 30),
        max_bytes: int = MAX_BYTES,
        before_request: Callable[[], None] | None = None,
        on_answer: Callable[[RateLimit | None, int], None] | None = None,
        on_error: Callable[[CalError], None] | None = None,
        renew: Callable[[CalUnauthorized], Credential] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeout` is to connect and between two bytes, in seconds; a whole answer has four times the latter.

        The hooks are called for each HTTP request, retries too. `before_request` may wait for
        its turn, or raise; `on_answer` learns the rate limit and the status of every answer;
        `on_error` what the answer, or its absence, means if it is not what was asked for.

        With `renew`, a request whose credential is refused is repeated once, with the
        credential that `renew` gives; `on_error` learns only of the second refusal.
        """
        self.scope = scope or Scope()
        self.credential = credential
        self._http = Http(
            base_url,
            credential,
            timeout=timeout,
            max_bytes=max_bytes,
            before_request=before_request,
            on_answer=on_answer,
            on_error=on_error,
            renew=renew,
            sleep=sleep,
        )

    def __repr__(self) -> str:
        return f"CalClient({self._http.base_url!r}, {self.credential!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    @property
    def requests(self) -> int:
        """HTTP requests so far, retries and failures included."""
        return self._http.requests

    @property
    def rate_limit(self) -> RateLimit | None:
        """What the server said last."""
        return self._http.rate_limit

    def list_bookings(
        self,
        position: Position | None = None,
        *,
        filters: Filters | None = None,
        dialect: Dialect | None = None,
        page_size: int | None = None,
    ) -> Page:
        """The page at a position, which is that of a `next`; without one the first page.

        `dialect` is what an earlier walk found. A first page finds it out, and again if it
        has changed; later pages raise CalDialectChanged then. Raises OtherWalk, a ValueError, for
        a position of another scope or of other filters.
        """
        filters = filters or Filters()
        check_filters(self.scope, filters)
        listing = _Listing(self._http, self.scope, filters, page_size)
        if position is not None:
            return listing.page(position)
        return listing.first_page(dialect)

    def get_booking(self, uid: str) -> list[dict[str, Any]]:
        """The booking; for the uid of a recurring booking all its occurrences."""
        answer = self._http.request(
            "GET", "/bookings/{uid}", version=BOOKING_VERSION, parts={"uid": uid}
        )
        found = _content(answer)
        bookings = found if isinstance(found, list) else [found]
        if not bookings or not all(_is_booking(booking) for booking in bookings):
            raise _unexpected(
                answer, "a booking or a list of bookings, each with its uid"
            )
        return bookings

    def actions(self, dialect: Dialect) -> BookingActions:
        """What can be done to bookings, in the version of the server that lists in this dialect."""
        return BookingActions(self._http, dialect)

    def me(self) -> dict[str, Any]:
        """The user whom the credential belongs to."""
        answer = self._http.request("GET", "/me", version=ME_VERSION)
        user = _content(answer)
        if not isinstance(user, dict):
            raise _unexpected(answer, "an object as data")
        return user

    def event_types(self) -> list[dict[str, Any]]:
        """The user's own event types."""
        answer = self._http.request("GET", "/event-types", version=EVENT_TYPES_VERSION)
        types = _content(answer)
        if not isinstance(types, list) or not all(
            isinstance(one, dict) for one in types
        ):
            raise _unexpected(answer, "a list of objects as data")
        return types

    def slots(
        self,
        event_type_id: int,
        *,
        begin: datetime,
        end: datetime,
        rescheduling: str = "",
    ) -> list[datetime]:
        """The free times of an event type within these two, in order, in UTC.

        `rescheduling` is the uid of the booking that is to move: its own time counts as free.
        """
        asked = {
            "eventTypeId": str(event_type_id),
            "start": write_instant(begin),
            "end": write_instant(end),
        }
        if rescheduling:
            asked["bookingUidToReschedule"] = rescheduling
        answer = self._http.request(
            "GET", "/slots", version=SLOTS_VERSION, params=asked
        )
        days = _content(answer)
        if not isinstance(days, dict):
            raise _unexpected(answer, "an object of days as data")
        moments = [
            read_instant(slot.get("start")) if isinstance(slot, dict) else None
            for day in days.values()
            for slot in (day if isinstance(day, list) else [None])
        ]
        if None in moments:
            raise _unexpected(answer, "days with a list of slots, each with its start")
        return sorted(moment for moment in moments if moment)


class _Listing:
    """One list with its filters, asked for in either dialect."""

    def __init__(
        self, http: Http, scope: Scope, filters: Filters, page_size: int | None
    ) -> None:
        self._http = http
        self._scope = scope
        self._filters = filters
        self._page_size = page_size
        self._walk = walk_fingerprint(scope, filters)
        self._asked_at = datetime.now(UTC)
        self._requests_before = http.requests

    def page(self, position: Position) -> Page:
        if position.walk != self._walk:
            raise OtherWalk
        page = self._ask(position.place)
        if isinstance(page, Answer):
            raise _other_dialect(page, position.dialect, CalDialectChanged)
        return page

    def first_page(self, known: Dialect | None) -> Page:
        *earlier, last = self._candidates(known)
        for dialect in earlier:
            page = self._try_first_page(dialect, known)
            if page is not None:
                return page
        answer = self._ask(FIRST_PLACE[last])
        if isinstance(answer, Answer):
            raise _other_dialect(answer, last, CalUnexpected)
        return answer

    def _candidates(self, known: Dialect | None) -> list[Dialect]:
        if not self._scope.has_cursor_list:
            return [Dialect.OFFSET]
        if known is Dialect.OFFSET:
            return [Dialect.OFFSET, Dialect.CURSOR]
        return [Dialect.CURSOR, Dialect.OFFSET]

    def _try_first_page(self, dialect: Dialect, known: Dialect | None) -> Page | None:
        try:
            page = self._ask(FIRST_PLACE[dialect])
        except CalError as error:
            # A server without this version may also refuse its parameters or the route.
            # Whether they are at fault shows when the other dialect is refused as well.
            if known is None and error.status in (400, 404):
                return None
            raise
        return None if isinstance(page, Answer) else page

    def _ask(self, place: Place) -> Page | Answer:
        """The page there; the bare answer if it is in another dialect."""
        answer = self._http.request(
            "GET",
            self._scope.path,
            version=LIST_VERSION[place.dialect],
            parts=self._scope.parts,
            params=self._filters.params() | place.query(self._page_size),
        )
        try:
            if recognise(answer.body) is not place.dialect:
                return answer
            following = place.following(
                answer.body, self._page_size, is_counted=not self._filters.by_change
            )
        except UnexpectedAnswer as problem:
            raise _from(answer, problem) from None
        return self._page(answer, place, following)

    def _page(self, answer: Answer, place: Place, following: Place | None) -> Page:
        return Page(
            payloads=place.fresh(answer.body["data"]),
            next=None if following is None else Position(following, self._walk),
            dialect=place.dialect,
            api_version=LIST_VERSION[place.dialect],
            asked_at=self._asked_at,
            answered_at=answer.answered_at,
            total=self._total(answer.body["pagination"]),
            requests=self._http.requests - self._requests_before,
        )

    def _total(self, pagination: dict[str, Any]) -> int | None:
        # The count leaves out the filters on created and updated [rec 391-395].
        total = None if self._filters.by_change else pagination.get("totalItems")
        return total if type(total) is int else None


def _content(answer: Answer) -> Any:
    return answer.body.get("data") if isinstance(answer.body, dict) else None


def _is_booking(payload: Any) -> bool:
    return isinstance(payload, dict) and isinstance(payload.get("uid"), str)


def _other_dialect(
    answer: Answer, dialect: Dialect, kind: type[CalUnexpected]
) -> CalUnexpected:
    return _unexpected(answer, f"a page in the {dialect} dialect", kind)


def _unexpected(
    answer: Answer, expected: str, kind: type[CalUnexpected] = CalUnexpected
) -> CalUnexpected:
    message = f"expected {expected}, got {describe(answer.body)}"
    return _from(answer, UnexpectedAnswer(message), kind)


def _from(
    answer: Answer,
    problem: UnexpectedAnswer,
    kind: type[CalUnexpected] = CalUnexpected,
) -> CalUnexpected:
    call = answer.call
    return kind(
        f"{problem} (from {call.url})",
        method=call.method,
        path=call.path,
        status=answer.status,
        request_id=answer.request_id,
    )
