"""With a router, the app's tables are in a database of their own: pull, push, admin, tasks and commands."""

from contextlib import suppress
from datetime import timedelta

import pytest
from celery import current_app
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from cal_bookings import db, outbox, retention, signals, sync
from cal_bookings.models import Account, Booking, BookingAction, Mode, SyncState
from cal_bookings.tasks.outbox import deliver_due_actions
from cal_bookings.tasks.sync import sync_accounts
from tests.comparison import assert_mirrors

pytestmark = [
    pytest.mark.django_db(databases=["default", "bookings"], transaction=True),
    pytest.mark.cal(bookings=30),
]


@pytest.fixture
def account(transactional_db, cal, settings) -> Account:
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"PAGE_SIZE": 10}
    return Account.objects.configured().get()


@pytest.fixture
def at_once():
    """Tasks run where they are called."""
    before = current_app.conf.task_always_eager
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = before


@pytest.fixture
def ann(transactional_db) -> User:
    return User.objects.create_superuser("ann", "ann@example.com", "sesame")


@pytest.fixture
def uid(cal) -> str:
    """Of a booking that can be cancelled."""
    tomorrow = timezone.now().replace(microsecond=0) + timedelta(days=1)
    return str(cal.book(start=tomorrow))


def tables(alias):
    names = connections[alias].introspection.table_names()
    return {name for name in names if name.startswith("cal_bookings_")}


def test_the_tables_are_in_their_own_database_alone():
    assert db.alias() == "bookings"
    assert "cal_bookings_booking" in tables("bookings")
    assert tables("default") == set()


def test_walks_mirror_follow_changes_and_mark_what_is_gone(cal, account):
    sync.walk(account)
    assert_mirrors(account, cal.payloads(cal.users[1]))
    cal.clock.advance(timedelta(minutes=30))
    cal.cancel(cal.bookings[0])
    cal.delete(cal.bookings[1])

    runs = [sync.walk(account, mode) for mode in (Mode.CHANGES, Mode.FULL)]

    assert [run.outcome for run in runs] == ["complete", "complete"]
    assert [run.missing for run in runs] == [0, 1]
    assert_mirrors(account, cal.payloads(cal.users[1]))


def test_signals_come_after_the_commit_of_that_database(cal, account):
    open_transactions: list[bool] = []

    def receive(**_):
        open_transactions.append(connections["bookings"].in_atomic_block)

    sync.walk(account)
    uid = cal.book()
    signals.booking_created.connect(receive)
    try:
        cal.clock.advance(timedelta(minutes=30))
        sync.walk(account)
    finally:
        signals.booking_created.disconnect(receive)

    assert Booking.objects.filter(uid=uid).exists()
    assert open_transactions == [False]


def test_an_action_is_carried_out_and_names_who_wanted_it(cal, account, ann, uid):
    sync.walk(account)
    booking = Booking.objects.get(uid=uid)
    action = outbox.cancel(booking, reason="ill", requested_by=ann)

    outbox.deliver(action.pk)

    action.refresh_from_db()
    assert (action.status, action.requested_by) == ("done", ann)
    assert cal.payload(booking.uid)["status"] == "cancelled"


def test_an_action_that_is_rolled_back_was_never_wanted(cal, account, uid):
    sync.walk(account)
    woken: list[object] = []
    signals.action_enqueued.connect(woken.append, weak=False)

    with suppress(LookupError), db.atomic():
        outbox.cancel(Booking.objects.get(uid=uid), reason="ill")
        raise LookupError

    assert not BookingAction.objects.exists()
    assert woken == []


@pytest.mark.usefixtures("at_once")
def test_tasks_mirror_and_deliver(cal, account, uid):
    sync_accounts.delay()
    assert_mirrors(account, cal.payloads(cal.users[1]))
    action = outbox.cancel(Booking.objects.get(uid=uid), reason="ill")

    deliver_due_actions.delay()

    action.refresh_from_db()
    assert action.status == "done"
    assert SyncState.objects.filter(lease_until=None).count() == 3


def test_the_admin_shows_acts_and_logs(cal, account, ann, client, uid):
    sync.walk(account)
    booking = Booking.objects.get(uid=uid)
    client.force_login(ann)
    outbox.cancel(booking, reason="ill", requested_by=ann)

    for name in ("booking", "attendee", "bookingaction", "account", "syncrun"):
        page = client.get(reverse(f"admin:cal_bookings_{name}_changelist"))
        assert page.status_code == 200
    shown = client.get(
        reverse(
            "admin:cal_bookings_bookingaction_change", args=[booking.actions.get().pk]
        )
    )
    assert "ann" in shown.content.decode()
    page = client.get(reverse("admin:cal_bookings_booking_change", args=[booking.pk]))
    assert page.status_code == 200
    client.post(
        reverse("admin:cal_bookings_account_pause", args=[account.pk]), follow=True
    )
    account.refresh_from_db()
    assert account.is_paused_by_hand
    assert LogEntry.objects.using("default").get().user == ann


def test_a_user_who_asked_for_actions_can_be_deleted(account, ann, uid):
    sync.walk(account)
    action = outbox.cancel(Booking.objects.get(uid=uid), reason="ill", requested_by=ann)

    ann.delete()

    action = BookingAction.objects.prefetch_related("requested_by").get(pk=action.pk)
    assert action.requested_by is None


def test_commands_work(cal, account, uid):
    call_command("cal_sync", verbosity=0)
    action = outbox.cancel(Booking.objects.get(uid=uid), reason="ill")

    call_command("cal_push", verbosity=0)
    call_command("cal_prune", verbosity=0)

    action.refresh_from_db()
    assert action.status == "done"
    assert retention.prune()["runs"] == 0
