"""Reschedules whose old half lies before the window and whose new half lies in it, while several threads mirror them.

By default a few. ``STRADDLING_PAIRS=1500 STRADDLING_ROUNDS=10 pytest tests/sync/test_straddling.py`` is the size at
which versions without a lock split dozens of appointments in each round.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from queue import Empty
from uuid import uuid4

import pytest
from celery import current_app
from django.db import connection, connections
from django.db.models import F, OuterRef, Subquery

from cal_bookings import mirror, sync
from cal_bookings.models import Account, Booking, Mode, SyncState
from cal_bookings.tasks.sync import sync_accounts

PAIRS = int(os.environ.get("STRADDLING_PAIRS") or 60)
ROUNDS = int(os.environ.get("STRADDLING_ROUNDS") or 1)
THREADS = 4
WITHIN = 30 + PAIRS / 5  # seconds

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="has one writer at a time, never two"
    ),
]


@pytest.fixture
def account(straddling: None) -> Account:
    return Account.objects.configured().get()


@pytest.fixture(params=["offset", "cursor"])
def straddling(request, cal, settings):
    cal.dialect = request.param
    if PAIRS < 1000:
        settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"PAGE_SIZE": 10}
    now = cal.clock.now().replace(microsecond=0)
    old = [cal.book(start=now - timedelta(days=30, hours=n)) for n in range(PAIRS)]
    for n, uid in enumerate(old):
        cal.reschedule(uid, start=now + timedelta(days=1, minutes=15 * n))


def in_threads(*functions: Callable[[], object]) -> None:
    """Run the functions side by side and raise what one of them raised."""
    errors: list[BaseException] = []

    def run(function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[each]) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def splits() -> int:
    """How many pairs have two appointments."""
    old = Booking.objects.filter(uid=OuterRef("rescheduled_from_uid"))
    new = Booking.objects.annotate(others=Subquery(old.values("appointment")[:1]))
    return new.exclude(rescheduled_from_uid="").exclude(appointment=F("others")).count()


def work(until: Callable[[], bool]) -> None:
    """Deliver the messages of the broker, as a worker does, until `until` holds."""
    with ExitStack() as stack:
        talking = stack.enter_context(current_app.connection_for_write())
        queue = talking.SimpleQueue(current_app.conf.task_default_queue)
        while not until():
            try:
                message = queue.get(block=False)
            except Empty:
                time.sleep(0.01)
                continue
            message.ack()
            arguments, _, _ = message.payload
            current_app.tasks[message.headers["task"]].apply(arguments, throw=True)


def schedule_and_work() -> None:
    ends = time.monotonic() + WITHIN

    def is_mirrored() -> bool:
        done = SyncState.objects.exclude(last_completed_at=None)
        assert time.monotonic() < ends, "The schedule did not complete all loops."
        return done.count() == len(Mode)

    def beat() -> None:
        while not is_mirrored():
            sync_accounts()
            time.sleep(0.2)

    in_threads(beat, *[lambda: work(is_mirrored)] * THREADS)


@pytest.fixture
def rounds(account) -> Iterator[int]:
    def each() -> Iterator[int]:
        for number in range(ROUNDS):
            Booking.objects.all().delete()
            SyncState.objects.all().delete()
            yield number

    return each()


def test_the_schedule_splits_no_appointment_at_a_first_mirror(rounds):
    for _ in rounds:
        schedule_and_work()

        assert (Booking.objects.count(), splits()) == (2 * PAIRS, 0)


def test_loops_and_refreshes_side_by_side_split_no_appointment(cal, account, rounds):
    new = [each["uid"] for each in cal.payloads() if each.get("rescheduledFromUid")]

    def refresh(uids: list[str]) -> None:
        with account.connect() as talking:
            for uid in uids:
                mirror.refresh(account, uid, connection=talking)

    for _ in rounds:
        in_threads(
            # Reads everything the first time, and does not join split appointments at its end as a full walk does.
            lambda: sync.walk(Account.objects.get(), Mode.CHANGES),
            lambda: sync.walk(Account.objects.get(), Mode.WINDOW),
            lambda: refresh(new[: PAIRS // 10]),
            lambda: refresh(new[-(PAIRS // 10) :]),
        )

        assert (Booking.objects.count(), splits()) == (2 * PAIRS, 0)


def test_the_next_full_walk_joins_what_was_split(account):
    sync.walk(account)
    for booking in Booking.objects.exclude(rescheduled_to_uid="")[: PAIRS // 2]:
        booking.appointment = uuid4()
        booking.save(update_fields=["appointment"])
    assert splits() == PAIRS // 2

    run = sync.walk(account)

    assert (run.outcome, run.updated, splits()) == ("complete", 0, 0)
