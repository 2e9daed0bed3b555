"""Credentials at rest: a JSON field encrypted with the Fernet keys of ``CAL_BOOKINGS["ENCRYPTION_KEYS"]``."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
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


class Sealed(Mapping[str, Any]):
    """What was read from the database, decrypted when somebody looks into it: then ImproperlyConfigured if no key fits.

    So a row whose key is lost can be listed, changed and deleted like any other, and nothing that prints or pickles a
    row tells its secret.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _opened(self) -> dict[str, Any]:
        try:
            opened: dict[str, Any] = json.loads(fernet().decrypt(self._text))
        except InvalidToken as error:
            raise ImproperlyConfigured(
                "A stored Cal.com credential cannot be decrypted with any key of "
                'CAL_BOOKINGS["ENCRYPTION_KEYS"]. Put the key it was encrypted with back at the end of the list, or '
                "replace the credential: on the account's page in the admin."
            ) from error
        return opened

    def encrypted_anew(self) -> str:
        """With the newest key; as it was if it cannot be decrypted."""
        try:
            return fernet().rotate(self._text).decode()
        except (InvalidToken, ImproperlyConfigured):
            return self._text

    def __getitem__(self, name: str) -> Any:
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._opened)

    def __len__(self) -> int:
        return len(self._opened)

    def __bool__(self) -> bool:
        return True  # nothing is stored as "", which is not sealed

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self, **other}

    def __getstate__(self) -> dict[str, str]:
        return {"_text": self._text}

    def __repr__(self) -> str:
        return "<sealed>"


class EncryptedJSONField(models.TextField):
    """A JSON object that the database sees only encrypted. It cannot be searched, and an empty one is stored as ""."""

    # For django-stubs: what the attribute takes and gives is not the text of the column.
    _pyi_private_set_type: Mapping[str, Any]  # type: ignore[assignment]
    _pyi_private_get_type: dict[str, Any] | Sealed  # type: ignore[assignment]

    def get_prep_value(self, value: Any) -> str:
        if isinstance(value, Sealed):
            return value.encrypted_anew()
        if not value:
            return ""
        return fernet().encrypt(json.dumps(value).encode()).decode()

    def from_db_value(
        self, value: str | None, expression: object, connection: BaseDatabaseWrapper
    ) -> Any:
        return Sealed(value) if value else {}
