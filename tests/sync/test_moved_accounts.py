"""Which loops an account of a scope has, and what becomes of them when it moves to another scope or server."""

import pytest

from cal_bookings import budget, sync
from cal_bookings.models import Account, Booking, Mode, SyncRun, SyncState
from cal_bookings.sync import schedule
from cal_bookings.testing import FakeCal
from tests.sync.conftest import changes, window

pytestmark = pytest.mark.usefixtures("small_pages")


@pytest.mark.parametrize(
    ("scope", "path", "hosts"),
    [
        ({"organization": 7}, "/organizations/7/bookings", {4, 5}),
        ({"organization": 7, "user": 5}, "/organizations/7/users/5/bookings", {5}),
        ({"organization": 7, "team": 1}, "/organizations/7/teams/1/bookings", {4}),
        ({"team": 1}, "/teams/1/bookings", {1, 4}),
    ],
)
def test_every_scope_is_mirrored_with_the_version_its_list_needs(
    cal, db, settings, scope, path, hosts
):
    admin = cal.add_user(organization_id=7)
    member = cal.add_user(organization_id=7)
    cal.book(user=member)
    cal.book(user=admin, event_type="round-robin")
    cal.book(event_type="round-robin")
    entry = {"API_KEY": admin.api_key, "BASE_URL": cal.url, "SCOPE": scope}
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"default": entry}}
    account = Account.objects.configured().get()

    run = sync.walk(account)

    assert run.outcome == "complete", run.error
    asked = [each for each in cal.requests if each.path.endswith("/bookings")]
    assert {each.path for each in asked} == {path}
    cursor = path == "/organizations/7/bookings"
    assert {each.version for each in asked} == {
        "2026-05-01" if cursor else "2024-08-13"
    }
    host_ids = Booking.objects.values_list("hosts__remote_id", flat=True)
    assert set(host_ids) == hosts


@pytest.fixture
def configure(cal, settings):
    """The account of the settings, whose keys a test may change."""

    def configure(**entry):
        entry = {"API_KEY": cal.api_key, "BASE_URL": cal.url} | entry
        settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"ACCOUNTS": {"default": entry}}
        return Account.objects.configured().get()

    return configure


def test_a_scope_that_changes_in_the_middle_of_a_walk_begins_it_anew(
    cal, db, configure
):
    admin = cal.add_user(organization_id=7)
    of_organization = [cal.book(user=cal.add_user(organization_id=7))]
    of_organization += [cal.book(user=admin) for _ in range(30)]
    account = configure(API_KEY=admin.api_key)
    changes(account)
    sync.walk(account, max_pages=1)

    account = configure(API_KEY=admin.api_key, SCOPE={"organization": 7})

    assert not SyncState.objects.filter(mode=Mode.CHANGES).exists()
    assert sync.walk(account).outcome == "complete"
    assert {booking.uid for booking in Booking.objects.all()} == set(of_organization)


@pytest.mark.cal(bookings=30, dialect="offset")
def test_a_server_that_changes_in_the_middle_of_a_walk_is_read_from_its_first_page(
    cal, account, configure
):
    sync.walk(account, max_pages=2)
    with FakeCal(bookings=30, seed=1, dialect="offset") as other:
        account = configure(API_KEY=other.api_key, BASE_URL=other.url)

        sync.walk(account)

    here = Booking.objects.filter(missing_since=None)
    assert set(here.values_list("uid", flat=True)) == set(other.bookings)


@pytest.mark.cal(bookings=30)
def test_a_walk_under_way_writes_nothing_of_the_old_scope_once_it_has_changed(
    cal, account, configure
):
    with pytest.raises(sync.LeaseLost, match="SCOPE"):
        sync.walk(account, on_page=lambda _: configure(SCOPE={"organization": 7}))

    assert SyncState.objects.get(mode=Mode.FULL).checkpoint == {}


@pytest.mark.cal(bookings=30)
def test_who_read_the_account_before_it_moved_walks_nothing(cal, account, configure):
    configure(SCOPE={"organization": 7})

    with pytest.raises(sync.LeaseLost, match="SCOPE"):
        sync.walk(account)

    assert not SyncState.objects.exclude(last_completed_at=None).exists()


@pytest.mark.cal(bookings=3)
def test_an_account_that_was_refused_is_asked_again_as_soon_as_it_moves(
    cal, account, configure
):
    schedule.make_states()
    cal.fault("403", times=20)
    sync.walk(account)
    assert schedule.take_due() == []

    configure(SCOPE={"organization": 7})

    assert [mode for _, mode, _ in schedule.take_due()] == [Mode.FULL]


@pytest.mark.cal(bookings=3)
def test_an_account_that_was_paused_by_hand_stays_so_where_it_moves(
    cal, account, configure
):
    budget.pause(account, "No more")

    assert configure(SCOPE={"organization": 7}).is_paused_by_hand


@pytest.mark.cal(bookings=3)
def test_a_wrong_scope_does_not_stop_the_schedule_for_the_others(
    cal, account, configure
):
    configure(SCOPE={"tem": 3})
    other = Account.objects.create(alias="other")

    schedule.make_states()

    assert other.sync_states.count() == 1


@pytest.mark.cal(bookings=30)
def test_a_scope_that_was_edited_in_the_database_begins_the_walk_anew(cal, account):
    sync.walk(account, max_pages=1)
    Account.objects.update(scope={"team": 1})
    uid = cal.book(event_type="round-robin")

    run = sync.walk(Account.objects.get())

    assert run.outcome == "complete", run.error
    assert Booking.objects.filter(uid=uid).exists()


@pytest.mark.cal(bookings=3)
def test_an_account_has_the_loops_of_the_scope_it_has_now(cal, mirrored, configure):
    def loops():
        return set(SyncState.objects.values_list("mode", flat=True))

    window(mirrored)
    team = configure(SCOPE={"team": 1})
    assert loops() == {Mode.FULL}
    assert [mode for _, mode, _ in schedule.take_due()] == [Mode.FULL]

    # A server that ignores filters by change in the lists of teams.
    cal.dialect = "offset"
    sync.walk(team)
    assert loops() == {Mode.WINDOW, Mode.FULL}

    sync.walk(configure())
    assert loops() == set(Mode)


@pytest.mark.cal(dialect="offset")
def test_a_team_has_no_changes_loop_and_says_so(cal, db, settings):
    entry = {"API_KEY": cal.api_key, "BASE_URL": cal.url, "SCOPE": {"team": 1}}
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"default": entry}}
    account = Account.objects.configured().get()

    with pytest.raises(sync.NoSuchLoop, match="window"):
        changes(account)

    sync.walk(account)
    assert [run.mode for run in SyncRun.objects.all()] == [Mode.FULL]
    assert not SyncState.objects.filter(mode=Mode.CHANGES).exists()
