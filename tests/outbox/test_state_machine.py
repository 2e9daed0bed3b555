"""Whatever is wanted, whatever happens on Cal.com meanwhile, whatever is lost: each effect once at most, and done if there.

A random history of wishes, changes on Cal.com, turns of workers that meet faults, crash at any statement or are overtaken
by another worker, of requests that are carried out late, and of time. The fake's journal is the judge.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import ClassVar

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cal_bookings import budget, outbox
from cal_bookings.models import Account, Booking, BookingAction, Host
from cal_bookings.outbox.kinds.create import MARK
from cal_bookings.testing import FakeCal, Person
from tests.outbox.conftest import mirror_now, pass_time

SEEDS = st.integers(0, 2**16)
SETTLE = 600  # seconds
LEASE = 300  # seconds
FAULTS = ("reset", "truncated", "500-applied", "garbled", "dropped", "500", "unapplied", "late", "429")  # fmt: skip


WISHES = ("reschedule", "request", "cancel", "cancel the rest", "confirm", "decline", "reassign", "absent", "location", "add", "remove", "guests", "create")  # fmt: skip


class Crash(BaseException):
    """The process is gone at this statement."""


@contextmanager
def at_statements(step):
    """Calls `step(number, sql)` before each statement of this process."""
    executed = 0

    def execute(proceed, sql, params, many, context):
        nonlocal executed
        executed += 1
        step(executed, sql)
        return proceed(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


def effect_of(action: BookingAction) -> Callable[..., bool]:
    """Whether an effect in the journal is this action's: a wish of the machine can be told from all others."""
    wanted = action.parameters
    uid = action.booking.uid if action.booking else ""
    seat = wanted.get("seat_uid")
    if seat:
        return lambda one: (
            one.kind == f"{action.kind}_seat" and one.details["seat"] == seat
        )
    details = IN_THE_JOURNAL.get(action.kind, lambda it: {"reason": it["reason"]})
    told = details(wanted)
    return lambda one: (
        one.kind == action.kind
        and told.items() <= one.details.items()
        and (action.kind not in NOT_TOLD_APART or one.uid == uid)
    )


#: What the effect of each kind shows of its wish; the others show their reason.
IN_THE_JOURNAL = {
    "create": lambda it: {"metadata": {MARK: it["mark"]}},
    "confirm": lambda it: {},
    "mark_absent": lambda it: {"email": next(iter(it["attendees"]))},
    "update_location": lambda it: {"location": it["location"]["link"]},
    "add_attendee": lambda it: {"email": it["attendee"]["email"]},
    "remove_attendee": lambda it: {"email": it["email"]},
    "add_guests": lambda it: {"email": it["guests"][0]["email"]},
}
#: The same may be wanted again later, and looks the same.
NOT_TOLD_APART = ("confirm", "mark_absent", "remove_attendee")


def ended(action: BookingAction) -> str:
    """How its last attempt ended."""
    return action.history.order_by("-pk").values_list("outcome", flat=True)[0]


