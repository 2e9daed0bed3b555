"""The lists of bookings in both dialects: filters, orders, pages, and their real faults."""

from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cal_bookings.testing.endpoints import validation
from cal_bookings.testing.endpoints.validation import read_instant
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    Request,
    as_json,
    invalid,
)
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.state import (
    Row,
    World,
)

CURSOR_VERSION = "2026-05-01"
OFFSET_VERSION = "2024-08-13"
#: The version of hosted Cal.com's actions, whose controller lists by offset too (CAL_API_SOURCE.md 0).
HOSTED_VERSION = "2026-02-25"
STATUSES = ("upcoming", "recurring", "past", "cancelled", "unconfirmed")
#: The ends of the names of the filters by creation and update.
BY_CHANGE = ("CreatedAt", "UpdatedAt")
_FORWARD = {"upcoming", "recurring", "unconfirmed"}

Wanted = Callable[[Row], bool]


@dataclass(frozen=True)
class View:
    """The bookings of a list; `version` grows with every change of them."""

    name: str
    version: int
    rows: Iterable[Row]
    wanted: Wanted = lambda row: True
    #: True if the list filters by creation and update: self-hosted servers ignore these filters in the lists of teams.
    has_change_filters: bool = True


@dataclass(frozen=True)
class Listed:
    """The rows of one list; `counted` are the rows that an offset server counts, which are too many."""

    rows: Sequence[Row]
    counted: int


