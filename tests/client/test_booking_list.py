"""The list of bookings: both dialects, learnt by shape, page by page, nothing missed."""

import json
from datetime import UTC, datetime

import pytest

from cal_bookings.client import (
    ApiKey,
    CalClient,
    CalDialectChanged,
    CalRefused,
    CalUnexpected,
    Dialect,
    Filters,
    Position,
    Scope,
)
from tests.client.conftest import (
    KEY,
    Reply,
    recording,
    reply,
)

LEGACY = reply({"status": "success", "data": {"bookings": [], "totalCount": 0}})
MOMENT = datetime(2026, 11, 20, 8, 30, 0, 123999, tzinfo=UTC)


def booking(number):
    return {"uid": f"u{number}", "createdAt": f"2026-11-20T08:{number:02}:00.000Z"}


def cursor_page(*rows, after=None):
    more = {"hasMore": after is not None, "nextCursor": after}
    return reply({"status": "success", "data": list(rows), "pagination": more})


def offset_page(*rows, more=False, total=9):
    pagination = {"hasNextPage": more, "totalItems": total}
    return reply({"status": "success", "data": list(rows), "pagination": pagination})


def queries(script):
    return [request.query for request in script.requests]


def test_hosted_is_asked_once_and_recognised(script, client):
    script.will(cursor_page(booking(1), after="c1"))

    page = client.list_bookings()

    assert page.payloads == [booking(1)]
    assert page.dialect is Dialect.CURSOR
    assert page.api_version == "2026-05-01"
    assert page.requests == 1
    assert page.next is not None
    assert page.total is None
    assert queries(script) == [{"limit": "100"}]
    assert script.requests[0].headers["cal-api-version"] == "2026-05-01"


def test_self_hosted_is_found_at_the_second_request(script, client):
    script.will(LEGACY, recording("067"))

    page = client.list_bookings()

    assert len(page.payloads) == 16
    assert page.dialect is Dialect.OFFSET
    assert page.api_version == "2024-08-13"
    assert page.next is None
    assert page.total == 16
    assert page.requests == 2
    assert page.answered_at == datetime(2026, 11, 20, 19, 53, 4, tzinfo=UTC)
    assert queries(script)[1] == {"take": "250", "skip": "0", "sortCreated": "asc"}
    assert script.requests[1].headers["cal-api-version"] == "2024-08-13"


def test_an_old_server_that_refuses_the_other_dialects_parameters_is_found(
    script, client
):
    script.will(recording("073"), offset_page())

    assert client.list_bookings().dialect is Dialect.OFFSET


def test_a_request_refused_in_both_dialects_is_refused(script, client):
    script.will(recording("073"), recording("073"))

    with pytest.raises(CalRefused):
        client.list_bookings()


def test_a_known_dialect_takes_one_request(script, client):
    script.will(offset_page())

    page = client.list_bookings(dialect=Dialect.OFFSET)

    assert (page.dialect, page.requests) == (Dialect.OFFSET, 1)


@pytest.mark.parametrize("old", list(Dialect))
def test_a_first_page_learns_a_changed_dialect(script, client, old):
    if old is Dialect.OFFSET:
        script.will(cursor_page(), cursor_page())
    else:
        script.will(LEGACY, offset_page())

    page = client.list_bookings(dialect=old)

    assert page.dialect is not old
    assert page.requests == 2


def test_a_dialect_that_changes_within_a_walk_is_an_error(script, client):
    script.will(cursor_page(booking(1), after="c1"), LEGACY)
    position = client.list_bookings().next

    with pytest.raises(
        CalDialectChanged, match="expected a page in the cursor dialect"
    ):
        client.list_bookings(position)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([], id="list"),
        pytest.param(None, id="null"),
        pytest.param({"data": []}, id="no-pagination"),
        pytest.param({"data": [], "pagination": {}}, id="empty-pagination"),
        pytest.param({"data": None, "pagination": {"hasMore": False}}, id="no-rows"),
        pytest.param(
            {"data": [], "pagination": {"hasMore": True, "nextCursor": None}},
            id="more-without-cursor",
        ),
        pytest.param(
            {"data": [], "pagination": {"hasNextPage": "false"}}, id="no-boolean"
        ),
    ],
)
def test_a_2xx_of_unknown_shape_is_an_error_and_never_no_bookings(script, client, body):
    script.will(reply(body))

    with pytest.raises(CalUnexpected, match=r"expected a list .* got .*/v2/bookings"):
        client.list_bookings()


