"""An offset walk sees every booking that is there all along, whatever else happens."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from cal_bookings.client.dialects import UnexpectedAnswer
from cal_bookings.client.offset_walk import OffsetPlace

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass
class RemoteList:
    """Cal.com's list by createdAt, in which equal rows come in another order each time."""

    random: Random
    lies_about_more: bool
    created: dict[int, int] = field(default_factory=dict)
    newest: int = 0

    def append(self, gap):
        self.newest += gap
        self.created[len(self.created) + 1000 * self.newest] = self.newest

    def enter(self, moment):
        """A row of old that a filter now lets through."""
        self.created[-len(self.created) - 1000 * moment] = moment

    def delete(self, share):
        for row in list(self.created):
            if self.random.random() < share:
                del self.created[row]

    def page(self, skip, take) -> dict[str, Any]:
        rows = sorted(
            self.created, key=lambda row: (self.created[row], self.random.random())
        )
        more = self.lies_about_more or skip + take < len(rows)
        data = [self._payload(row) for row in rows[skip : skip + take]]
        return {"data": data, "pagination": {"hasNextPage": more}}

    def _payload(self, row):
        moment = MIDNIGHT + timedelta(milliseconds=self.created[row])
        return {"uid": str(row), "createdAt": moment.isoformat()}


# Gap to the row before, in ms: a zero ties, and never more than three rows do.
GAPS = st.lists(st.sampled_from([1, 1, 1, 5]), max_size=60).map(
    lambda gaps: [gap for gap in gaps for gap in ((gap, 0, 0) if gap == 5 else (gap,))]
)


@example(
    gaps=[1, 1, 1, 5, 0, 0, 1, 1],
    page_size=6,
    lies=True,
    seed=0,
    events=["enter", "enter", "enter", "nothing", "append"],
)
@given(
    gaps=GAPS,
    page_size=st.integers(5, 12),
    lies=st.booleans(),
    seed=st.integers(0, 2**32),
    events=st.lists(
        st.sampled_from(["nothing", "delete one", "delete many", "append", "enter"]),
        max_size=25,
    ),
)
def test_every_booking_that_stays_is_seen_and_the_walk_ends(
    gaps, page_size, lies, seed, events
):
    random = Random(seed)
    remote = RemoteList(random, lies)
    for gap in gaps:
        remote.append(gap)
    stays, seen, asked = set(remote.created), set(), 0
    place: OffsetPlace | None = OffsetPlace()

    while place is not None:
        page = remote.page(place.skip, page_size)
        seen |= {int(row["uid"]) for row in page["data"]}
        place = place.following(page, page_size)
        asked += 1
        assert asked < 500
        match events.pop() if events else "nothing":
            case "delete one" if remote.created:
                del remote.created[random.choice(list(remote.created))]
            case "delete many":
                remote.delete(0.5)
            case "append":
                remote.append(1)
            case "enter" if remote.created:
                remote.enter(random.randint(0, remote.newest))
        stays &= set(remote.created)

    assert stays <= seen


@given(
    rows=st.lists(
        st.one_of(
            st.none(),
            st.integers(),
            st.just({}),
            st.builds(lambda uid: {"uid": uid}, st.text()),
            st.builds(lambda moment: {"createdAt": moment}, st.just("yesterday")),
        ),
        max_size=30,
    ),
    page_size=st.integers(2, 10),
)
def test_rows_without_a_time_are_all_seen(rows, page_size):
    place: OffsetPlace | None = OffsetPlace()
    seen, asked = [], 0
    numbered = [[number, row] for number, row in enumerate(rows)]

    while place is not None:
        data = numbered[place.skip : place.skip + page_size]
        seen += [number for number, _row in data]
        place = place.following(
            {"data": data, "pagination": {"hasNextPage": True}}, page_size
        )
        asked += 1
        assert asked < 100

    assert set(seen) == set(range(len(rows)))


@pytest.mark.parametrize("size", [3, 7, 20])
def test_more_ties_than_fit_on_a_page_do_not_stop_the_walk(size):
    rows = [
        {"uid": str(number), "createdAt": MIDNIGHT.isoformat()}
        for number in range(size)
    ]
    place: OffsetPlace | None = OffsetPlace()
    seen = set()

    while place is not None:
        data = rows[place.skip : place.skip + 3]
        seen |= {row["uid"] for row in data}
        more = place.skip + 3 < size
        place = place.following({"data": data, "pagination": {"hasNextPage": more}}, 3)

    assert len(seen) == size


def shuffled(seed, rows=100, page_size=20):
    """Walks a list that comes in another order with each page; fails if that takes more than 500 pages."""
    random = Random(seed)
    listed = [
        {"uid": str(n), "createdAt": (MIDNIGHT + timedelta(seconds=n)).isoformat()}
        for n in range(rows)
    ]
    place: OffsetPlace | None = OffsetPlace()
    for _ in range(500):
        if place is None:
            return
        random.shuffle(listed)
        data = listed[place.skip : place.skip + page_size]
        more = place.skip + page_size < rows
        pagination = {"hasNextPage": more}
        place = place.following({"data": data, "pagination": pagination}, page_size)
    pytest.fail("the walk goes on")


def test_a_server_that_shuffles_ends_in_an_error_and_not_in_endless_pages():
    errors = 0
    for seed in range(50):
        try:
            shuffled(seed)
        except UnexpectedAnswer:
            errors += 1

    assert errors >= 45


@pytest.mark.parametrize("unreadable", [{0}, {1}, {41}, {99}, {0, 1, 2}, {40, 41, 98}])
def test_a_row_that_the_server_cannot_show_can_be_passed(unreadable):
    rows = [
        {"uid": str(n), "createdAt": (MIDNIGHT + timedelta(seconds=n)).isoformat()}
        for n in range(100)
    ]
    place: OffsetPlace | None = OffsetPlace()
    seen, passed, size = set(), 0, 20

    while place is not None:
        asked = range(place.skip, min(place.skip + size, 100))
        if unreadable.isdisjoint(asked):
            data = rows[asked.start : asked.stop]
            seen |= {int(row["uid"]) for row in data}
            pagination = {"hasNextPage": asked.stop < 100}
            place = place.following({"data": data, "pagination": pagination}, size)
        elif size > place.smallest:
            size = max(place.smallest, size // 2)
        else:
            place, size, passed = place.past(), 20, passed + 1

    assert seen == set(range(100)) - unreadable
    assert passed == len(unreadable)
