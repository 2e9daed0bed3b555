"""Whose bookings an account mirrors: asked once for a credential, and neither mixed nor mirrored twice."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from cal_bookings import sync
from cal_bookings.models import Account, Booking, Mode, SyncState
from cal_bookings.sync import ownership
from cal_bookings.tasks.sync import sync_account
from tests.sync.conftest import changes

pytestmark = pytest.mark.usefixtures("small_pages")


def cal_sync(*arguments):
    """Exit code and standard error of the command."""
    error, code = StringIO(), 0
    try:
        call_command("cal_sync", *arguments, stdout=StringIO(), stderr=error)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return code, error.getvalue()


def questions(cal):
    return [each for each in cal.requests if each.path == "/me"]


@pytest.fixture
def configure(cal, settings):
    """Gives the accounts of the settings their keys, by alias."""

    def configure(**keys):
        entries = {
            alias: {"API_KEY": key, "BASE_URL": cal.url} for alias, key in keys.items()
        }
        settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"ACCOUNTS": entries}

    return configure


@pytest.fixture
def eve(cal):
    """Another user, with bookings that the first one does not see."""
    eve = cal.add_user("Eve")
    for _ in range(25):
        cal.book(user=eve)
    return eve


def uids(account):
    return set(account.bookings.values_list("uid", flat=True))


@pytest.mark.cal(bookings=25)
def test_a_new_credential_costs_one_request_and_a_known_one_none(cal, account):
    sync.walk(account)
    assert next(iter(cal.requests)).path == "/me"
    assert Account.objects.get().remote_id == cal.users[1].id

    for _ in range(3):
        changes(Account.objects.get())
        sync.walk(Account.objects.get())

    assert len(questions(cal)) == 1


@pytest.mark.cal(bookings=25)
def test_another_users_key_is_refused_with_the_cure_before_anything_is_mirrored(
    cal, account, configure, eve
):
    sync.walk(account, max_pages=1)
    mirrored, checkpoint = uids(account), SyncState.objects.get().checkpoint
    configure(default=eve.api_key)

    for arguments in ([], ["--dry-run"], ["--mode=window"], ["--mode=changes"]):
        code, error = cal_sync(*arguments)
        assert code == 2
        assert f"belongs to the Cal.com user {eve.id}" in error
        assert f'the account "default" mirrors the user {cal.users[1].id}' in error
        assert "cal_sync --account default --begin-anew" in error

    assert uids(account) == mirrored
    assert SyncState.objects.get(mode=Mode.FULL).checkpoint == checkpoint
    configure(default=cal.api_key)
    assert cal_sync() == (0, "")
    assert len(uids(account)) == 25


@pytest.mark.cal(bookings=25)
def test_a_worker_refuses_another_users_key_and_says_so_in_the_loops_state(
    cal, account, configure, eve
):
    sync.walk(account)
    configure(default=eve.api_key)

    sync_account(account.pk, "full")

    state = SyncState.objects.get(mode=Mode.FULL)
    assert f"belongs to the Cal.com user {eve.id}" in state.last_error
    assert state.failures == 1
    assert len(uids(account)) == 25


@pytest.mark.cal(bookings=25)
def test_another_user_that_is_meant_is_mirrored_from_the_beginning(
    cal, account, configure, eve
):
    sync.walk(account)
    changes(account)
    configure(default=eve.api_key)

    assert cal_sync("--account=default", "--begin-anew") == (0, "")

    assert len(uids(account)) == 50
    account.refresh_from_db()
    assert account.remote_id == eve.id
    assert cal_sync("--mode=changes") == (0, "")


@pytest.mark.parametrize("arguments", [[], ["--account=default", "--dry-run"]])
def test_beginning_anew_is_for_one_account_and_no_dry_run(account, arguments):
    with pytest.raises(CommandError, match="name it with --account"):
        call_command("cal_sync", "--begin-anew", *arguments)


@pytest.mark.cal(bookings=25)
@pytest.mark.parametrize("mode", [Mode.FULL, Mode.CHANGES])
def test_a_checkpoint_of_another_users_list_is_not_continued(
    cal, account, configure, eve, mode
):
    """Nothing of the first user is mirrored any more, so that the key may be another user's."""
    sync.walk(account, mode, max_pages=2)
    Booking.objects.all().delete()
    configure(default=eve.api_key)

    run = sync.walk(Account.objects.get(), mode)

    assert (run.outcome, run.created) == ("complete", 25)
    assert Account.objects.get().remote_id == eve.id


@pytest.mark.cal(bookings=25)
def test_the_same_user_in_two_accounts_is_mirrored_once(cal, db, configure):
    configure(a=cal.api_key, b=cal.api_key)

    for arguments in ([], ["--dry-run"], []):
        code, error = cal_sync(*arguments)
        assert code == 2
        assert 'The accounts "b" and "a" have the same bookings' in error
        assert 'Account.objects.rename("a", "b")' in error

    assert Booking.objects.count() == 25
    configure(a=cal.api_key)
    Account.objects.filter(alias="b").delete()
    assert cal_sync() == (0, "")


@pytest.mark.cal(bookings=5)
def test_an_account_that_is_no_longer_active_leaves_its_user_to_another(
    cal, db, configure
):
    configure(a=cal.api_key)
    cal_sync()
    Account.objects.update(is_active=False)
    configure(a=cal.api_key, b=cal.api_key)

    assert cal_sync() == (0, "")
    assert Account.objects.get(alias="b").bookings.count() == 5


