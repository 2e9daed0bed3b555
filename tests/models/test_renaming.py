"""An account whose alias changed in the settings keeps its bookings."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from cal_bookings.client import ApiKey
from cal_bookings.models import Account


@pytest.fixture
def renamed(cal, db, settings):
    """The account `default` after its first walk, when the settings call it `sales`."""
    call_command("cal_sync", verbosity=0)
    [entry] = settings.CAL_BOOKINGS["ACCOUNTS"].values()
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"sales": entry}}
    return Account.objects.get()


@pytest.mark.cal(bookings=3)
def test_the_row_of_the_old_alias_names_the_cure(renamed):
    with pytest.raises(ImproperlyConfigured) as error:
        _ = renamed.credential

    assert 'Account.objects.rename("default", "the new alias")' in str(error.value)


@pytest.mark.cal(bookings=3)
def test_a_renamed_account_keeps_its_bookings(renamed):
    before = set(renamed.bookings.values_list("pk", flat=True))

    Account.objects.configured()  # has made a row of the new alias
    Account.objects.rename("default", "sales")

    assert [account.alias for account in Account.objects.all()] == ["sales"]
    call_command("cal_sync", stdout=StringIO())
    assert set(renamed.bookings.values_list("pk", flat=True)) == before


@pytest.mark.cal(bookings=3)
def test_an_account_with_bookings_of_its_own_is_not_replaced(renamed):
    other = Account.objects.configured().get(alias="sales")
    renamed.bookings.update(account=other)

    with pytest.raises(ValueError, match="bookings of its own"):
        Account.objects.rename("default", "sales")

    assert Account.objects.count() == 2


def test_an_account_of_the_database_keeps_its_credential(db, settings):
    settings.CAL_BOOKINGS = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    Account.objects.create(alias="ada", credentials={"API_KEY": "cal_1"})

    Account.objects.rename("ada", "countess")

    assert Account.objects.get().credential == ApiKey("cal_1")
