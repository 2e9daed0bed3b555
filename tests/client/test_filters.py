"""The filters of a list, against the fake: each lists what it says, over pages, in both dialects."""

from datetime import datetime

import pytest

from cal_bookings.client import ApiKey, CalClient, Filters
from cal_bookings.testing import FakeCal, Person

BOTH = pytest.mark.parametrize(
    "cal", [{"dialect": "cursor"}, {"dialect": "offset"}], indirect=True
)
ADA = Person("Ada Lovelace", "ada+1@example.net")


@pytest.fixture
def cal(request):
    with FakeCal(bookings=20, **getattr(request, "param", {})) as cal:
        cal.book(attendees=[ADA])
        cal.book(event_type="support", attendees=[ADA])
        yield cal


def listed(cal, page_size=3, **filters):
    """The uids that all pages show."""
    wanted, seen, position = Filters(**filters), [], None
    with CalClient(cal.url, ApiKey(cal.api_key)) as client:
        while True:
            page = client.list_bookings(position, filters=wanted, page_size=page_size)
            seen += [each["uid"] for each in page.payloads]
            position = page.next
            if position is None:
                return seen


def uids(cal, holds):
    return {each["uid"] for each in cal.payloads(cal.users[1]) if holds(each)}


@BOTH
def test_people_event_types_and_teams_are_filters(cal):
    of_ada = uids(cal, lambda each: each["attendees"][0]["email"] == ADA.email)
    support = cal.event_type(cal.users[1], "support").id
    of_support = uids(cal, lambda each: each["eventTypeId"] == support)

    assert len(of_ada) == 2
    assert set(listed(cal, attendee_email=ADA.email)) == of_ada
    assert set(listed(cal, attendee_name=ADA.name)) == of_ada
    assert set(listed(cal, attendee_name="ada lovelace")) == set()
    assert set(listed(cal, event_type_ids=(support, 9999))) == of_support
    assert set(listed(cal, team_ids=(1,))) == of_support
    first = min(of_ada)
    assert listed(cal, booking_uid=first) == [first]


@BOTH
def test_statuses_are_filters_one_or_more(cal):
    now = cal.clock.now().isoformat()
    cancelled = uids(cal, lambda each: each["status"] in ("cancelled", "rejected"))
    past = uids(cal, lambda each: each["end"] < now) - cancelled

    assert set(listed(cal, statuses=("past",))) == past
    assert set(listed(cal, statuses=("past", "cancelled"))) == past | cancelled


@BOTH
def test_times_bound_a_list_from_both_sides(cal):
    rows = {each["uid"]: each for each in cal.payloads(cal.users[1])}
    times = sorted(each["createdAt"] for each in rows.values())
    middle = times[len(times) // 2]

    older = listed(cal, before_created=datetime.fromisoformat(middle))
    assert set(older) == {
        uid for uid, each in rows.items() if each["createdAt"] <= middle
    }


@BOTH
@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("start", "start"),
        ("end", "end"),
        ("created", "createdAt"),
        ("updated", "updatedAt"),
    ],
)
def test_a_list_is_sorted_over_its_pages(cal, sort, key):
    rows = {each["uid"]: each[key] for each in cal.payloads(cal.users[1])}

    first, last = listed(cal, sort=sort), listed(cal, sort=f"-{sort}")

    assert len(first) >= len(rows)
    assert set(first) == set(last) == set(rows)
    values = [rows[uid] for uid in dict.fromkeys(first)]
    assert values == sorted(values)
    values = [rows[uid] for uid in dict.fromkeys(last)]
    assert values == sorted(values, reverse=True)