def test_an_unknown_shape_is_described_without_its_values(script, client):
    script.will(reply({"data": {"uid": "secret", "email": "a@b.c"}, "other": "secret"}))

    with pytest.raises(CalUnexpected) as caught:
        client.list_bookings()

    assert "{data: {email, uid}, other: text}" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_that_knows_neither_dialect_is_an_error(script, client):
    script.will(LEGACY, LEGACY)

    with pytest.raises(CalUnexpected, match="expected a page in the offset dialect"):
        client.list_bookings()


def test_a_cursor_walk_ends_only_when_the_server_says_so(script, client):
    script.will(
        cursor_page(booking(1), after="c1"),
        cursor_page(after="c2"),
        cursor_page(booking(2)),
    )
    position, seen = None, []

    for _page in range(3):
        page = client.list_bookings(position, page_size=50)
        seen += page.payloads
        position = page.next

    assert seen == [booking(1), booking(2)]
    assert position is None
    assert queries(script) == [
        {"limit": "50"},
        {"limit": "50", "cursor": "c1"},
        {"limit": "50", "cursor": "c2"},
    ]


@pytest.mark.parametrize(("tail", "circle"), [(0, 1), (1, 2), (3, 5), (20, 7)])
def test_cursors_that_go_in_a_circle_are_an_error(script, client, tail, circle):
    def answer(request):
        number = int(request.query.get("cursor", "-1")) + 1
        return cursor_page(after=str(number if number < tail + circle else tail))

    def walk(position=None):
        for _page in range(200):
            position = client.list_bookings(position).next
            position = Position.from_json(json.loads(json.dumps(position.to_json())))

    script.answer = answer

    with pytest.raises(CalUnexpected, match="repeated cursor"):
        walk()


def test_an_offset_page_reads_the_last_row_before_the_final_ties_again(script, client):
    rows = [booking(1), booking(2), booking(3), booking(3) | {"uid": "tied"}]
    script.will(offset_page(*rows, more=True), offset_page(*rows[1:], booking(4)))

    first = client.list_bookings(dialect=Dialect.OFFSET, page_size=4)
    last = client.list_bookings(first.next, page_size=4)

    assert queries(script)[1] == {"take": "4", "skip": "1", "sortCreated": "asc"}
    assert last.payloads == [booking(4)]
    assert last.next is None


def test_an_offset_page_that_slid_past_its_anchor_is_asked_again_one_page_back(
    script, client
):
    script.will(
        offset_page(booking(1), booking(2), booking(3), more=True),
        offset_page(booking(4), booking(5)),
        offset_page(booking(3), booking(4), booking(5)),
    )
    position, seen = None, []

    for _page in range(3):
        page = client.list_bookings(position, dialect=Dialect.OFFSET, page_size=3)
        seen += [row["uid"] for row in page.payloads]
        position = page.next

    assert [query["skip"] for query in queries(script)] == ["0", "1", "0"]
    assert seen == ["u1", "u2", "u3", "u4", "u5", "u3", "u4", "u5"]
    assert position is None


def test_under_a_filter_on_changes_an_empty_page_ends_the_walk_whatever_is_promised(
    script, client
):
    script.will(offset_page(more=True))
    filters = Filters(after_updated=datetime(2026, 11, 20, tzinfo=UTC))

    page = client.list_bookings(dialect=Dialect.OFFSET, filters=filters)

    assert page.next is None


def test_no_bookings_although_the_server_counts_some_is_an_error(script, client):
    script.will(offset_page(more=True))

    with pytest.raises(CalUnexpected, match="got none"):
        client.list_bookings(dialect=Dialect.OFFSET)


def test_an_offset_page_with_nothing_new_ends_the_walk(script, client):
    rows = [booking(1), booking(2), booking(3)]
    script.will(offset_page(*rows, more=True), offset_page(*rows[1:], more=True))

    page = client.list_bookings(dialect=Dialect.OFFSET)

    assert client.list_bookings(page.next).next is None


