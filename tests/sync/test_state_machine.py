"""Whatever happens on Cal.com, on the network and to our processes: the mirror ends equal to the remote.

A random history of remote changes, walks in stretches, slow pages, faults and crashes at any statement. What each loop
promises is asserted as soon as it is complete and nothing happened meanwhile; the full loop repairs everything, so
that asserting only behind it would prove nothing of the others.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import ClassVar

import pytest
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from cal_bookings import budget, mirror, sync
from cal_bookings.models import Account, Booking, BookingChange, Mode, SyncState
from cal_bookings.testing import Clock, FakeCal
from tests.comparison import actual, expected
from tests.histories import Crash, crash_at, run

SEEDS = st.integers(0, 2**16)
OPTIONS = {"PAGE_SIZE": 4, "OVERLAP_SECONDS": 1}


class Remote(RuleBasedStateMachine):
    """What each loop may not have seen yet is remembered, and nothing else."""

    #: Points CAL_BOOKINGS at a Cal.com; set by the test.
    configure: ClassVar[Callable[[FakeCal], None]]

    @initialize(
        bookings=st.integers(0, 9),
        dialect=st.sampled_from(["cursor", "offset"]),
        offset=st.integers(-3600, 3600),
        seed=SEEDS,
    )
    def a_cal_com(self, bookings, dialect, offset, seed):
        clock = Clock(timezone.now() + timedelta(seconds=offset))
        clock.stop()
        options = {"dialect": dialect, "seed": seed, "clock": clock}
        self.cal = FakeCal(bookings=bookings, **options).__enter__()
        type(self).configure(self.cal)
        self.account = Account.objects.configured().get()
        self.slow_pages = []
        #: Changed without moving updatedAt, or out of our list: the changes loop cannot know.
        self.silent = set()
        #: Gone, or in somebody else's list: only the full loop can know.
        self.left = set()

    def teardown(self):
        if hasattr(self, "cal"):
            self.cal.__exit__()
        Account.objects.all().delete()

    # What happens on Cal.com

    @rule(seed=SEEDS, seconds=st.integers(1, 4000))
    def something_changes(self, seed, seconds):
        self.cal.clock.advance(timedelta(seconds=seconds))
        self.change(seed)

    def change(self, seed):
        before = {uid: row.payload for uid, row in self.cal.rows.items()}
        self.cal.change_something(Random(seed))
        self.note(before)

    def note(self, before):
        for uid, payload in before.items():
            row = self.cal.rows.get(uid)
            if row is None or 1 not in row.users:
                self.left.add(uid)
            elif row.payload != payload:
                moved = row.payload["updatedAt"] != payload["updatedAt"]
                (self.silent.discard if moved else self.silent.add)(uid)
        for uid in self.cal.rows.keys() - before.keys():
            if 1 not in self.cal.rows[uid].users:
                self.left.add(uid)

    @precondition(lambda self: self.cal.rows)
    @rule(seed=SEEDS)
    def a_booking_is_deleted(self, seed):
        uid = Random(seed).choice(list(self.cal.rows))
        self.cal.delete(uid)
        self.left.add(uid)

    @precondition(lambda self: self.cal.rows)
    @rule(seed=SEEDS)
    def many_are_cancelled_at_once(self, seed):
        rng = Random(seed)
        self.cal.clock.advance(timedelta(seconds=30))
        uids = list(self.cal.rows)
        for uid in rng.sample(uids, rng.randint(1, len(uids))):
            self.cal.cancel(uid, "The office burnt down")
            self.silent.discard(uid)

    @rule(seconds=st.integers(1, 100_000))
    def time_passes(self, seconds):
        self.cal.clock.advance(timedelta(seconds=seconds))

    # What happens to us

    @rule(
        mode=st.sampled_from(Mode),
        max_pages=st.one_of(st.none(), st.integers(1, 3)),
        statement=st.one_of(st.none(), st.integers(1, 60)),
        meanwhile=st.lists(SEEDS, max_size=3),
        fault=st.sampled_from(["", "", "shape", "html", "repeat-cursor"]),
        skip=st.integers(0, 4),
    )
    def a_walk(self, mode, max_pages, statement, meanwhile, fault, skip):
        changes = list(meanwhile)

        def change(request):
            if changes and request.path == "/bookings":
                self.cal.clock.advance(timedelta(seconds=2))
                self.change(changes.pop())

        self.cal.on_request = change
        budget.reset(self.account)  # or a few faults in a row would pause the account
        if fault:
            self.cal.fault(fault, skip=skip, times=1)
        try:
            with crash_at(statement):
                sync.walk(self.account, mode, max_pages=max_pages)
        except Crash:
            SyncState.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        self.cal.on_request = None
        self.cal.faults.clear()
        self.account.refresh_from_db()

    @rule()
    def a_page_is_asked_for_and_is_slow(self):
        self.slow_pages.append((timezone.now(), self.cal.payloads(self.cal.users[1])))

    @precondition(lambda self: self.slow_pages)
    @rule()
    def the_slow_page_arrives(self):
        asked_at, payloads = self.slow_pages.pop(0)
        # What is gone meanwhile comes with it, and only the full loop can know.
        mirror.upsert(
            self.account,
            payloads,
            asked_at=asked_at,
            api_version="2024-08-13",
            source=BookingChange.Source.WALK,
        )

    @rule()
    def somebody_refreshes_a_booking(self):
        uids = self.cal.bookings
        if uids:
            with self.account.connect() as connected:
                mirror.refresh(self.account, uids[-1], connection=connected)

    # What each loop promises

    @rule()
    def the_changes_loop_has_seen_every_update(self):
        self.complete(Mode.CHANGES)
        self.compare(self.silent | self.left)
        self.is_idle(Mode.CHANGES)

    @rule()
    def the_window_loop_has_seen_everything_near(self):
        self.complete(Mode.WINDOW)
        now = timezone.now()
        far = {
            booking.uid
            for booking in Booking.objects.exclude(
                start__gte=now - timedelta(days=6), end__lte=now + timedelta(days=59)
            )
        }
        known = set(Booking.objects.values_list("uid", flat=True))
        self.compare(far | self.left, only=known)

    @rule()
    def the_full_loop_has_seen_everything(self):
        self.complete(Mode.FULL)
        for booking in Booking.objects.all():
            is_gone = booking.uid not in self.cal.rows
            assert (booking.missing_since is not None) == is_gone
        self.silent.clear()
        self.left.clear()
        # What was in somebody else's list from the beginning was never ours.
        self.left.update(
            uid for uid, row in self.cal.rows.items() if 1 not in row.users
        )
        self.compare(self.left)
        self.is_idle(Mode.FULL)

    def complete(self, mode):
        """To the end of a walk that began now: one under way may have begun before the last change."""
        budget.reset(self.account)
        for _ in range(2):
            run = sync.walk(self.account, mode)
            assert run.outcome == "complete", run.error
            assert not run.failed

    def compare(self, unknown, only=None):
        """Every booking of ours, apart from those this loop cannot know, equals the remote field by field."""
        rows = {
            row.uid: actual(row)
            for row in Booking.objects.prefetch_related("hosts", "attendees")
        }
        for uid, row in self.cal.rows.items():
            if uid not in unknown and (only is None or uid in only):
                assert rows[uid] == expected(row.payload)

    def is_idle(self, mode):
        """One more poll writes nothing."""
        before = BookingChange.objects.count()
        run = sync.walk(self.account, mode)
        assert (run.created, run.updated, run.missing) == (0, 0, 0)
        assert BookingChange.objects.count() == before

    @invariant()
    def no_booking_is_there_twice(self):
        uids = list(Booking.objects.values_list("uid", flat=True))
        assert len(uids) == len(set(uids))


def test_the_mirror_ends_equal_to_the_remote(db, settings):
    run(Remote, settings, examples=25, steps=20, **OPTIONS)


@pytest.mark.exhaustive
def test_the_mirror_ends_equal_to_the_remote_in_thousands_of_histories(db, settings):
    run(Remote, settings, examples=2000, steps=30, derandomize=False, **OPTIONS)
