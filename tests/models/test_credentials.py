"""Accounts of the settings and of the database: where the credential comes from, and that it never shows."""

import pickle

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from cal_bookings.client import AccessToken, ApiKey, ClientSecret
from cal_bookings.models import Account

OLD_KEY, NEW_KEY = (Fernet.generate_key().decode() for _ in range(2))


def stored_text(account):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT credentials FROM cal_bookings_account WHERE id = %s", [account.pk]
        )
        return cursor.fetchone()[0]


@pytest.fixture
def configure(settings):
    def set_(**keys):
        settings.CAL_BOOKINGS = keys

    return set_


@pytest.mark.django_db
class TestInTheDatabase:
    def test_a_credential_is_stored_encrypted(self, configure):
        configure(ENCRYPTION_KEYS=[NEW_KEY])
        account = Account.objects.create(
            alias="a", credentials={"API_KEY": "cal_secret"}
        )

        assert "cal_secret" not in stored_text(account)
        assert Account.objects.get().credential == ApiKey("cal_secret")
        assert "cal_secret" not in repr(account.credential)

    def test_an_older_key_still_decrypts_and_the_newest_encrypts(self, configure):
        configure(ENCRYPTION_KEYS=[OLD_KEY])
        account = Account.objects.create(
            alias="a", credentials={"ACCESS_TOKEN": "token"}
        )
        before = stored_text(account)

        configure(ENCRYPTION_KEYS=[NEW_KEY, OLD_KEY])
        assert Account.objects.get().credential == AccessToken("token")
        Account.objects.get().save()

        configure(ENCRYPTION_KEYS=[NEW_KEY])
        assert Account.objects.get().credential == AccessToken("token")
        assert stored_text(account) != before

    def test_a_lost_key_is_named_as_the_cause(self, configure):
        configure(ENCRYPTION_KEYS=[OLD_KEY])
        Account.objects.create(alias="a", credentials={"API_KEY": "cal_secret"})

        configure(ENCRYPTION_KEYS=[NEW_KEY])

        with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
            _ = Account.objects.get().credential

    @pytest.fixture
    def locked(self, configure):
        """Its key is lost."""
        configure(ENCRYPTION_KEYS=[OLD_KEY])
        Account.objects.create(alias="a", credentials={"API_KEY": "cal_secret"})
        configure(ENCRYPTION_KEYS=[NEW_KEY])
        return Account.objects.get()

    @pytest.mark.parametrize("keys", [[NEW_KEY], []])
    def test_an_account_whose_key_is_lost_can_be_deleted(self, configure, locked, keys):
        configure(ENCRYPTION_KEYS=keys)

        Account.objects.get().delete()

        assert not Account.objects.exists()

    def test_so_can_all_at_once(self, locked):
        Account.objects.all().delete()

        assert not Account.objects.exists()

    @pytest.mark.parametrize("keys", [[NEW_KEY], []])
    def test_saving_it_keeps_what_nobody_can_read(self, configure, locked, keys):
        before = stored_text(locked)
        configure(ENCRYPTION_KEYS=keys)

        locked.refresh_from_db()
        locked.is_active = False
        locked.save()

        assert stored_text(locked) == before
        configure(ENCRYPTION_KEYS=[NEW_KEY, OLD_KEY])
        account = Account.objects.get()
        assert account.credential == ApiKey("cal_secret")
        assert not account.is_active

    def test_another_credential_replaces_it(self, locked):
        locked.store_credentials({"API_KEY": "cal_new"})

        assert Account.objects.get().credential == ApiKey("cal_new")

    def test_a_credential_that_was_read_shows_in_no_print_and_no_pickle(
        self, configure
    ):
        configure(ENCRYPTION_KEYS=[NEW_KEY])
        Account.objects.create(alias="a", credentials={"API_KEY": "cal_secret"})
        account = Account.objects.get()
        assert account.credentials == {"API_KEY": "cal_secret"}

        assert "cal_secret" not in repr(account.credentials)
        pickled = pickle.dumps(account)
        assert b"cal_secret" not in pickled
        again = pickle.loads(pickled)  # noqa: S301 - our own
        assert again.credential == ApiKey("cal_secret")

    @pytest.mark.parametrize("keys", [[], ["not a key"]])
    def test_without_a_good_key_nothing_is_stored(self, configure, keys):
        configure(ENCRYPTION_KEYS=keys)

        with pytest.raises(ImproperlyConfigured, match="Make one with"):
            Account.objects.create(alias="a", credentials={"API_KEY": "cal_secret"})

    def test_an_account_without_a_credential_says_where_to_put_one(self, configure):
        configure()

        with pytest.raises(ImproperlyConfigured, match="ACCOUNTS"):
            _ = Account.objects.create(alias="a").credential


@pytest.mark.django_db
class TestInTheSettings:
    def test_each_kind_of_credential(self, configure):
        configure(
            ACCOUNTS={
                "key": {"API_KEY": "cal_1"},
                "token": {"ACCESS_TOKEN": "t"},
                "client": {"CLIENT_ID": "c", "CLIENT_SECRET": "s"},
            }
        )

        assert {
            account.alias: account.credential
            for account in Account.objects.configured()
        } == {
            "key": ApiKey("cal_1"),
            "token": AccessToken("t"),
            "client": ClientSecret("c", "s"),
        }

    def test_the_settings_win_over_the_database(self, configure):
        configure(
            ENCRYPTION_KEYS=[NEW_KEY], ACCOUNTS={"a": {"API_KEY": "from settings"}}
        )
        Account.objects.create(alias="a", credentials={"API_KEY": "from-database"})
        configure(
            ENCRYPTION_KEYS=[NEW_KEY], ACCOUNTS={"a": {"API_KEY": "from-settings"}}
        )

        assert Account.objects.get().credential == ApiKey("from-settings")

    def test_another_server_makes_the_learnt_dialect_void(self, configure):
        configure(ACCOUNTS={"a": {"API_KEY": "k"}})
        account = Account.objects.configured().get()
        account.dialect = "cursor"
        account.save()

        configure(
            ACCOUNTS={"a": {"API_KEY": "k", "BASE_URL": "https://cal.example.org/v2"}}
        )

        account = Account.objects.configured().get()
        assert (account.base_url, account.dialect) == ("https://cal.example.org/v2", "")

    def test_an_account_that_is_switched_off_is_left_alone(self, configure):
        configure(ACCOUNTS={"a": {"API_KEY": "k"}})
        Account.objects.configured().update(is_active=False)

        assert not Account.objects.configured().exists()

    def test_two_credentials_are_one_too_many(self, configure):
        configure(ACCOUNTS={"a": {"API_KEY": "k", "ACCESS_TOKEN": "t"}})

        with pytest.raises(ImproperlyConfigured, match="exactly one credential"):
            _ = Account.objects.configured().get().credential