class Listing:
    """The lists of bookings of a world, as GET shows them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._orders: dict[tuple[str, str, bool], tuple[int, list[Row]]] = {}
        #: The epoch of the cursors: a cursor of another epoch is refused.
        self.epoch = 0

    def cursor_page(self, request: Request, view: View) -> Answer:
        """Return a page of dialect 2026-05-01. The order is the server's own; its cursor names the last row shown."""
        limit = validation.query_number(request, "limit", default=50, least=1, most=100)
        statuses = self._statuses(request)
        if len(statuses) > 1:
            raise invalid("status", statuses, arrayMaxSize="at most one status")
        backward = not statuses or statuses[0] not in _FORWARD
        wanted = _all(self._filters(request, statuses))
        shown: list[Row] = []
        for row in self._behind(request.one("cursor"), view, backward=backward):
            if wanted(row):
                shown.append(row)
            if len(shown) > limit:
                break
        more, shown = len(shown) > limit, shown[:limit]
        cursor = self._cursor(shown[-1]) if more else None
        return _page(shown, {"nextCursor": cursor, "hasMore": more})

    def offset_page(self, request: Request, view: View) -> Answer:
        """Return a page of dialect 2024-08-13, with a count that leaves out the filters on created and updated."""
        take = validation.query_number(request, "take", default=100, least=1, most=250)
        skip = validation.query_number(request, "skip", default=0, least=0, most=None)
        statuses = self._statuses(request)
        key, backward = self._order(request, statuses)
        rows = self._ordered(view, key, ties=view.version)
        if backward:
            rows = rows[::-1]
        filters = self._filters(request, statuses)
        if not view.has_change_filters:
            filters = [
                condition
                for condition in filters
                if not condition[0].endswith(BY_CHANGE)
            ]
        listed = _listed(rows, filters)
        shown = listed.rows[skip : skip + take]
        total, returned = listed.counted, max(0, min(take, listed.counted - skip))
        return _page(
            shown,
            {
                "returnedItems": returned,
                "totalItems": total,
                "itemsPerPage": take,
                "remainingItems": max(0, total - skip - returned),
                "currentPage": min(skip // take + 1, -(-total // take)),
                "totalPages": -(-total // take),
                "hasNextPage": skip + returned < total,
                "hasPreviousPage": skip > 0 and total > 0,
            },
        )

    def legacy_page(self, request: Request, view: View) -> Answer:
        """Return the answer to a version that the server does not know: another shape, and 200."""
        limit = validation.query_number(
            request, "limit", default=10, least=1, most=None
        )
        rows = self._ordered(view, "start")
        more = limit if len(rows) > limit else None
        data = {
            "bookings": [_legacy(row.payload) for row in rows[:limit]],
            "recurringInfo": [],
            "totalCount": len(rows),
            "nextCursor": more,
        }
        return as_json({"status": "success", "data": data})

    def _ordered(self, view: View, key: str, *, ties: int = 0) -> list[Row]:
        """Return all rows of a view in ascending order; they are sorted again only after a change.

        `ties` shuffles rows of equal keys: Cal.com's offset dialect breaks no ties.
        """
        kept = self._orders.get((view.name, key, bool(ties)))
        if kept and kept[0] == view.version:
            return kept[1]
        rows = [row for row in view.rows if view.wanted(row)]
        rows.sort(key=_sort_key(key, ties))
        self._orders[view.name, key, bool(ties)] = (view.version, rows)
        return rows

    def _behind(self, cursor: str, view: View, *, backward: bool) -> Iterator[Row]:
        """Return the rows after the cursor; all rows without a cursor."""
        rows = self._ordered(view, "start")
        if backward:
            end = bisect_left(rows, self._read(cursor), key=_KEY) if cursor else None
            at = len(rows) if end is None else end
            return (rows[place] for place in range(at - 1, -1, -1))
        at = bisect_right(rows, self._read(cursor), key=_KEY) if cursor else 0
        return (rows[place] for place in range(at, len(rows)))

    def _order(self, request: Request, statuses: list[str]) -> tuple[str, bool]:
        for name, key in (
            ("sortStart", "start"),
            ("sortEnd", "end"),
            ("sortCreated", "createdAt"),
            ("sortUpdatedAt", "updatedAt"),
        ):
            if name in request.query:
                direction = request.one(name)
                if direction not in ("asc", "desc"):
                    message = f'{name} must be either "asc" or "desc".'
                    raise invalid(name, direction, isEnum=message)
                return key, direction == "desc"
        return "start", statuses in (["past"], ["cancelled"])

    def _statuses(self, request: Request) -> list[str]:
        sent = request.query.get("status", []) + request.query.get("status[]", [])
        statuses = [part for text in sent for part in text.split(",")]
        if any(status not in STATUSES for status in statuses):
            message = f"Invalid status. Allowed are {', '.join(STATUSES)}"
            raise invalid("status", statuses, isEnum=message)
        return statuses

    def _filters(
        self, request: Request, statuses: list[str]
    ) -> list[tuple[str, Wanted]]:
        now = wire(self._world.clock.now())
        filters: list[tuple[str, Wanted]] = []
        if statuses:
            filters.append(
                (
                    "status",
                    lambda row: any(_is(status, row, now) for status in statuses),
                )
            )
        filters += [(name, one) for name, one in _times(request)]
        filters += self._event_types(request)
        filters += [(name, one) for name, one in _texts(request)]
        return filters

    def _event_types(self, request: Request) -> list[tuple[str, Wanted]]:
        """Return the condition of both filters: either is enough; some event type of theirs must exist [rec 114]."""
        wanted: set[int] = set()
        for name in ("eventTypeId", "eventTypeIds"):
            for one in request.query.get(name, []):
                wanted |= _numbers(name, one)
        if not wanted:
            return []
        if wanted.isdisjoint(self._world.event_types):
            message = "The requested event-types do not exist."
            raise Refusal(400, message, code="TRPCError")
        return [("eventTypeIds", lambda row: row["eventTypeId"] in wanted)]

    def _cursor(self, row: Row) -> str:
        text = json.dumps([self.epoch, row["start"], row["id"]])
        return base64.urlsafe_b64encode(text.encode()).decode()

    def _read(self, cursor: str) -> tuple[str, int]:
        """Return the key of the last row that was shown."""
        try:
            epoch, start, identity = json.loads(base64.urlsafe_b64decode(cursor))
        except (ValueError, TypeError):
            raise Refusal(400, "Invalid cursor") from None
        if epoch != self.epoch:
            raise Refusal(400, "Invalid cursor")
        return str(start), int(identity)


def _sort_key(key: str, ties: int = 0) -> Callable[[Row], tuple[str, int]]:
    def sort_key(row: Row) -> tuple[str, int]:
        value, identity = row.payload.get(key), row.payload["id"]
        breaker = identity * 2654435761 * ties % 65521 if ties else identity
        return (value if isinstance(value, str) else "", breaker)

    return sort_key


_KEY = _sort_key("start")


def _listed(rows: Iterable[Row], filters: list[tuple[str, Wanted]]) -> Listed:
    """Return the rows and the count: two queries on Cal.com, of which the count forgets these filters [rec 391-395]."""
    counted = _all(
        [condition for condition in filters if not condition[0].endswith(BY_CHANGE)]
    )
    rest = _all(
        [condition for condition in filters if condition[0].endswith(BY_CHANGE)]
    )
    matching = [row for row in rows if counted(row)] if filters else list(rows)
    return Listed([row for row in matching if rest(row)], len(matching))


def _all(filters: list[tuple[str, Wanted]]) -> Wanted:
    wanted = [one for _, one in filters]
    return lambda row: all(item(row) for item in wanted)


def _is(status: str, row: Row, now: str) -> bool:
    ended = row["end"] is not None and row["end"] < now
    alive = row["status"] not in ("cancelled", "rejected")
    match status:
        case "upcoming":
            return alive and not ended
        case "recurring":
            return alive and not ended and "recurringBookingUid" in row.payload
        case "past":
            return alive and ended
        case "unconfirmed":
            return row["status"] == "pending" and not ended
        case _:
            return not alive


def _times(request: Request) -> Iterable[tuple[str, Wanted]]:
    for name, key, at_least in (
        ("afterStart", "start", True),
        ("beforeEnd", "end", False),
        ("afterCreatedAt", "createdAt", True),
        ("beforeCreatedAt", "createdAt", False),
        ("afterUpdatedAt", "updatedAt", True),
        ("beforeUpdatedAt", "updatedAt", False),
    ):
        if name in request.query:
            yield name, _time(key, _moment(request, name), at_least=at_least)


def _time(key: str, bound: str, *, at_least: bool) -> Wanted:
    def wanted(row: Row) -> bool:
        value = row.payload.get(key)
        if not isinstance(value, str):
            return False
        return value >= bound if at_least else value <= bound

    return wanted


def _texts(request: Request) -> Iterable[tuple[str, Wanted]]:
    def one_of(values: set[str], key: str) -> Wanted:
        return lambda row: str(row[key]) in values

    def attendee(value: str, key: str) -> Wanted:
        return lambda row: any(attendee[key] == value for attendee in row["attendees"])

    if "teamsIds" in request.query:
        teams = _numbers("teamsIds", request.one("teamsIds"))
        yield "teamsIds", lambda row: row.team_id in teams
    if "bookingUid" in request.query:
        yield "bookingUid", one_of({request.one("bookingUid")}, "uid")
    if "attendeeEmail" in request.query:
        # A plus sign that was not encoded arrives as a blank [rec 504].
        email = request.one("attendeeEmail").strip().replace(" ", "+")
        yield "attendeeEmail", attendee(email, "email")
    if "attendeeName" in request.query:
        yield "attendeeName", attendee(request.one("attendeeName"), "name")


def _numbers(name: str, text: str) -> set[int]:
    try:
        return {int(part) for part in text.split(",")}
    except ValueError:
        message = f"{name} must be a number conforming to the specified constraints"
        raise invalid(name, text, isNumber=message) from None


def _moment(request: Request, name: str) -> str:
    value = request.one(name)
    moment = read_instant(value)
    if moment is None:
        message = f"{name} must be a valid ISO 8601 date."
        raise invalid(name, value, isIso8601=message)
    return wire(moment)


def _page(rows: Sequence[Row], pagination: dict[str, Any]) -> Answer:
    if any(row.is_unreadable for row in rows):
        raise Refusal(500, "Internal server error")
    shown = b",".join(row.rendered() for row in rows)
    end = json.dumps(pagination).encode()
    body = b'{"status":"success","data":[' + shown + b'],"pagination":' + end + b"}"
    return Answer(200, body)


def _legacy(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a booking in the shape of 2024-04-15."""
    return {
        "id": payload["id"],
        "uid": payload["uid"],
        "title": payload["title"],
        "startTime": payload["start"],
        "endTime": payload["end"],
        "status": str(payload["status"]).upper(),
        "createdAt": payload["createdAt"],
        "updatedAt": payload["updatedAt"],
        "attendees": payload["attendees"],
        "eventType": payload["eventType"],
    }
