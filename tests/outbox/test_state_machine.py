"""Whatever is wanted, whatever happens on Cal.com meanwhile, whatever is lost: each effect once at most, and done if there.

A random history of wishes, changes on Cal.com, turns of workers that meet faults, crash at any statement or are overtaken
by another worker, of requests that are carried out late, and of time. The fake's journal is the judge.

What is drawn is aimed: at the bookings that somebody wants something of, and at the moments in which a mistake shows.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from cal_bookings import budget, outbox
from cal_bookings.models import Account, Booking, BookingAction, Host
from cal_bookings.testing import FakeCal, Person
from tests.histories import Crash, at_statements, crash_at, run
from tests.outbox.conftest import LONG_AGO, SERVERS, WRITES, mirror_now, pass_time
from tests.outbox.judge import (
    MAY_HAVE_TAKEN_EFFECT,
    NOT_TOLD_APART,
    bookings_of,
    effect_of,
    is_over,
    is_refused_twice,
    is_so,
    undo,
)

SEEDS = st.integers(0, 2**16)
SETTLE = 600  # seconds
LEASE = 300  # seconds
OPTIONS = {"ACTION_SETTLE_SECONDS": SETTLE, "LEASE_SECONDS": LEASE}

WISHES = ("reschedule", "request", "cancel", "cancel the rest", "confirm", "decline", "reassign", "absent", "location", "add", "remove", "guests", "create")  # fmt: skip
#: The request reaches Cal.com twice: one whose answer was lost is carried out just before the one that is answered.
TWICE = "twice"
#: What becomes of the request of a turn; nothing special, most often.
FAULTS = ("", "", "", "", TWICE, TWICE, "reset", "500-applied", "truncated", "garbled", "late", "late", "late", "dropped", "500", "unapplied", "429")  # fmt: skip
#: What somebody else does to a booking. It makes a wish pointless, or makes it so, or does not matter.
CHANGES = ("cancel", "cancel", "confirm", "decline", "reschedule", "set_location", "touch")  # fmt: skip
#: What may happen between the look and the request.
MEANWHILE = ("", "", "", "", "", "", *CHANGES)
#: What somebody does between the effect and the first look.
BEFORE_THE_LOOK = ("", "", "", "undoes it", "moves it")
#: What becomes of the worker in its turn.
FATES = ("lives", "lives", "lives", "crashes", "is overtaken", "is overtaken")
#: The error codes of what could not be read in so many attempts.
UNSEEN = ("unverified", "unavailable", "unexpected")


def something_was_wanted(machine):
    """The same in each run of a history: what a slow machine makes of the wishes must not decide what may happen next."""
    return machine.wishes > 0


class Office(RuleBasedStateMachine):
    #: Points CAL_BOOKINGS at a Cal.com; set by the test.
    configure: ClassVar[Callable[[FakeCal], None]]

    @initialize(dialect=st.sampled_from(["cursor", "offset"]), seed=SEEDS)
    def a_cal_com(self, dialect, seed):
        self.cal = FakeCal(dialect=dialect, seed=seed).__enter__()
        type(self).configure(self.cal)
        self.account = Account.objects.configured().get()
        self.account.dialect, self.account.server = dialect, SERVERS[dialect]
        self.account.save()
        self.wishes = 0
        self.late_for = 0  # seconds
        #: The bookings that somebody else did something to, in order.
        self.changed = []
        #: Actions whose request reached Cal.com twice: one came later than it can, and nobody can tell what it did.
        self.doubled = set()
        #: How many of them there were when Cal.com was first asked to do an action.
        self.asked = {}
        people = [Person(f"P{n}", f"p{n}@example.net") for n in range(3)]
        cal = self.cal
        for kind in ("normal", "normal", "confirm", "confirm", "round-robin"):
            cal.book(event_type=kind, attendees=people[:2])
        cal.book(event_type="seated", attendees=people)
        cal.book(event_type="seated", attendees=[Person("Q", "q@example.net")])
        start = cal.clock.now() - timedelta(hours=3)
        cal.book(start=start.replace(microsecond=0), attendees=people)
        for uid in cal.book_series(3, attendees=people[:1])[:2]:
            cal.edit(uid, status="pending")
        for uid in cal.bookings:
            mirror_now(cal, self.account, uid)

    def teardown(self):
        if hasattr(self, "cal"):
            try:
                self.everything_ends()
            finally:
                self.cal.__exit__()
                Account.objects.all().delete()

    # What people want

    @rule(kind=st.sampled_from(WISHES), which=st.integers(0, 9), seed=SEEDS)
    def somebody_wants_something(self, kind, which, seed):
        """Of a booking that it can be done to, if there is one."""
        bookings = list(Booking.objects.order_by("pk"))
        self.wishes += 1
        rng = Random(seed)
        for booking in bookings[which:] + bookings[:which]:
            start = booking.start + timedelta(minutes=47 * self.wishes)
            try:
                self.want(kind, rng, booking, f"wish {self.wishes}", start)
            except outbox.Refused:
                continue
            return

    def want(self, kind, rng, booking, text, start):
        if rng.random() < 0.3:
            start = self.start_of_another(booking) or start
        people = list(booking.attendees.all())
        seats = [one.seat_uid for one in people if one.seat_uid]
        email = rng.choice([one.email for one in people] or ["nobody@example.net"])
        new = f"guest{self.wishes}@example.net"
        seat = rng.choice(["", *seats])
        host = self.host(rng.choice([2, 3]))
        place = {"type": "link", "link": text}
        {
            "reschedule": lambda: outbox.reschedule(booking, start=start, reason=text, seat_uid=seat),
            "request": lambda: outbox.request_reschedule(booking, reason=text),
            "cancel": lambda: outbox.cancel(booking, reason=text, seat_uid=seat),
            "cancel the rest": lambda: outbox.cancel(booking, reason=text, subsequent=True),
            "confirm": lambda: outbox.confirm(booking),
            "decline": lambda: outbox.decline(booking, reason=text),
            "reassign": lambda: outbox.reassign(booking, host=host, reason=text),
            "absent": lambda: outbox.mark_absent(booking, attendees=[email]),
            "location": lambda: outbox.update_location(booking, location=place),
            "add": lambda: outbox.add_attendee(booking, name="Zoë", email=new, time_zone="UTC"),
            "remove": lambda: outbox.remove_attendee(booking, email=email),
            "guests": lambda: outbox.add_guests(booking, guests=[new]),
            "create": lambda: self.create(rng),
        }[kind]()  # fmt: skip

    def start_of_another(self, booking):
        """Two seated bookings of one event type become one there."""
        others = Booking.objects.filter(
            event_type=booking.event_type, status="accepted"
        )
        others = others.exclude(start=booking.start).order_by("pk")
        is_seated = booking.event_type and booking.event_type.slug == "workshop"
        return others.values_list("start", flat=True).first() if is_seated else None

    def host(self, number):
        user = self.cal.users[number]
        return Host(account=self.account, remote_id=user.id, email=user.email)

    def create(self, rng):
        """On an own event type, one with seats, a series of a length that nobody says, or that of somebody else; by number or
        by slug; or at once with a team.
        """
        zoe = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"}
        if rng.random() < 0.15:
            team: dict[str, Any] = {
                "event_type_slug": "support",
                "team_slug": "team-1",
            }
            return outbox.create(self.account, attendee=zoe, instant=True, **team)
        kind = rng.choice(["normal", "normal", "confirm", "seated", "recurring"])
        host = self.cal.users[rng.choice([1, 1, 1, 2])]
        event_type = self.cal.event_type(host, kind)
        named: dict[str, Any] = {"event_type_id": event_type.id}
        if rng.random() < 0.3:
            named = {"event_type_slug": event_type.slug, "username": host.username}
        return outbox.create(
            self.account,
            start=self.cal._some_start()
            + timedelta(days=60, minutes=rng.randrange(50)),
            attendee=zoe,
            **named,
        )

    @precondition(something_was_wanted)
    @rule(seed=SEEDS)
    def somebody_thinks_again(self, seed):
        queued = list(BookingAction.objects.filter(status="queued").order_by("pk"))
        if queued:
            outbox.withdraw(Random(seed).choice(queued))

    # What happens on Cal.com

    @rule(kind=st.sampled_from(CHANGES), which=st.integers(0, 12))
    def something_changes(self, kind, which):
        """To a booking of which something is wanted, if there is one: only there it matters."""
        wanted = BookingAction.objects.open().exclude(booking=None).order_by("pk")
        uids = list(wanted.values_list("booking__uid", flat=True)) + self.cal.bookings
        self.change(kind, uids[which % len(uids)])

    def change(self, kind, uid):
        before = self.cal.payload(uid)
        if kind == "reschedule" and before["status"] not in ("accepted", "pending"):
            return
        if kind == "set_location":
            self.cal.set_location(uid, "Elsewhere")
        else:
            getattr(self.cal, kind)(uid)
        self.changed.append(uid)

    @precondition(something_was_wanted)
    @rule(which=st.integers(0, 3), moves=st.booleans())
    def somebody_undoes_what_nobody_has_seen_yet(self, which, moves):
        unknown = list(BookingAction.objects.filter(status="unknown").order_by("pk"))
        if unknown:
            self.undo(unknown[which % len(unknown)], moves=moves)

    def undo(self, action, *, moves):
        if action.pk not in self.doubled:
            self.changed += undo(self.cal, action, moves=moves)

    @rule(seed=SEEDS)
    def a_walk_sees_a_booking(self, seed):
        mirror_now(self.cal, self.account, Random(seed).choice(self.cal.bookings))

    @precondition(something_was_wanted)
    @rule()
    def late_requests_are_carried_out(self):
        self.cal.carry_out_late()
        self.late_for = 0

    # What happens to us

    @precondition(something_was_wanted)
    @rule(seconds=st.sampled_from([10, 100, LEASE + 1]))
    def time_passes(self, seconds):
        """What is late is not later than Cal.com can be: the time in which an action settles."""
        if self.cal.actions.late:
            self.late_for += seconds
            if self.late_for > SETTLE - 60:
                self.late_requests_are_carried_out()
        pass_time(timedelta(seconds=seconds))

    @precondition(something_was_wanted)
    @rule(
        which=st.integers(0, 3),
        fault=st.sampled_from(FAULTS),
        meanwhile=st.sampled_from(MEANWHILE),
        fate=st.sampled_from(FATES),
        before_the_look=st.sampled_from(BEFORE_THE_LOOK),
        unreadable=st.sampled_from([0, 0, 0, 0, 1, 2]),
        statement=st.integers(1, 45),
    )
    def a_worker_takes_a_turn(
        self, which, fault, meanwhile, fate, before_the_look, unreadable, statement
    ):
        action = self.comes_to_its_turn(which)
        if action is None:
            return
        twice = fault == TWICE and is_refused_twice(action)
        if fault and fault != TWICE:
            for method in WRITES:
                self.cal.fault(fault, method=method, retry_after=0)
        if unreadable:
            self.cal.fault("shape", method="GET", skip=unreadable - 1)
        self.cal.on_request = self.around_the_request(
            action, meanwhile, twice, "" if twice else before_the_look
        )
        over = is_over(self.cal, action)
        self.cal.requests.clear()
        crash = statement if fate == "crashes" else 0
        self.turn(action.pk, crash, overtaken=fate == "is overtaken")
        self.cal.on_request = None
        self.cal.faults.clear()
        sent = [one for one in self.cal.requests if one.method in WRITES]
        assert not (over and sent), f"{action} was sent to what takes place no longer"

    def comes_to_its_turn(self, which):
        """What waits for the time that a history takes would be another history each time: so its time comes."""
        first = BookingAction.objects.open().first_in_lane().select_related("booking")
        ready = list(first.order_by("pk"))
        if not ready:
            return None
        action = ready[which % len(ready)]
        due_at = max(action.next_attempt_at, action.lease_until or LONG_AGO)
        wait = due_at - timezone.now()
        if wait > timedelta(0):
            self.time_passes(wait.total_seconds() + 0.001)
        return action

    def around_the_request(self, action, meanwhile, twice, before_the_look):
        """Once, as soon as Cal.com is asked to do something; and once before it is asked what became of it."""
        waiting, afterwards = [meanwhile], [before_the_look]

        def happen(request):
            if not waiting and afterwards and request.method not in WRITES:
                how = afterwards.pop()
                if how:
                    self.undo(action, moves=how == "moves it")
            if not waiting or request.method not in WRITES:
                return
            self.asked.setdefault(action.pk, len(self.changed))
            change = waiting.pop()
            if change and action.booking:
                self.change(change, action.booking.uid)
            if twice:
                self.doubled.add(action.pk)
                self.cal.respond(request)

        return happen

    def turn(self, action_id, crash=0, *, overtaken=False):
        """A worker may die at a statement, or be so slow before it announces the request that another one takes over."""
        overtaking = [overtaken]

        def overtake(number, sql):
            announces = sql.startswith("UPDATE") and '"sent_at" = %s' in sql
            if overtaking[0] and announces and not connection.savepoint_ids:
                overtaking[0] = False
                self.time_passes(LEASE + 1)
                outbox.deliver(action_id)

        budget.reset(self.account)
        with suppress(Crash), crash_at(crash), at_statements(overtake):
            outbox.deliver(action_id)
        self.what_failed_is_not_so(action_id)
        if crash:
            self.time_passes(LEASE + 1)

    def what_failed_is_not_so(self, action_id):
        """Right after the turn: later on it may become so."""
        action = BookingAction.objects.select_related("booking").get(pk=action_id)
        if action.status == "failed" and action.error_code not in UNSEEN:
            assert not is_so(self.cal, action), (
                f"{action} failed ({action.error_code}), and is so"
            )

    def everything_ends(self):
        """Without faults, and with time, every action ends; what is late comes after one more turn of each."""
        self.time_passes(10)
        self.all_take_a_turn()
        self.late_requests_are_carried_out()
        for _ in range(150):
            if not BookingAction.objects.open().exists():
                break
            self.all_take_a_turn()
            self.time_passes(LEASE)
        assert not BookingAction.objects.open().exists(), "stuck"
        self.the_journal_agrees()

    def all_take_a_turn(self):
        for action_id in outbox.due(100):
            self.turn(action_id)

    # The judge

    @invariant()
    def the_journal_agrees(self):
        for action in BookingAction.objects.select_related("booking"):
            if self.has_twins(action):
                continue
            there = [one for one in self.cal.effects if effect_of(action)(one)]
            happened = Counter(one.uid for one in there)
            once = all(times == 1 for times in happened.values())
            assert once, f"{action} took effect {happened}"
            self.what_is_said_is_so(action, there)

    def has_twins(self, action):
        """Of a series, the answer to one occurrence is the answer to all."""
        twins = BookingAction.objects.filter(kind=action.kind, lane=action.lane)
        return action.kind in NOT_TOLD_APART and twins.count() > 1

    def what_is_said_is_so(self, action, there):
        since = self.asked.get(action.pk, len(self.changed))
        others = bookings_of(self.cal, action, there) & set(self.changed[since:])
        if action.status == "withdrawn":
            assert not there, f"{action} was withdrawn, and took effect"
        if action.status == "done":
            how = ended(action)
            # Others may have done it in the last moment.
            assert there or others or how in ("already so", "verified"), (
                f"{action}: {how}"
            )
        if action.status == "failed" and there:
            # Others undid it before it could be seen; or left only part of it to be done; or it is where we cannot look.
            code = action.error_code
            if "may have been booked all the same" in action.error_message:
                code = "partly"
            assert others or code in ("partly", "unverified"), (
                f"{action} failed ({code}), and took effect"
            )
            if action.pk in self.doubled:
                return
            lie = f"{action} took effect, and it is said that it did not: {code}"
            assert code in MAY_HAVE_TAKEN_EFFECT, lie
            assert "did not take effect" not in action.error_message, lie


def ended(action: BookingAction) -> str:
    """How its last attempt ended."""
    return action.history.order_by("-pk").values_list("outcome", flat=True)[0]


def test_each_effect_happens_once_and_is_known(db, settings):
    run(Office, settings, examples=15, steps=20, **OPTIONS)


@pytest.mark.exhaustive
def test_each_effect_happens_once_and_is_known_in_thousands_of_histories(db, settings):
    run(Office, settings, examples=1500, steps=30, derandomize=False, **OPTIONS)