@pytest.mark.cal(bookings=5)
def test_of_two_workers_that_ask_at_the_same_moment_one_mirrors(cal, db, configure):
    configure(a=cal.api_key, b=cal.api_key)
    a, b = Account.objects.configured()
    owner = ownership.Owner(cal.users[1].id)

    def be_first(proceed, sql, params, many, context):
        if sql.startswith("UPDATE") and "source_key" in sql and b.pk in params:
            key = ownership.source_key(a, owner)
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE cal_bookings_account SET source_key = %s WHERE id = %s",
                    [key, a.pk],
                )
        return proceed(sql, params, many, context)

    with connection.execute_wrapper(be_first):
        run = sync.walk(b)

    assert run.outcome == "failed"
    assert 'The accounts "b" and "a"' in run.error
    assert not Booking.objects.exists()


@pytest.mark.cal(bookings=5)
def test_a_user_that_two_accounts_mirrored_before_this_version_is_a_warning(
    cal, db, configure, eve, caplog
):
    configure(a=cal.api_key, b=eve.api_key)
    cal_sync()
    Account.objects.update(owner_key="", source_key=None, remote_id=None)
    configure(a=cal.api_key, b=cal.api_key)

    assert [cal_sync()[0] for _ in range(2)] == [0, 0]
    assert caplog.text.count('The accounts "b" and "a"') == 1


def test_users_of_one_team_are_two_accounts_only_of_different_lists(cal, db, settings):
    admin = cal.add_user(organization_id=7)
    other = cal.add_user(organization_id=7)
    cal.book(user=admin)
    entries = {
        "a": {"API_KEY": admin.api_key, "SCOPE": {"organization": 7}},
        "b": {"API_KEY": other.api_key, "SCOPE": {"organization": 7}},
        "c": {"API_KEY": admin.api_key},
    }
    settings.CAL_BOOKINGS = {
        "ACCOUNTS": {
            alias: entry | {"BASE_URL": cal.url} for alias, entry in entries.items()
        }
    }

    code, error = cal_sync()

    assert code == 2
    assert 'The accounts "b" and "a"' in error
    assert '"c"' not in error


@pytest.mark.cal(bookings=5)
def test_an_organization_is_mirrored_with_the_key_of_any_admin(cal, db, settings):
    admins = [cal.add_user(organization_id=7) for _ in range(2)]
    cal.book(user=admins[0])
    for admin in admins:
        entry = {"API_KEY": admin.api_key, "SCOPE": {"organization": 7}}
        settings.CAL_BOOKINGS = {"ACCOUNTS": {"a": entry | {"BASE_URL": cal.url}}}
        assert cal_sync() == (0, "")

    assert Account.objects.get().remote_id == admins[1].id


@pytest.mark.cal(bookings=5)
@pytest.mark.parametrize("fault", ["500", "html"])
def test_an_owner_that_cannot_be_read_now_is_asked_for_again(cal, account, fault):
    cal.fault(fault, path="/me", times=100)
    first = sync.walk(Account.objects.get())
    cal.faults.clear()

    sync.walk(Account.objects.get())

    assert first.outcome == "complete"
    assert Account.objects.get().remote_id == cal.users[1].id


@pytest.mark.cal(bookings=5)
@pytest.mark.parametrize("fault", ["500", "html"])
def test_a_new_credential_waits_until_its_owner_can_be_read(
    cal, account, settings, fault
):
    sync.walk(account)
    entry = settings.CAL_BOOKINGS["ACCOUNTS"]["default"]
    other = entry | {"API_KEY": cal.users[2].api_key}
    settings.CAL_BOOKINGS |= {"ACCOUNTS": {"default": other}}
    cal.book(user=cal.users[2])
    cal.fault(fault, path="/me", times=100)

    run = sync.walk(Account.objects.get())

    assert run.outcome == "failed"
    assert Account.objects.get().bookings.count() == 5


@pytest.mark.cal(bookings=5)
@pytest.mark.parametrize("fault", ["403", "no-route"])
def test_a_credential_that_cannot_read_its_owner_is_mirrored_all_the_same(
    cal, account, fault
):
    cal.fault(fault, path="/me", times=100)

    runs = [sync.walk(Account.objects.get()) for _ in range(2)]

    assert [run.outcome for run in runs] == ["complete"] * 2
    asked = len(questions(cal))
    sync.walk(Account.objects.get())
    assert len(questions(cal)) == asked
    assert Account.objects.get().circuit_failures == 0


@pytest.mark.cal(bookings=5)
def test_a_platforms_client_is_not_asked_about(cal, db, settings):
    cal.accept_client("client", "hush", cal.users[1])
    entry = {"CLIENT_ID": "client", "CLIENT_SECRET": "hush", "BASE_URL": cal.url}
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"default": entry}}

    assert cal_sync() == (0, "")
    assert questions(cal) == []


@pytest.mark.cal(bookings=5)
def test_tokens_that_are_exchanged_are_still_those_of_the_same_user(cal, db, settings):
    settings.CAL_BOOKINGS = {
        "ALLOWED_SERVERS": ["127.0.0.1"],
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    }
    access, refresh = cal.issue_tokens(cal.users[1])
    account = Account.objects.create(alias="default", base_url=cal.url)
    account.store_credentials(
        {
            "ACCESS_TOKEN": access,
            "REFRESH_TOKEN": refresh,
            "CLIENT_ID": "client",
            "CLIENT_SECRET": "hush",
        }
    )
    assert cal_sync() == (0, "")
    cal.expire_token(access)

    assert cal_sync() == (0, "")
    assert cal_sync() == (0, "")

    assert Account.objects.get().credentials["ACCESS_TOKEN"] != access
    assert len(questions(cal)) == 1


def test_a_key_that_is_refused_says_so_as_before(cal, account, configure):
    configure(default="cal_live_wrong")

    code, error = cal_sync()

    assert code == 2
    assert "Cal.com does not accept" in error
