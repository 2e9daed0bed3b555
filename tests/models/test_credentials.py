"""Accounts of the settings and of the database: where the credential comes from, and that it never shows."""

import json
import pickle

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from cal_bookings import conf
from cal_bookings.client import AccessToken, ApiKey, ClientSecret
from cal_bookings.models import Account
from cal_bookings.models.encryption import seal

OLD_KEY, NEW_KEY = (Fernet.generate_key().decode() for _ in range(2))


def stored_text(account):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT credentials FROM cal_bookings_account WHERE id = %s", [account.pk]
        )
        return cursor.fetchone()[0]


def store_text(account, text):
    """As by SQL, without the field."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cal_bookings_account SET credentials = %s WHERE id = %s",
            [text, account.pk],
        )


def encrypted(text):
    return Fernet(NEW_KEY).encrypt(text.encode()).decode()


def first_release(credentials):
    """The ciphertext that version 47685b3 stored."""
    return encrypted(json.dumps(credentials))


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


@pytest.mark.django_db
class TestWhoseItIs:
    """A ciphertext belongs to one account and one column."""

    @pytest.fixture
    def accounts(self, configure):
        configure(ENCRYPTION_KEYS=[NEW_KEY])
        return [
            Account.objects.create(alias=alias, credentials={"API_KEY": f"cal_{alias}"})
            for alias in ("ada", "eve")
        ]

    def test_a_ciphertext_that_was_copied_to_another_account_does_not_open(
        self, accounts
    ):
        ada, eve = accounts
        store_text(eve, stored_text(ada))

        with pytest.raises(ImproperlyConfigured, match="another account") as caught:
            _ = Account.objects.get(alias="eve").credential

        assert '"eve"' in str(caught.value)
        assert "Replace the credential" in str(caught.value)
        assert Account.objects.get(alias="ada").credential == ApiKey("cal_ada")

    def test_it_does_not_open_after_that_account_was_saved_either(self, accounts):
        ada, eve = accounts
        store_text(eve, stored_text(ada))

        Account.objects.get(alias="eve").save()

        assert stored_text(eve) == stored_text(ada)
        with pytest.raises(ImproperlyConfigured, match="another account"):
            _ = Account.objects.get(alias="eve").credential

    def test_a_ciphertext_of_another_column_does_not_open(self, accounts):
        ada, _ = accounts
        other = seal({"API_KEY": "x"}, ("cal_bookings.account", "other", "ada"))
        store_text(ada, other.text)

        with pytest.raises(ImproperlyConfigured, match="another account or column"):
            _ = Account.objects.get(alias="ada").credential

    def test_outside_an_account_it_does_not_open(self, accounts):
        sealed = Account.objects.values_list("credentials", flat=True)[0]

        with pytest.raises(ImproperlyConfigured, match="another account or column"):
            sealed["API_KEY"]

    def test_an_account_that_is_renamed_keeps_its_credential(self, accounts):
        ada, _ = accounts
        renamed = Account.objects.get(pk=ada.pk)
        renamed.alias = "ada-lovelace"
        renamed.save()

        assert Account.objects.get(pk=ada.pk).credential == ApiKey("cal_ada")

    def test_the_credential_of_one_account_may_be_given_to_another(self, accounts):
        ada, eve = Account.objects.order_by("alias")
        eve.credentials = ada.credentials
        eve.save()

        assert Account.objects.get(alias="eve").credential == ApiKey("cal_ada")
        assert Account.objects.get(alias="ada").credential == ApiKey("cal_ada")

    def test_a_ciphertext_of_the_first_release_opens_and_is_bound_when_it_is_saved(
        self, accounts
    ):
        ada, eve = accounts
        store_text(ada, first_release({"API_KEY": "cal_old"}))
        assert Account.objects.get(alias="ada").credential == ApiKey("cal_old")

        Account.objects.get(alias="ada").save()

        assert Account.objects.get(alias="ada").credential == ApiKey("cal_old")
        store_text(eve, stored_text(ada))
        with pytest.raises(ImproperlyConfigured, match="another account"):
            _ = Account.objects.get(alias="eve").credential

    def test_the_first_release_reads_what_is_written_now(self, accounts):
        """It decrypts, and takes from the object the keys it knows: nobody has to migrate anything back."""
        ada, _ = accounts

        opened = json.loads(Fernet(NEW_KEY).decrypt(stored_text(ada)))

        assert conf.credential(opened, of="the first release") == ApiKey("cal_ada")

    def test_an_update_without_the_account_is_refused_and_shows_nothing(self, accounts):
        with pytest.raises(ValueError, match="store_credentials") as caught:
            Account.objects.update(credentials={"API_KEY": "cal_secret"})

        assert "cal_secret" not in str(caught.value)


#: What another hand may have stored, and what the account then says.
BROKEN = {
    "a text": ("<sealed>", "cannot be decrypted"),
    "the ciphertext of a text": ('"<sealed>"', "not a JSON object"),
    "the ciphertext of a list": ('["API_KEY"]', "not a JSON object"),
    "the ciphertext of null": ("null", "not a JSON object"),
    "the ciphertext of no JSON": ("{", "not a JSON object"),
    "the ciphertext of a deep list": ("[" * 100_000, "not a JSON object"),
    "a key that is a number": ('{"API_KEY": 5}', "API_KEY must be text"),
    "a secret that is a list": (
        '{"CLIENT_ID": "c", "CLIENT_SECRET": [1]}',
        "CLIENT_SECRET must be text",
    ),
    "a token of a number": (
        '{"ACCESS_TOKEN": "t", "REFRESH_TOKEN": 5}',
        "REFRESH_TOKEN must be text",
    ),
    "no credential": ("{}", "needs exactly one credential"),
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "problem"), [pytest.param(*case, id=name) for name, case in BROKEN.items()]
)
def test_what_is_no_credential_is_told_with_the_account_and_the_cure(
    configure, text, problem
):
    configure(ENCRYPTION_KEYS=[NEW_KEY])
    account = Account.objects.create(alias="ada", credentials={"API_KEY": "cal_1"})
    store_text(account, text if text == "<sealed>" else encrypted(text))

    with pytest.raises(ImproperlyConfigured, match=problem) as caught:
        Account.objects.get().connect()

    assert '"ada"' in str(caught.value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "column", [{"base_url": "cal.example.com"}, {"scope": [1]}, {"scope": {"teem": 1}}]
)
def test_so_is_a_server_or_scope_that_is_none(configure, column):
    configure(ENCRYPTION_KEYS=[NEW_KEY])
    account = Account.objects.create(alias="a", credentials={"API_KEY": "cal_1"})
    Account.objects.update(**column)

    account.refresh_from_db()
    with pytest.raises(ImproperlyConfigured):
        account.connect()


@pytest.mark.django_db
class TestDumps:
    """`dumpdata` and `loaddata` keep the credentials, encrypted."""

    @pytest.fixture
    def dump(self, configure, tmp_path):
        """Two accounts in a file, of which none is left in the database."""
        configure(ENCRYPTION_KEYS=[NEW_KEY])
        tokens = {"ACCESS_TOKEN": "jwt", "REFRESH_TOKEN": "r", "CLIENT_ID": "c"}
        Account.objects.create(alias="ada", credentials={"API_KEY": "cal_secret"})
        Account.objects.create(alias="eve", credentials=tokens)
        Account.objects.create(alias="none")

        def dump(*options, suffix="json"):
            file = tmp_path / f"dump.{suffix}"
            call_command("dumpdata", "cal_bookings", *options, output=str(file))
            Account.objects.all().delete()
            return file

        return dump

    @pytest.mark.parametrize("suffix", ["json", "jsonl", "xml"])
    def test_the_accounts_work_as_before(self, dump, suffix):
        file = dump("--format", suffix, suffix=suffix)
        assert "cal_secret" not in file.read_text()
        assert "sealed>" not in file.read_text()

        call_command("loaddata", str(file), verbosity=0)

        ada, eve, none = Account.objects.order_by("alias")
        assert ada.credential == ApiKey("cal_secret")
        assert eve.credential == AccessToken("jwt")
        assert eve.credentials["REFRESH_TOKEN"] == "r"
        assert none.credentials == {}

    def test_so_they_do_with_other_primary_keys(self, dump):
        file = dump()
        rows = json.loads(file.read_text())
        for row in rows:
            row["pk"] += 1000
        file.write_text(json.dumps(rows))

        call_command("loaddata", str(file), verbosity=0)

        assert Account.objects.get(alias="ada").credential == ApiKey("cal_secret")

    def test_a_dump_with_a_lost_key_keeps_what_nobody_can_read(self, dump, configure):
        configure(ENCRYPTION_KEYS=[OLD_KEY])
        file = dump()

        call_command("loaddata", str(file), verbosity=0)

        configure(ENCRYPTION_KEYS=[NEW_KEY])
        assert Account.objects.get(alias="ada").credential == ApiKey("cal_secret")

    @pytest.mark.parametrize(
        "text", ["<sealed>", "cal_in_clear", '{"API_KEY": "cal_"}']
    )
    def test_text_that_is_no_ciphertext_is_not_stored(self, dump, text):
        """Dumps of the first release hold "<sealed>"; a file made by hand may hold the key itself."""
        file = dump()
        rows = json.loads(file.read_text())
        for row in rows:
            row["fields"]["credentials"] = text
        file.write_text(json.dumps(rows))

        call_command("loaddata", str(file), verbosity=0)

        for account in Account.objects.all():
            assert stored_text(account) == "<sealed>"
            with pytest.raises(ImproperlyConfigured, match="replace the credential"):
                _ = account.credential
