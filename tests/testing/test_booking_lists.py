"""The fake lists bookings as Cal.com does, in both dialects, with its limits and its faults."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

CURSOR, OFFSET = "2026-05-01", "2024-08-13"
RECORDED = json.loads(
    (Path(__file__).parents[1] / "data" / "recorded_bookings.json").read_text()
)["payloads"]


def uids(answer):
    return [booking["uid"] for booking in answer.json()["data"]]


def iso(moment):
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def walk_by_cursor(get, **params):
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = get("/bookings", version=CURSOR, **params, **cursor)
        found += uids(answer)
        pagination = answer.json()["pagination"]
        if not pagination["hasMore"]:
            assert pagination["nextCursor"] is None
            return found
        cursor = {"cursor": pagination["nextCursor"]}


@pytest.mark.cal(bookings=130)
def test_cursor_pages_show_every_booking_once_latest_first(cal, get):
    uids = walk_by_cursor(get, limit=50)

    assert sorted(uids) == sorted(cal.bookings)
    starts = [cal.payload(uid)["start"] for uid in uids]
    assert starts == sorted(starts, reverse=True)


@pytest.mark.cal(bookings=130)
def test_a_booking_that_goes_does_not_shift_cursor_pages(cal, get):
    first = get("/bookings", version=CURSOR, limit=50).json()
    seen = [booking["uid"] for booking in first["data"]]
    cal.delete(seen[0])

    cursor = first["pagination"]["nextCursor"]
    rest = get("/bookings", version=CURSOR, limit=100, cursor=cursor)

    assert sorted(seen[1:] + uids(rest)) == sorted(cal.bookings)


@pytest.mark.cal(bookings=30)
def test_a_status_alone_filters_and_turns_the_order_of_cursor_pages(cal, get):
    upcoming = walk_by_cursor(get, status="upcoming", limit=3)

    now = iso(cal.clock.now())
    alive = cal.find(
        lambda booking: (
            booking["end"] >= now and booking["status"] not in ("cancelled", "rejected")
        )
    )
    assert sorted(upcoming) == sorted(alive)
    starts = [cal.payload(uid)["start"] for uid in upcoming]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("version", "params"),
    [
        (CURSOR, {"limit": 101}),
        (CURSOR, {"limit": 0}),
        (CURSOR, {"status": "past,cancelled"}),
        (CURSOR, {"cursor": "made-up"}),
        (OFFSET, {"take": 251}),
        (OFFSET, {"take": 0}),
        (OFFSET, {"take": "abc"}),
        (OFFSET, {"skip": -1}),
        (OFFSET, {"status": "accepted"}),
        (OFFSET, {"sortUpdatedAt": "up"}),
        (OFFSET, {"afterUpdatedAt": "yesterday"}),
    ],
)
def test_what_cal_com_refuses_is_refused(get, version, params):
    answer = get("/bookings", version=version, **params)

    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["error"]["code"]) == ("error", "BadRequestException")
    assert set(body) == {"status", "timestamp", "path", "error"}


@pytest.mark.cal(dialect="offset", bookings=16)
def test_offset_pages_count_like_the_recorded_ones(get):
    def pagination(**params):
        return get("/bookings", **params).json()["pagination"]

    assert pagination() == {
        "returnedItems": 16,
        "totalItems": 16,
        "itemsPerPage": 100,
        "remainingItems": 0,
        "currentPage": 1,
        "totalPages": 1,
        "hasNextPage": False,
        "hasPreviousPage": False,
    }
    assert pagination(take=2, skip=500) == {
        "returnedItems": 0,
        "totalItems": 16,
        "itemsPerPage": 2,
        "remainingItems": 0,
        "currentPage": 8,
        "totalPages": 8,
        "hasNextPage": False,
        "hasPreviousPage": True,
    }


@pytest.mark.cal(dialect="offset", bookings=71)
def test_the_count_forgets_the_filters_on_created_and_updated(cal, get):
    """Recordings 391-395: hasNextPage stays true over empty pages."""
    after = iso(cal.clock.now() + timedelta(days=1))

    answer = get("/bookings", afterUpdatedAt=after, take=5, skip=20).json()

    assert answer["data"] == []
    assert answer["pagination"] == {
        "returnedItems": 5,
        "totalItems": 71,
        "itemsPerPage": 5,
        "remainingItems": 46,
        "currentPage": 5,
        "totalPages": 15,
        "hasNextPage": True,
        "hasPreviousPage": True,
    }


@pytest.mark.cal(dialect="offset", bookings=20)
def test_offset_pages_shift_when_a_row_goes(cal, get):
    first = uids(get("/bookings", take=5, sortCreated="asc"))
    cal.delete(first[0])
    second = uids(get("/bookings", take=5, skip=5, sortCreated="asc"))

    assert len(set(cal.bookings) - set(first) - set(second)) == 20 - 1 - 9
    skipped = sorted(cal.bookings, key=lambda uid: cal.payload(uid)["createdAt"])[4]
    assert skipped not in first + second


@pytest.mark.cal(dialect="offset")
def test_rows_of_one_time_come_in_any_order(cal, get):
    cal.clock.stop()
    for _ in range(8):
        cal.book()
    orders = set()
    for _ in range(10):
        cal.touch(cal.bookings[0])
        orders.add(tuple(uids(get("/bookings", sortCreated="asc"))))

    assert len(orders) > 1


@pytest.mark.cal(bookings=5)
@pytest.mark.parametrize("version", ["", "2026-02-24", "1999-01-01"])
def test_a_missing_or_unknown_version_gets_the_shape_of_old(get, version):
    answer = get("/bookings", version=version)

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert set(data) == {"bookings", "recurringInfo", "totalCount", "nextCursor"}
    assert "startTime" in data["bookings"][0]


@pytest.mark.cal(dialect="offset", bookings=5)
def test_a_self_hosted_server_does_not_know_the_cursor_dialect(get):
    answer = get("/bookings", version=CURSOR)

    assert set(answer.json()["data"]) >= {"bookings", "nextCursor"}


def test_the_version_of_another_resource_is_not_found(get):
    answer = get("/bookings", version="2024-09-04")

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Cannot GET /v2/bookings"


def test_times_filter_inclusively(cal, get):
    uid = cal.book()
    updated = cal.payload(uid)["updatedAt"]
    later = iso(datetime.fromisoformat(updated) + timedelta(milliseconds=1))

    assert uids(get("/bookings", afterUpdatedAt=updated)) == [uid]
    assert uids(get("/bookings", afterUpdatedAt=later)) == []
    assert uids(get("/bookings", beforeUpdatedAt=updated)) == [uid]


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("/organizations/7/bookings", {"host4", "host5"}),
        ("/organizations/7/users/5/bookings", {"host5"}),
        ("/organizations/7/teams/1/bookings", {"host4"}),
        ("/teams/1/bookings", {"host1", "host4"}),
    ],
)
def test_lists_of_organizations_teams_and_members(cal, get, path, whose):
    admin = cal.add_user(organization_id=7)
    member = cal.add_user(organization_id=7)
    cal.book(user=member)
    cal.book(user=admin, event_type="round-robin")
    cal.book(event_type="round-robin")
    cal.book()

    rows = get(path, key=admin.api_key).json()["data"]

    assert {booking["hosts"][0]["username"] for booking in rows} == whose
    version = get(path, key=admin.api_key, version=CURSOR).json()
    assert ("pagination" in version) == (path == "/organizations/7/bookings")
    if path.startswith("/organizations"):
        assert get(path).status_code == 403


def test_every_kind_of_booking_has_the_keys_that_cal_com_gives_it(cal):
    """Compared with what a running server showed of the same kind."""

    def recorded(wanted):
        return {frozenset(booking) for booking in RECORDED if wanted(booking)}

    guest = cal.book()
    cal.add_attendee(guest)
    series = cal.book_series(2)
    seated = cal.book(event_type="seated")
    moved = cal.reschedule(cal.book(), reason="conflict")

    plain = recorded(lambda booking: "recurringBookingUid" not in booking)
    assert frozenset(cal.payload(guest)) in plain
    assert frozenset(cal.payload(moved)) in plain
    assert frozenset(cal.payload(seated)) in plain
    recurring = recorded(lambda booking: "recurringBookingUid" in booking)
    assert frozenset(cal.payload(series[0])) in recurring
    seat = next(
        booking
        for booking in RECORDED
        if "seatUid" in (booking["attendees"] or [{}])[0]
    )
    assert set(cal.payload(seated)["attendees"][0]) == set(seat["attendees"][0])
