"""The reading half of Cal.com's API v2: pages of bookings, one booking, the own user; and access to the writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from cal_bookings.client.booking_actions import (
    ACTION_VERSION,
    PEOPLE_VERSION,
    BookingActions,
)
from cal_bookings.client.booking_details import BookingDetails
from cal_bookings.client.booking_list import (
    BookingList,
    Page,
    unexpected,
)
from cal_bookings.client.credentials import Credential
from cal_bookings.client.dialects import (
    LIST_VERSION,
    Dialect,
    Server,
    UnexpectedAnswer,
    recognise,
)
from cal_bookings.client.email_verification import EmailVerification
from cal_bookings.client.errors import (
    CalError,
    CalForbidden,
    CalNotFound,
    CalRefused,
    CalUnauthorized,
    CalUnexpected,
)
from cal_bookings.client.filters import (
    Filters,
    Scope,
    walk_fingerprint,
)
from cal_bookings.client.guard import Guard
from cal_bookings.client.positions import (
    FIRST_PLACE,
    Position,
)
from cal_bookings.client.rate_limit import RateLimit
from cal_bookings.client.slots import Slots
from cal_bookings.client.teams import Teams
from cal_bookings.client.transport import (
    MAX_BYTES,
    RETRIES,
    Answer,
    BeforeRequest,
    Http,
    OnAnswer,
)
from cal_bookings.client.webhooks import WebhookOwner, Webhooks

# The server matches the version per endpoint: another resource's version answers 404 [rec 126].
BOOKING_VERSION = "2024-08-13"
EVENT_TYPES_VERSION = "2024-06-14"
ME_VERSION = "2024-08-13"  # every version works [rec 360]


class CalClient:
    """The client of one Cal.com with one credential. Threads must not share it."""

    def __init__(
        self,
        base_url: str,
        credential: Credential,
        *,
        scope: Scope | None = None,
        has_change_filters: bool = False,
        timeout: tuple[float, float] = (5, 30),
        max_bytes: int = MAX_BYTES,
        before_request: BeforeRequest | None = None,
        on_answer: OnAnswer | None = None,
        on_error: Callable[[CalError], None] | None = None,
        renew: Callable[[CalUnauthorized], Credential] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        public_only: bool = False,
    ) -> None:
        """Make a client. `has_change_filters` states that the list of a team filters by creation and update.

        `timeout` is for connecting and between two bytes, in seconds; a whole answer has four times the latter.

        The hooks are called for each HTTP request, retries included. `before_request` may wait for
        its turn, or raise; `on_answer` gets the rate limit and the status of every answer. Both
        get the name of the limit that Cal.com counts the request towards, if it is not the credential's own.
        `on_error` gets the error that stands for an unusable answer, or for a missing one.

        With `public_only`, no connection is made to an address in a private network, nor to this machine.

        With `renew`, a request whose credential is refused is repeated once, with the
        credential that `renew` returns; `on_error` gets only the second refusal.
        """
        self.scope = scope or Scope()
        self._has_change_filters = has_change_filters or self.scope.has_change_filters
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
            public_only=public_only,
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
        """Return the number of HTTP requests so far, retries and failures included."""
        return self._http.requests

    @property
    def rate_limit(self) -> RateLimit | None:
        """Return the rate limit of the server's last answer."""
        return self._http.rate_limit

    @property
    def answered_at(self) -> datetime | None:
        """Return the server's time of its last answer; None if that had no Date header."""
        return self._http.answered_at

    def list_bookings(
        self,
        position: Position | None = None,
        *,
        filters: Filters | None = None,
        dialect: Dialect | None = None,
        forced: Dialect | None = None,
        page_size: int | None = None,
        persist: bool = True,
    ) -> Page:
        """Return the page at a position, which is the `next` of another page; without a position the first page.

        `dialect` is the one that an earlier walk found. A first page finds it again if it has changed; later pages
        raise CalDialectChanged then. If the first page is not available in one dialect (a timeout, a 5xx), the other
        one is requested once before anything is repeated. With `forced`, only that dialect is used.
        Without `persist`, a page at a position is requested once, even if there is no usable answer. Raises OtherWalk,
        a ValueError, for a position of another scope, of other filters, or of another dialect than `forced`.
        """
        filters = filters or Filters()
        if filters.by_change and not self._has_change_filters:
            raise ValueError(
                "The list of this team knows no filter by creation or update: walk it in full, or list the bookings "
                "of an administrator's own key"
            )
        listing = BookingList(self._http, self.scope, filters, page_size)
        if position is not None:
            retries = RETRIES if persist else 0
            return listing.page(position, forced, retries=retries)
        return listing.first_page(dialect, forced)

    def first_position(
        self, dialect: Dialect, *, filters: Filters | None = None
    ) -> Position:
        """Return the position of the first page in this dialect. Makes no request."""
        walk = walk_fingerprint(self.scope, filters or Filters())
        return Position(FIRST_PLACE[dialect], walk)

    def find_server(self) -> Server | None:
        """Return the kind of this server; None if its answer proves neither kind.

        One request is made, for a list in the version of hosted Cal.com's actions. A server without this version
        answers in the shape of 2024-04-15 [rec 125].
        """
        try:
            answer = self._http.request(
                "GET",
                "/bookings",
                version=ACTION_VERSION[Server.HOSTED],
                params={"take": "1"},
            )
            return Server.HOSTED if recognise(answer.body) else Server.SELF_HOSTED
        except (CalForbidden, CalNotFound, CalRefused, CalUnexpected, UnexpectedAnswer):
            return None

    def filters_by_change(self) -> bool:
        """Return whether this list, which has bookings, filters by update. It takes one request.

        The request is for bookings updated before 1970: a server that ignores the filter shows bookings all the same.
        """
        place = FIRST_PLACE[Dialect.OFFSET]
        answer = self._http.request(
            "GET",
            self.scope.path,
            version=LIST_VERSION[Dialect.OFFSET],
            parts=self.scope.parts,
            params=place.query(1) | {"beforeUpdatedAt": "1970-01-01T00:00:00.000Z"},
        )
        return recognise(answer.body) is Dialect.OFFSET and not answer.body["data"]

    def get_booking(self, uid: str) -> list[dict[str, Any]]:
        """Return the booking; for the uid of a recurring booking all its occurrences."""
        answer = self._http.request(
            "GET", "/bookings/{uid}", version=BOOKING_VERSION, parts={"uid": uid}
        )
        found = _content(answer)
        bookings = found if isinstance(found, list) else [found]
        if not bookings or not all(_is_booking(booking) for booking in bookings):
            raise unexpected(
                answer, "a booking or a list of bookings, each with its uid"
            )
        return bookings

    def attendees(self, uid: str) -> list[dict[str, Any]]:
        """Return the attendees of a booking with their numbers, which no booking shows."""
        answer = self._http.request(
            "GET",
            "/bookings/{uid}/attendees",
            version=PEOPLE_VERSION,
            parts={"uid": uid},
        )
        found = _content(answer)
        if not isinstance(found, list) or not all(
            isinstance(one, dict) for one in found
        ):
            raise unexpected(answer, "a list of attendees as data")
        return found

    def actions(self, server: Server, guard: Guard | None = None) -> BookingActions:
        """Return the actions on bookings, in the version of this kind of server.

        `guard` is called right before each write, and may stop it by raising.
        """
        return BookingActions(self._http, server, guard)

    def webhooks(self, owner: WebhookOwner) -> Webhooks:
        """Return the webhook subscriptions of one owner, to be listed and changed. Makes no request."""
        return Webhooks(self._http, owner)

    def details(self, server: Server) -> BookingDetails:
        """Return the details of bookings that are requested on demand, in the version of this kind of server."""
        return BookingDetails(self._http, ACTION_VERSION[server], PEOPLE_VERSION)

    def email_verification(self, guard: Guard | None = None) -> EmailVerification:
        """Return the e-mail verification of hosted Cal.com, which needs no credential.

        `guard` is called right before each write, and may stop it by raising.
        """
        return EmailVerification(self._http, guard)

    def teams(self) -> Teams:
        """Return the teams of this server, as far as the credential may read them."""
        return Teams(self._http)

    def me(self) -> dict[str, Any]:
        """Return the user to whom the credential belongs."""
        answer = self._http.request("GET", "/me", version=ME_VERSION)
        user = _content(answer)
        if not isinstance(user, dict):
            raise unexpected(answer, "an object as data")
        return user

    def event_types(self) -> list[dict[str, Any]]:
        """Return the user's own event types."""
        answer = self._http.request("GET", "/event-types", version=EVENT_TYPES_VERSION)
        types = _content(answer)
        if not isinstance(types, list) or not all(
            isinstance(one, dict) for one in types
        ):
            raise unexpected(answer, "a list of objects as data")
        return types

    def slots(self, guard: Guard | None = None) -> Slots:
        """Return the free slots and reservations of this server, which need no credential.

        `guard` is called right before each write, and may stop it by raising.
        """
        return Slots(self._http, guard)


def _content(answer: Answer) -> Any:
    return answer.body.get("data") if isinstance(answer.body, dict) else None


def _is_booking(payload: Any) -> bool:
    return isinstance(payload, dict) and isinstance(payload.get("uid"), str)
