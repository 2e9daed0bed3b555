"""A list of bookings, page by page, in the dialect that the server speaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cal_bookings.client.dialects import (
    LIST_VERSION,
    Dialect,
    Server,
    UnexpectedAnswer,
    describe,
    recognise,
)
from cal_bookings.client.errors import (
    CalDialectChanged,
    CalError,
    CalUnavailable,
    CalUnexpected,
)
from cal_bookings.client.filters import (
    Filters,
    Scope,
    walk_fingerprint,
)
from cal_bookings.client.positions import (
    FIRST_PLACE,
    OtherWalk,
    Place,
    Position,
)
from cal_bookings.client.transport import (
    RETRIES,
    Answer,
    Http,
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list of bookings, and the position of the next page."""

    #: The payloads as sent, malformed ones included.
    payloads: list[Any]
    #: The position of the next page; None after the last one.
    next: Position | None
    dialect: Dialect
    api_version: str
    #: The time before the request, by our clock.
    asked_at: datetime
    #: The time of the answer, by the server's clock.
    answered_at: datetime | None
    #: The number of bookings in the list, if the server gives it and it can be trusted.
    total: int | None
    #: The number of HTTP requests for this page, with retries and the search for the dialect.
    requests: int
    #: The kind of server, if this page or the search for its dialect has proved it.
    server: Server | None = None
    #: The dialect that was requested first and was not available.
    unavailable: Dialect | None = None


class BookingList:
    """One list with its filters, which can be requested in either dialect."""

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

    def page(
        self, position: Position, forced: Dialect | None, *, retries: int = RETRIES
    ) -> Page:
        if position.walk != self._walk or position.dialect is not (
            forced or position.dialect
        ):
            raise OtherWalk
        page = self._ask(position.place, retries)
        if isinstance(page, Answer):
            raise _other_dialect(page, position.dialect, CalDialectChanged)
        return page

    def first_page(self, known: Dialect | None, forced: Dialect | None) -> Page:
        """Request the first page in each dialect that the server may speak; raises the last error if none works."""
        dialects = [self._prescribed(forced)] if forced else self._candidates(known)
        if len(dialects) == 1:
            return self._first(dialects[0])
        failures: dict[Dialect, CalError] = {}
        for dialect in dialects:
            try:
                page = self._first(dialect, retries=0)
            except CalError as error:
                if not _may_speak_the_other(error, known):
                    raise
                failures[dialect] = error
            else:
                return replace(page, **_learnt(page, failures))
        for dialect in dialects:
            if isinstance(failures[dialect], CalUnavailable):
                return self._first(dialect)
        raise failures[dialects[-1]]

    def _prescribed(self, forced: Dialect) -> Dialect:
        if forced is Dialect.CURSOR and self._filters.needs_offset_list:
            raise ValueError(
                f"The list version {LIST_VERSION[forced]} takes one status and no order: ask for each status, or do "
                "not prescribe that version"
            )
        return forced

    def _candidates(self, known: Dialect | None) -> list[Dialect]:
        if not self._scope.has_cursor_list or self._filters.needs_offset_list:
            return [Dialect.OFFSET]
        if known is Dialect.OFFSET:
            return [Dialect.OFFSET, Dialect.CURSOR]
        return [Dialect.CURSOR, Dialect.OFFSET]

    def _first(self, dialect: Dialect, *, retries: int = RETRIES) -> Page:
        page = self._ask(FIRST_PLACE[dialect], retries)
        if isinstance(page, Answer):
            raise _other_dialect(page, dialect, _OtherShape)
        return page

    def _ask(self, place: Place, retries: int = RETRIES) -> Page | Answer:
        """Return the page at a position; the bare answer if it is in another dialect."""
        answer = self._http.request(
            "GET",
            self._scope.path,
            version=LIST_VERSION[place.dialect],
            parts=self._scope.parts,
            params=self._query(place),
            retries=retries,
        )
        try:
            if recognise(answer.body) is not place.dialect:
                return answer
            following = place.following(
                answer.body,
                self._page_size,
                is_counted=not self._filters.by_change,
                by_creation=self._filters.is_by_creation,
            )
        except UnexpectedAnswer as problem:
            raise _from(answer, problem) from None
        return self._page(answer, place, following)

    def _query(self, place: Place) -> dict[str, str]:
        query = place.query(self._page_size)
        if self._filters.sort:
            query.pop("sortCreated", None)
        return query | self._filters.params()

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
            server=Server.HOSTED if place.dialect is Dialect.CURSOR else None,
        )

    def _total(self, pagination: dict[str, Any]) -> int | None:
        # The count leaves out the filters on created and updated [rec 391-395].
        total = None if self._filters.by_change else pagination.get("totalItems")
        return total if type(total) is int else None


class _OtherShape(CalUnexpected):
    """A page in another dialect than the one that was requested."""


def _may_speak_the_other(error: CalError, known: Dialect | None) -> bool:
    """Return whether the other dialect is worth a request after this error."""
    if known is None and error.status in (400, 404):
        # A server without this version may also refuse its parameters or the route.
        # Whether they are the cause shows when the other dialect is refused as well.
        return True
    return isinstance(error, CalUnavailable | _OtherShape)


def _learnt(page: Page, failures: dict[Dialect, CalError]) -> dict[str, Any]:
    """Return what the failures before this page prove about the server."""
    cursor = failures.get(Dialect.CURSOR)
    is_older = isinstance(cursor, _OtherShape)
    return {
        "server": Server.SELF_HOSTED if is_older else page.server,
        "unavailable": next(
            (
                dialect
                for dialect, e in failures.items()
                if isinstance(e, CalUnavailable)
            ),
            None,
        ),
    }


def _other_dialect(
    answer: Answer, dialect: Dialect, kind: type[CalUnexpected]
) -> CalUnexpected:
    return unexpected(answer, f"a page in the {dialect} dialect", kind)


def unexpected(
    answer: Answer, expected: str, kind: type[CalUnexpected] = CalUnexpected
) -> CalUnexpected:
    """Return the error for a 2xx answer that is not what was expected; it shows the answer's shape and no value."""
    message = f"expected {expected}, got {describe(answer.body)}"
    return _from(answer, UnexpectedAnswer(message), kind)


def _from(
    answer: Answer,
    problem: UnexpectedAnswer,
    kind: type[CalUnexpected] = CalUnexpected,
) -> CalUnexpected:
    call = answer.call
    return call.error(
        kind,
        f"{problem} (from {call.url})",
        status=answer.status,
        request_id=answer.request_id,
    )