def test_a_server_that_ignores_the_offset_is_an_error(script, client):
    rows = [booking(1), booking(2), booking(3)]
    script.will(*[offset_page(*rows, more=True)] * 100)

    def walk():
        page = client.list_bookings(dialect=Dialect.OFFSET)
        while page.next:
            page = client.list_bookings(page.next)

    with pytest.raises(CalUnexpected, match="got the page before again"):
        walk()


def test_a_server_that_ignores_the_order_is_held_to_show_one_row_again(script, client):
    script.will(
        offset_page(booking(2), booking(1), more=True),
        offset_page(booking(1), booking(3), more=True),
        offset_page(booking(5)),
        offset_page(booking(2), booking(1), booking(3), booking(5)),
    )

    page = client.list_bookings(dialect=Dialect.OFFSET)
    seen = list(page.payloads)
    while page.next:
        page = client.list_bookings(page.next)
        seen += page.payloads

    assert [query["skip"] for query in queries(script)] == ["0", "1", "2", "0"]
    assert {row["uid"] for row in seen} == {"u1", "u2", "u3", "u5"}


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        pytest.param(Scope(), "/v2/bookings", id="own"),
        pytest.param(Scope(organization=1), "/v2/organizations/1/bookings", id="org"),
        pytest.param(
            Scope(organization=1, team=2),
            "/v2/organizations/1/teams/2/bookings",
            id="both",
        ),
        pytest.param(
            Scope(organization=1, user=3),
            "/v2/organizations/1/users/3/bookings",
            id="user",
        ),
        pytest.param(Scope(team=2), "/v2/teams/2/bookings", id="team"),
    ],
)
def test_each_scope_has_its_list(script, scope, path):
    script.will(offset_page(), offset_page())

    with CalClient(script.url, ApiKey(KEY), scope=scope) as client:
        page = client.list_bookings()

    assert {request.path for request in script.requests} == {path}
    assert page.requests == (2 if scope in (Scope(), Scope(organization=1)) else 1)


@pytest.mark.parametrize(
    "parts", [{"user": 1}, {"organization": 1, "team": 2, "user": 3}]
)
def test_a_scope_without_a_list_is_refused(parts):
    with pytest.raises(ValueError, match=r"use Scope\(organization=..., user=...\)"):
        Scope(**parts)


def test_filters_go_with_every_page_in_milliseconds(script, client):
    script.will(cursor_page(after="c1"), cursor_page())
    filters = Filters(MOMENT, MOMENT, MOMENT, MOMENT)

    page = client.list_bookings(filters=filters)
    client.list_bookings(page.next, filters=filters)

    wire = "2026-11-20T08:30:00.123Z"
    names = ("afterUpdatedAt", "afterCreatedAt", "afterStart", "beforeEnd")
    for query in queries(script):
        assert dict.fromkeys(names, wire).items() <= query.items()


WIDE = Filters(
    before_updated=MOMENT,
    before_created=MOMENT,
    statuses=("upcoming", "past"),
    event_type_ids=(1, 2),
    team_ids=(3,),
    attendee_email="ada+1@example.net",
    attendee_name="Ada",
    booking_uid="uid-1",
    sort="-end",
)


def test_every_filter_of_cal_com_is_sent_in_its_name(script, client):
    script.will(offset_page())

    client.list_bookings(filters=WIDE)

    [query] = queries(script)
    wire = "2026-11-20T08:30:00.123Z"
    assert query == {
        "beforeUpdatedAt": wire,
        "beforeCreatedAt": wire,
        "status": "upcoming,past",
        "eventTypeIds": "1,2",
        "teamsIds": "3",
        "attendeeEmail": "ada+1@example.net",
        "attendeeName": "Ada",
        "bookingUid": "uid-1",
        "sortEnd": "desc",
        "take": query["take"],
        "skip": "0",
    }


def test_filters_are_saved_and_read_again_and_print_nobody():
    assert Filters.from_json(json.loads(json.dumps(WIDE.to_json()))) == WIDE
    assert "ada" not in repr(WIDE).lower()


@pytest.mark.parametrize(
    ("filters", "forced"),
    [
        (Filters(statuses=("upcoming", "past")), Dialect.OFFSET),
        (Filters(sort="start"), Dialect.OFFSET),
        (Filters(statuses=("past",)), Dialect.CURSOR),
    ],
)
def test_several_statuses_and_an_order_are_asked_for_by_offset(
    script, client, filters, forced
):
    script.will(offset_page() if forced is Dialect.OFFSET else cursor_page())

    page = client.list_bookings(filters=filters)

    assert page.dialect is forced
    assert len(script.requests) == 1