class Office(RuleBasedStateMachine):
    #: Points CAL_BOOKINGS at a Cal.com; set by the test.
    configure: ClassVar[Callable[[FakeCal], None]]

    @initialize(dialect=st.sampled_from(["cursor", "offset"]), seed=SEEDS)
    def a_cal_com(self, dialect, seed):
        self.cal = FakeCal(dialect=dialect, seed=seed).__enter__()
        type(self).configure(self.cal)
        self.account = Account.objects.configured().get()
        self.account.dialect = dialect
        self.account.save()
        self.wishes = 0
        self.late_for = 0  # seconds
        #: When somebody else did something to a booking.
        self.changed = {}
        people = [Person(f"P{n}", f"p{n}@example.net") for n in range(3)]
        cal = self.cal
        for kind in ("normal", "normal", "confirm", "confirm", "round-robin"):
            cal.book(event_type=kind, attendees=people[:2])
        cal.book(event_type="seated", attendees=people)
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

    def host(self, number):
        user = self.cal.users[number]
        return Host(account=self.account, remote_id=user.id, email=user.email)

    def create(self, rng):
        kind = rng.choice(["normal", "confirm"])
        return outbox.create(
            self.account,
            event_type_id=self.cal.event_type(self.cal.users[1], kind).id,
            start=self.cal._some_start()
            + timedelta(days=60, minutes=rng.randrange(50)),
            attendee={"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"},
        )

    @precondition(lambda self: BookingAction.objects.filter(status="queued").exists())
    @rule(seed=SEEDS)
    def somebody_thinks_again(self, seed):
        queued = list(BookingAction.objects.filter(status="queued").order_by("pk"))
        outbox.withdraw(Random(seed).choice(queued))

    # What happens on Cal.com

    @rule(seed=SEEDS)
    def something_changes(self, seed):
        rng = Random(seed)
        uid = rng.choice(list(self.cal.rows))
        before = self.cal.payload(uid)
        kind = rng.choice(
            ["cancel", "confirm", "decline", "reschedule", "set_location", "touch"]
        )
        if kind == "reschedule" and before["status"] not in ("accepted", "pending"):
            return
        if kind == "set_location":
            self.cal.set_location(uid, f"Room {seed}")
        else:
            getattr(self.cal, kind)(uid)
        self.changed[uid] = self.cal.clock.now()

    @rule(seed=SEEDS)
    def a_walk_sees_a_booking(self, seed):
        mirror_now(self.cal, self.account, Random(seed).choice(list(self.cal.rows)))

    @rule()
    def late_requests_are_carried_out(self):
        self.cal.carry_out_late()
        self.late_for = 0

    # What happens to us

    @rule(seconds=st.integers(1, 400))
    def time_passes(self, seconds):
        """What is late is not later than Cal.com can be: the time in which an action settles."""
        if self.cal.actions.late:
            self.late_for += seconds
            if self.late_for > SETTLE - 60:
                self.late_requests_are_carried_out()
        pass_time(timedelta(seconds=seconds))

    @precondition(lambda self: bool(outbox.due(1)))
    @rule(
        fault=st.sampled_from(["", "", *FAULTS]),
        unreadable=st.sampled_from([0, 0, 0, 1, 2]),
        crash=st.one_of(st.none(), st.none(), st.integers(1, 45)),
        overtaken=st.booleans(),
        meanwhile=st.one_of(st.none(), SEEDS),
    )
    def a_worker_takes_a_turn(self, fault, unreadable, crash, overtaken, meanwhile):
        budget.reset(self.account)
        action_id = outbox.due(1)[0]
        if fault:
            for method in ("POST", "PATCH", "DELETE"):
                self.cal.fault(fault, method=method, retry_after=0)
        if unreadable:
            self.cal.fault("shape", method="GET", skip=unreadable - 1)
        waiting = [meanwhile] if meanwhile is not None else []

        def change(request):
            if waiting and request.method != "GET":
                self.something_changes(waiting.pop())

        self.cal.on_request = change
        before, over = len(self.cal.effects), self.is_over(action_id)
        self.turn(action_id, crash, overtaken)
        self.cal.on_request = None
        self.cal.faults.clear()
        if over:
            assert len(self.cal.effects) == before, "done to what takes place no longer"

    def is_over(self, action_id):
        """Whether somebody cancelled or rejected the booking since it was wanted, and Cal.com shows it."""
        action = BookingAction.objects.select_related("booking").get(pk=action_id)
        if action.booking is None:
            return False
        now = self.cal.payload(action.booking.uid)["status"]
        return action.seen["active"] and now in ("cancelled", "rejected")

    def turn(self, action_id, crash, overtaken):
        """A turn that ends at a statement, or in which another worker takes over just before the request is announced."""
        overtaking = [overtaken]

        def step(number, sql):
            if crash and number >= crash and not sql.startswith("ROLLBACK"):
                raise Crash
            announces = sql.startswith("UPDATE") and '"sent_at" = %s' in sql
            if overtaking[0] and announces and not connection.needs_rollback:
                overtaking[0] = False
                pass_time(timedelta(seconds=LEASE + 1))
                outbox.deliver(action_id)

        try:
            with at_statements(step):
                outbox.deliver(action_id)
        except Crash:
            pass_time(timedelta(seconds=LEASE + 1))

    def everything_ends(self):
        """Without faults, and with time, every action ends."""
        self.late_requests_are_carried_out()
        for _ in range(150):
            if not BookingAction.objects.open().exists():
                break
            budget.reset(self.account)
            for action_id in outbox.due(100):
                outbox.deliver(action_id)
            pass_time(timedelta(seconds=LEASE))
        assert not BookingAction.objects.open().exists(), "stuck"
        self.what_is_said_is_so()

    # The judge

    @invariant()
    def each_effect_happens_once_at_most(self):
        if not hasattr(self, "cal"):
            return
        for action in BookingAction.objects.select_related("booking"):
            happened = Counter(
                one.uid for one in self.cal.effects if self.is_effect(action, one)
            )
            assert all(times == 1 for times in happened.values()), (
                f"{action} took effect {happened}"
            )

    def is_effect(self, action, one):
        return effect_of(action)(one) and not self.has_twins(action)

    def has_twins(self, action):
        twins = BookingAction.objects.filter(kind=action.kind, booking=action.booking)
        return action.kind in NOT_TOLD_APART and twins.count() > 1

    @invariant()
    def what_is_said_is_so(self):
        if not hasattr(self, "cal"):
            return
        for action in BookingAction.objects.select_related("booking"):
            there = [one for one in self.cal.effects if self.is_effect(action, one)]
            if action.status == "withdrawn":
                assert not there
            if action.status == "done" and not self.has_twins(action):
                how = ended(action)
                assert there or how in ("already so", "verified"), f"{action}: {how}"
            if action.status == "failed" and there:
                # It was there, and somebody undid it before it could be seen; or only part of it was.
                uid = action.booking.uid if action.booking else there[0].uid
                since = self.changed.get(uid)
                undone = since is not None and since >= there[0].at
                assert undone, f"{action} failed ({action.error_code}), and took effect"


def run(settings_of_test, examples, steps, *, derandomize=True):
    def configure(cal):
        account = {"API_KEY": cal.api_key, "BASE_URL": cal.url}
        settings_of_test.CAL_BOOKINGS = {
            "ACCOUNTS": {"default": account},
            "ACTION_SETTLE_SECONDS": SETTLE,
            "LEASE_SECONDS": LEASE,
        }

    machine = type("Machine", (Office,), {"configure": staticmethod(configure)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=derandomize,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_each_effect_happens_once_and_is_known(db, settings):
    run(settings, examples=15, steps=20)


@pytest.mark.exhaustive
def test_each_effect_happens_once_and_is_known_in_thousands_of_histories(db, settings):
    run(settings, examples=1500, steps=30, derandomize=False)
