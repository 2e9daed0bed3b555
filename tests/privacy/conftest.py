"""The rows with canaries, and a browser of somebody who may see everything but people."""

import pytest
from cryptography.fernet import Fernet
from django.test import Client

from tests.privacy.canaries import Rows, all_but_people, make_rows, person


@pytest.fixture
def rows(db, settings) -> Rows:
    settings.CAL_BOOKINGS = {"ENCRYPTION_KEYS": [Fernet.generate_key()]}
    return make_rows()


@pytest.fixture
def viewer(rows):
    """Signed in with `view_booking` alone."""
    client = Client()
    client.force_login(person("view_booking"))
    return client


@pytest.fixture
def clerk(rows):
    """Signed in with every permission of the app but `view_attendee`."""
    client = Client()
    client.force_login(person(*all_but_people()))
    return client
