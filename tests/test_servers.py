"""Which list version an account's server answers, and which kind of server it is, are two things."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from cal_bookings import budget, client, outbox, servers, sync
from cal_bookings.models import Account, Booking, Mode
from tests.comparison import assert_mirrors
from tests.outbox.conftest import mirror_now

pytestmark = pytest.mark.django_db

CURSOR, OFFSET = client.LIST_VERSION.values()


@pytest.fixture
def account(cal):
    return Account.objects.configured().get()


def lists(cal):
    """The versions in which lists were asked for, oldest first."""
    return [each.version for each in cal.requests if each.path == "/bookings"]


def a_booking(cal, account):
    """A booking of the coming days, mirrored."""
    return mirror_now(cal, account, cal.book())


def hang(cal, kind="524", version=CURSOR):
    cal.fault(kind, path="/bookings", version=version, times=10_000, seconds=4)


@pytest.mark.cal(bookings=5)
@pytest.mark.parametrize("kind", ["524", "slow"])
def test_a_list_version_that_hangs_is_replaced_by_the_other_before_any_retry(
    cal, account, settings, kind
):
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"TIMEOUT": (1, 2)}
    hang(cal, kind)

    run = sync.walk(account)

    assert run.outcome == "complete"
    assert_mirrors(account, cal.payloads(cal.users[1]))
    # Whose the credential is, a list in each version, and the event types.
    assert run.requests == 4
    account.refresh_from_db()
    assert account.dialect == "offset"


@pytest.mark.cal(bookings=5)
def test_actions_stay_those_of_a_hosted_server_when_its_list_hangs(cal, account):
    sync.walk(account)
    hang(cal)
    sync.walk(account, Mode.FULL)
    account.refresh_from_db()
    booking = a_booking(cal, account)

    action = outbox.request_reschedule(booking)
    outbox.deliver(action.pk)
    action.refresh_from_db()

    assert (account.dialect, account.server) == ("offset", "hosted")
    assert action.status == "done"
    assert cal.requests[-1].path.startswith("/bookings/")
    posted = [each for each in cal.requests if each.method == "POST"]
    assert [each.version for each in posted] == ["2026-02-25"]


@pytest.mark.cal(bookings=5)
def test_a_hosted_server_is_recognised_although_its_list_never_answered(cal, account):
    hang(cal)
    sync.walk(account)
    booking = a_booking(cal, account)

    action = outbox.request_reschedule(booking)
    outbox.deliver(action.pk)
    action.refresh_from_db()

    account.refresh_from_db()
    assert (account.server, action.status) == ("hosted", "done")


@pytest.mark.cal(bookings=5, dialect="offset")
def test_a_self_hosted_server_is_recognised_by_its_first_list(cal, account):
    sync.walk(account)

    account.refresh_from_db()
    assert (account.dialect, account.server) == ("offset", "self-hosted")
    with pytest.raises(outbox.Refused):
        outbox.request_reschedule(a_booking(cal, account))


@pytest.mark.parametrize(
    ("dialect", "kind"), [("cursor", "hosted"), ("offset", "self-hosted")]
)
def test_the_kind_of_an_unknown_server_is_asked_once(cal, account, dialect, kind):
    cal.dialect = dialect

    with budget.connect(account, priority=budget.Priority.ACTION) as connection:
        asked = [servers.kind_of(account, connection) for _ in range(2)]

    assert asked == [kind, kind]
    assert len(cal.requests) == 1
    account.refresh_from_db()
    assert account.server == kind


def test_a_server_that_cannot_be_recognised_gets_the_versions_that_all_know(
    cal, account
):
    cal.fault("403", path="/bookings", version="2026-02-25")

    with budget.connect(account, priority=budget.Priority.ACTION) as connection:
        assert servers.kind_of(account, connection) is client.Server.SELF_HOSTED

    account.refresh_from_db()
    assert account.server == ""


@pytest.mark.cal(bookings=5)
def test_what_works_is_kept_for_a_day_and_then_the_other_is_tried_again(cal, account):
    hang(cal)
    sync.walk(account)
    cal.faults.clear()
    cal.requests.clear()

    sync.walk(account, Mode.FULL)
    kept = lists(cal)
    Account.objects.update(dialect_expires_at=timezone.now() - timedelta(seconds=1))
    account.refresh_from_db()
    cal.requests.clear()
    sync.walk(account, Mode.FULL)

    assert set(kept) == {OFFSET}
    assert set(lists(cal)) == {CURSOR}
    account.refresh_from_db()
    assert (account.dialect, account.dialect_expires_at) == ("cursor", None)


@pytest.mark.cal(bookings=5)
def test_an_outage_of_both_versions_changes_nothing_that_was_known(cal, account):
    sync.walk(account)
    hang(cal, "502", version="")
    cal.requests.clear()

    run = sync.walk(account, Mode.FULL)

    assert run.outcome == "failed"
    assert lists(cal)[:2] == [CURSOR, OFFSET]
    assert len(lists(cal)) <= 2 + 4
    account.refresh_from_db()
    assert (account.dialect, account.server) == ("cursor", "hosted")
    assert account.dialect_expires_at is None


@pytest.mark.cal(bookings=5, dialect="offset")
def test_a_short_failure_of_a_self_hosted_server_is_repeated(cal, account):
    sync.walk(account)
    cal.fault("502", path="/bookings")

    run = sync.walk(account, Mode.FULL)

    assert run.outcome == "complete"
    account.refresh_from_db()
    assert (account.dialect, account.server) == ("offset", "self-hosted")


@pytest.mark.cal(bookings=5)
def test_a_setting_forces_the_list_version(cal, account, settings):
    entry = settings.CAL_BOOKINGS["ACCOUNTS"]["default"] | {"LIST_VERSION": OFFSET}
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"ACCOUNTS": {"default": entry}}

    run = sync.walk(account)

    assert (run.outcome, set(lists(cal))) == ("complete", {OFFSET})


@pytest.mark.cal(bookings=30)
def test_a_forced_list_version_replaces_that_of_a_walk_under_way(
    cal, account, settings
):
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"PAGE_SIZE": 10}
    sync.walk(account, max_pages=1)
    Account.objects.update(list_version=OFFSET)
    account.refresh_from_db()
    cal.requests.clear()

    run = sync.walk(account)

    assert (run.outcome, set(lists(cal))) == ("complete", {OFFSET})
    assert_mirrors(account, cal.payloads(cal.users[1]))


# Filters by change in the lists of teams


@pytest.fixture
def team(cal, settings):
    """An account that mirrors a team with three bookings."""
    for _ in range(3):
        cal.book(event_type="round-robin")
    entry = settings.CAL_BOOKINGS["ACCOUNTS"]["default"] | {"SCOPE": {"team": 1}}
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"ACCOUNTS": {"default": entry}}
    return Account.objects.configured().get()


def loops_of(account):
    return set(account.sync_states.values_list("mode", flat=True))


def test_a_team_of_hosted_cal_com_has_a_changes_loop(cal, team):
    sync.walk(team)
    uid = cal.book(event_type="round-robin")

    run = sync.walk(team, Mode.CHANGES)

    assert loops_of(team) == set(Mode)
    assert (run.outcome, run.created) == ("complete", 1)
    assert Booking.objects.filter(uid=uid).exists()


@pytest.mark.cal(dialect="offset")
def test_a_server_that_ignores_the_filters_gives_a_team_no_changes_loop(team):
    sync.walk(team)

    assert loops_of(team) == {Mode.WINDOW, Mode.FULL}
    with pytest.raises(sync.NoSuchLoop, match="not known to filter"):
        sync.walk(team, Mode.CHANGES)


def test_an_empty_list_proves_nothing_about_its_filters(cal, team):
    for uid in list(cal.bookings):
        cal.delete(uid)

    sync.walk(team)

    team.refresh_from_db()
    assert not team.has_change_filters
    assert team.change_filters_checked_at is None


def test_the_filters_are_tried_again_after_a_week(cal, team):
    def tried():
        return sum("beforeUpdatedAt" in each.query for each in cal.requests)

    sync.walk(team)
    sync.walk(team)
    first = tried()
    cal.dialect = "offset"
    week = timezone.now() - timedelta(days=7, seconds=1)
    Account.objects.update(change_filters_checked_at=week)
    team.refresh_from_db()
    sync.walk(team)

    assert (first, tried()) == (1, 2)
    assert not Account.objects.get().has_change_filters


@pytest.mark.parametrize("fault", ["shape", "no-route", "500"])
def test_filters_that_cannot_be_tried_cost_one_attempt_a_walk(
    cal, team, settings, fault
):
    settings.CAL_BOOKINGS |= {"PAGE_SIZE": 2}
    for _ in range(7):
        cal.book(event_type="round-robin")
    tried = []

    def spoil(request):
        if "beforeUpdatedAt" in request.query:
            tried.append(request)
            cal.fault(fault, path=request.path)

    cal.on_request = spoil

    run = sync.walk(team)

    assert run.outcome == "complete"
    assert run.pages > 2
    assert len(tried) == (4 if fault == "500" else 1)  # a read is repeated


def test_filters_that_cannot_be_tried_do_not_stop_the_walk(cal, team):
    cal.fault("500", path="/teams/1/bookings", skip=1, times=4)

    run = sync.walk(team)

    assert run.outcome == "complete"
    assert loops_of(team) == {Mode.WINDOW, Mode.FULL}


@pytest.mark.parametrize(
    ("dialect", "scope", "server"),
    [
        ("cursor", {}, "hosted"),
        ("cursor", {"organization": 12}, "hosted"),
        ("offset", {}, "self-hosted"),
        ("offset", {"team": 34}, ""),
        ("offset", {"organization": 12, "user": 56}, ""),
        ("", {}, ""),
    ],
)
def test_the_migration_names_the_servers_that_their_lists_prove(dialect, scope, server):
    account = Account.objects.create(alias="old", dialect=dialect, scope=scope)
    migration = import_module("cal_bookings.migrations.0004_account_server")

    migration.name_servers(apps, SimpleNamespace(connection=connection))

    account.refresh_from_db()
    assert account.server == server
