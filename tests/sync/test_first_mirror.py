"""What signals say while an account is mirrored for the first time, and after it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings import mirror, outbox, signals, sync
from cal_bookings.models import Account, Booking, BookingChange, Mode, SyncState
from cal_bookings.testing import FakeCal
from tests.builders import booking_payload
from tests.sync.conftest import changes, window

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("small_pages"),
]

ON_CAL_COM = 200


@pytest.fixture
def heard():
    """The uids that the signals named, with the value of `first_mirror`: (signal, uid, first_mirror)."""
    heard: list[tuple[str, str, bool]] = []

    def created(booking, first_mirror, **_):
        heard.append(("created", booking.uid, first_mirror))

    def rescheduled(new, first_mirror, **_):
        heard.append(("rescheduled", new.uid, first_mirror))

    signals.booking_created.connect(created)
    signals.booking_rescheduled.connect(rescheduled)
    yield heard
    signals.booking_created.disconnect(created)
    signals.booking_rescheduled.disconnect(rescheduled)


@pytest.fixture
def announced(settings):
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"ANNOUNCE_FIRST_MIRROR": True}


@pytest.fixture
def history(cal):
    """Two hundred bookings, ten of which replace an earlier one; nothing happens in the same second."""
    cal.clock.advance(timedelta(hours=-1))
    cal.seed(ON_CAL_COM - 10, user=cal.users[1])
    for _ in range(10):
        cal.reschedule(cal.book())
    cal.clock.advance(timedelta(hours=1))
    return cal


def test_a_first_mirror_announces_nothing_and_a_booking_made_after_it_is_announced(
    history, account, heard
):
    sync.walk(account)
    assert (Booking.objects.count() >= ON_CAL_COM, heard) == (True, [])

    uid = history.book()
    changes(account)

    assert heard == [("created", uid, False)]


def test_a_reschedule_after_the_first_mirror_is_announced_though_its_old_half_is_history(
    history, account, heard
):
    old = history.book()
    sync.walk(account)
    heard.clear()
    history.clock.advance(timedelta(minutes=1))

    new = history.reschedule(old)
    changes(account)

    assert heard == [("created", new, False), ("rescheduled", new, False)]


def test_a_booking_made_while_the_first_walk_goes_on_is_news(history, account, heard):
    made = []

    def book(progress):
        if progress.run.pages == 1:
            made.append(history.book())

    sync.walk(account, on_page=book)
    changes(account)

    assert heard == [("created", made[0], False)]


@pytest.mark.parametrize("mode", [Mode.CHANGES, Mode.WINDOW, Mode.FULL])
def test_no_loop_announces_history(history, account, heard, mode):
    sync.walk(account, mode)

    assert Booking.objects.exists()
    assert heard == []


@pytest.mark.usefixtures("announced")
def test_a_site_may_ask_for_history_and_can_tell_it_from_news(history, account, heard):
    sync.walk(account)
    uid = history.book()
    changes(account)

    *past, last = heard
    assert last == ("created", uid, False)
    assert {first_mirror for _, _, first_mirror in past} == {True}
    assert len([each for each in past if each[0] == "rescheduled"]) >= 10


@pytest.mark.parametrize("skew", [timedelta(days=-3), timedelta(days=3)])
def test_the_clock_that_counts_is_that_of_cal_com(cal, account, heard, skew):
    cal.clock.advance(skew)
    cal.book()
    cal.clock.advance(timedelta(minutes=1))
    sync.walk(account)

    cal.clock.advance(timedelta(minutes=1))
    uid = cal.book()
    window(account)
    changes(account)

    assert heard == [("created", uid, False)]


def test_a_mirror_that_begins_again_announces_none_of_what_the_other_server_has(
    history, account, heard, settings
):
    sync.walk(account)
    with FakeCal(bookings=30, seed=1) as other:
        entry = {"API_KEY": other.api_key, "BASE_URL": other.url}
        settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"ACCOUNTS": {"default": entry}}
        moved = Account.objects.configured().get()
        assert (moved.mirror_began_at, moved.fully_mirrored_at) == (None, None)

        sync.walk(moved)
        assert heard == []
        other.clock.advance(timedelta(minutes=1))
        uid = other.book()
        changes(moved)

    assert heard == [("created", uid, False)]


def test_without_a_time_of_creation_a_booking_is_history_until_the_first_full_walk_ends(
    cal, account, heard
):
    def mirrors(uid):
        mirror.upsert(
            account,
            [booking_payload(uid, createdAt=None)],
            asked_at=timezone.now(),
            api_version="2024-08-13",
            source=BookingChange.Source.WALK,
        )

    account.begin_mirror(timezone.now())
    mirrors("before")
    sync.walk(account)
    mirrors("after")

    assert heard == [("created", "after", False)]


@pytest.mark.cal(bookings=30)
def test_a_refresh_before_any_walk_announces_nothing_and_after_it_news_alone(
    cal, account, heard
):
    with account.connect() as connection:
        mirror.refresh(account, cal.bookings[0], connection=connection)
        sync.walk(account)
        cal.clock.advance(timedelta(minutes=1))
        uid = cal.book()
        mirror.refresh(account, uid, connection=connection)

    assert heard == [("created", uid, False)]


@pytest.mark.cal(bookings=3)
def test_a_booking_that_an_action_makes_is_news_though_nothing_was_mirrored_before(
    cal, account, heard
):
    cal.clock.advance(timedelta(hours=1))
    action = outbox.create(
        account,
        event_type_id=cal.event_type(cal.users[1], "normal").id,
        start=cal.clock.now() + timedelta(days=3),
        attendee={
            "name": "Cleo",
            "email": "cleo@example.net",
            "timeZone": "Europe/Rome",
        },
    )
    done = outbox.deliver(action.pk)

    assert done is not None
    assert heard == [("created", done.result_uid, False)]


def test_the_other_loops_begin_when_the_first_full_walk_is_complete(history, account):
    sync.walk(account, max_pages=2)
    assert set(SyncState.objects.values_list("mode", flat=True)) == {Mode.FULL}

    sync.walk(account)

    assert set(SyncState.objects.values_list("mode", flat=True)) == set(Mode)
    account.refresh_from_db()
    assert account.fully_mirrored_at is not None
