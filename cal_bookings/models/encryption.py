"""Credentials at rest: a JSON field encrypted with the Fernet keys of ``CAL_BOOKINGS["ENCRYPTION_KEYS"]``."""

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from cal_bookings import conf

MAKE_A_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


def fernet() -> MultiFernet:
    """Encrypts with the newest key, decrypts with any; raises ImproperlyConfigured with the cure."""
    keys = conf.get("ENCRYPTION_KEYS")
    if not keys:
        raise ImproperlyConfigured(
            'Accounts kept in the database need CAL_BOOKINGS["ENCRYPTION_KEYS"], a list of Fernet keys, newest first. '
            f"Make one with: {MAKE_A_KEY}"
        )
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            f'CAL_BOOKINGS["ENCRYPTION_KEYS"] holds a key that is not a Fernet key. Make one with: {MAKE_A_KEY}'
        ) from error


class EncryptedJSONField(models.TextField):
    """A JSON value that the database sees only encrypted. It cannot be searched, and an empty value is stored as ""."""

    # For django-stubs: what the attribute takes and gives is not the text of the column.
    _pyi_private_set_type: dict[str, Any]  # type: ignore[assignment]
    _pyi_private_get_type: dict[str, Any]  # type: ignore[assignment]

    def get_prep_value(self, value: Any) -> str:
        if not value:
            return ""
        return fernet().encrypt(json.dumps(value).encode()).decode()

    def from_db_value(
        self, value: str | None, expression: object, connection: BaseDatabaseWrapper
    ) -> Any:
        if not value:
            return {}
        try:
            return json.loads(fernet().decrypt(value))
        except InvalidToken as error:
            raise ImproperlyConfigured(
                "A stored Cal.com credential cannot be decrypted with any key of "
                'CAL_BOOKINGS["ENCRYPTION_KEYS"]. Put the key it was encrypted with back at the end of the list.'
            ) from error