def test_a_prescribed_version_that_cannot_list_it_is_refused(client):
    with pytest.raises(ValueError, match="takes one status and no order"):
        client.list_bookings(filters=Filters(sort="start"), forced=Dialect.CURSOR)


@pytest.mark.parametrize("odd", [{"statuses": ("accepted",)}, {"sort": "+start"}])
def test_a_filter_that_cal_com_does_not_know_is_refused(odd):
    with pytest.raises(ValueError, match="does not know"):
        Filters(**odd)


def test_a_count_that_leaves_out_the_filters_is_not_passed_on(script, client):
    script.will(offset_page(), offset_page())

    changes = client.list_bookings(
        filters=Filters(after_updated=MOMENT), dialect=Dialect.OFFSET
    )
    window = client.list_bookings(
        filters=Filters(after_start=MOMENT), dialect=Dialect.OFFSET
    )

    assert (changes.total, window.total) == (None, 9)


def test_a_filter_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="after_start has no time zone"):
        Filters(after_start=datetime(2026, 11, 20))  # noqa: DTZ001 - the point of the test


def test_filters_a_teams_list_does_not_know_are_refused(script):
    with (
        CalClient(script.url, ApiKey(KEY), scope=Scope(team=2)) as client,
        pytest.raises(ValueError, match="no filter by creation or update"),
    ):
        client.list_bookings(filters=Filters(after_updated=MOMENT))


def test_a_position_of_another_walk_is_refused(script, client):
    script.will(cursor_page(after="c1"))
    page = client.list_bookings(filters=Filters(after_start=MOMENT))

    with pytest.raises(ValueError, match="another scope or other filters"):
        client.list_bookings(page.next)


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"dialect": "cursor"},
        {"dialect": "numbers", "walk": "", "place": {}},
        {"dialect": "cursor", "walk": "", "place": {"page": 2}},
        {"dialect": "offset", "walk": "", "place": {"anchor": "x", "reread": []}},
    ],
)
def test_what_is_no_position_is_refused(saved):
    with pytest.raises(ValueError):  # noqa: PT011 - any text will do
        Position.from_json(saved)


def test_an_offset_position_survives_being_saved_and_shows_no_uid(script, client):
    script.will(offset_page(booking(1), booking(2), booking(3), more=True))
    position = client.list_bookings(dialect=Dialect.OFFSET).next
    assert position is not None

    saved = json.dumps(position.to_json())

    assert Position.from_json(json.loads(saved)) == position
    assert "u3" not in saved


def test_one_booking_is_a_list_of_one(script, client):
    script.will(recording("039"))

    (payload,) = client.get_booking("5BTviwpTVSbHcHEjF7hFtJ")

    assert payload["uid"] == "5BTviwpTVSbHcHEjF7hFtJ"


def test_a_recurring_uid_is_a_list_of_its_occurrences(script, client):
    script.will(recording("128"))

    payloads = client.get_booking("6471ee1d-e25f-46e3-9ee3-f452f96f86e0")

    assert len({payload["uid"] for payload in payloads}) == len(payloads) > 1


@pytest.mark.parametrize(
    "body", [[], {"data": None}, {"data": []}, {"data": {"id": 1}}]
)
def test_something_else_than_a_booking_is_unexpected(script, client, body):
    script.will(reply(body))

    with pytest.raises(CalUnexpected, match="expected a booking or a list of bookings"):
        client.get_booking("a")


def test_me_and_event_types_are_read(script, client):
    script.will(recording("359"), recording("007"))

    assert client.me()["email"] == "alice@example.com"
    assert len(client.event_types()) == 6
    assert script.requests[1].headers["cal-api-version"] == "2024-06-14"


@pytest.mark.parametrize("body", [{}, {"data": [1]}, Reply])
def test_something_else_than_a_user_or_event_types_is_unexpected(script, client, body):
    answer = Reply(204) if body is Reply else reply(body)
    script.will(answer, answer)

    with pytest.raises(CalUnexpected):
        client.me()
    with pytest.raises(CalUnexpected):
        client.event_types()
