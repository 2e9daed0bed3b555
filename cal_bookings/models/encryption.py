"""A JSON field for credentials, encrypted with the Fernet keys of ``CAL_BOOKINGS["ENCRYPTION_KEYS"]``.

Note [A ciphertext belongs to one row]
The encrypted object names its model, its column and the alias of its account, under `SEALED_FOR`. A ciphertext that
was copied to another row or column cannot be read there. The alias stands for the account because it is unique, known
before the row exists, and the same after dumps, restores and copies to another database; a primary key is not.

The name stands beside the credential, not around it, so that the first release, which ignores keys it does not know,
reads what this release writes: migrating back needs no step. Ciphertexts of that release carry no name. They can be
read in any row until they are saved again.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute

from cal_bookings import conf

MAKE_A_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
SEALED_FOR = "SEALED_FOR"
_REPLACE_IT = "Replace the credential: on the account's page in the admin, or with store_credentials()."

#: The text stored in place of one that is no ciphertext, so that no credential of a fixture is stored in clear.
_UNREADABLE = "<sealed>"
_CIPHERTEXT = re.compile(r"gAAAA[\w-]+={0,2}")


def fernet() -> MultiFernet:
    """Return the cipher, which encrypts with the newest key and decrypts with any.

    Raises ImproperlyConfigured, with the cure, if there is no valid key.
    """
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


#: Model, column and alias of the account that a ciphertext belongs to.
Place = tuple[str, str, str]


class Sealed(Mapping[str, Any]):
    """A ciphertext from the database, decrypted at the first access to its content.

    That access raises ImproperlyConfigured if no key fits, if the text is no JSON object, or if it belongs elsewhere.
    Without it, such a row can be listed, changed and deleted like any other. Neither `repr` nor a pickle shows the
    secret.
    """

    def __init__(self, text: str, place: Place | None = None) -> None:
        self.text = text
        #: The place of the ciphertext; None until the account is known, as in the rows of `values()`.
        self.place = place

    @cached_property
    def _opened(self) -> dict[str, Any]:
        try:
            opened = json.loads(fernet().decrypt(self.text))
        except InvalidToken as error:
            raise ImproperlyConfigured(
                f"The credential stored {self._whose} cannot be decrypted with any key of "
                'CAL_BOOKINGS["ENCRYPTION_KEYS"]. Put the key it was encrypted with back at the end of the list, or '
                "replace the credential: on the account's page in the admin, or with store_credentials()."
            ) from error
        except (ValueError, RecursionError):
            opened = None
        if not isinstance(opened, dict):
            raise ImproperlyConfigured(
                f"The credential stored {self._whose} is not a JSON object. {_REPLACE_IT}"
            )
        named = opened.pop(SEALED_FOR, None)
        if named is not None and (self.place is None or named != [*self.place]):
            raise ImproperlyConfigured(
                f"The credential stored {self._whose} was encrypted for another account or column: it was copied, or "
                f"the alias was changed in the database alone. {_REPLACE_IT}"
            )
        return opened

    @property
    def _whose(self) -> str:
        return f'for the Cal.com account "{self.place[2]}"' if self.place else "there"

    def sealed_again(self) -> str:
        """Return the ciphertext for the same place with the newest key; unchanged if it cannot be read."""
        try:
            return seal(self, self.place).text if self.place else self.text
        except ImproperlyConfigured:
            return self.text

    def __getitem__(self, name: str) -> Any:
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._opened)

    def __len__(self) -> int:
        return len(self._opened)

    def __bool__(self) -> bool:
        return True  # an empty credential is stored as "", which is not sealed

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self, **other}

    def __reduce__(self) -> tuple[Any, ...]:
        return Sealed, (self.text, self.place)

    def __repr__(self) -> str:
        return "<sealed>"


def seal(value: Mapping[str, Any], place: Place) -> Sealed:
    """Encrypt a JSON object for a place, with the newest key. Raises ImproperlyConfigured if there is no valid key."""
    named = {**value, SEALED_FOR: place}
    return Sealed(fernet().encrypt(json.dumps(named).encode()).decode(), place)


class _SealedAttribute(DeferredAttribute):
    """A descriptor that sets the place of a ciphertext when it is read into an account."""

    field: "EncryptedJSONField"

    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, Sealed) and value.place is None:
            value.place = self.field.place_in(instance)
        instance.__dict__[self.field.attname] = value


class EncryptedJSONField(models.TextField):
    """A JSON object that is encrypted in the database. It cannot be searched; an empty object is stored as "".

    The model has an `alias`, declared before this field. Dumps hold the ciphertext.
    """

    # For django-stubs: the attribute's type is not the text of the column.
    _pyi_private_set_type: Mapping[str, Any]  # type: ignore[assignment]
    _pyi_private_get_type: dict[str, Any] | Sealed  # type: ignore[assignment]

    descriptor_class = _SealedAttribute

    def place_in(self, instance: models.Model) -> Place | None:
        """Return the place of this column's value; None while the alias is not loaded."""
        alias = instance.__dict__.get("alias")
        return alias and (instance._meta.label_lower, self.attname, alias)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's signature
        """Return the value, sealed for the row that is saved. A value that cannot be read is left unchanged."""
        value = getattr(model_instance, self.attname)
        place = self.place_in(model_instance)
        if not value or place is None or getattr(value, "place", None) == place:
            return value
        try:
            return seal(value, place)
        except ImproperlyConfigured:
            if isinstance(value, Sealed):
                return value
            raise

    def get_prep_value(self, value: Any) -> str:
        if isinstance(value, Sealed):
            return value.sealed_again()
        if not value:
            return ""
        raise ValueError(
            "A credential is encrypted for its account: assign it and call save(), or call store_credentials()."
        )

    def from_db_value(
        self, value: str | None, expression: object, connection: BaseDatabaseWrapper
    ) -> Any:
        return Sealed(value) if value else {}

    def to_python(self, value: Any) -> Any:
        """Read the text of `value_to_string`. Text that is no ciphertext is replaced, because it may be a secret."""
        if not isinstance(value, str):
            return value or {}
        if not value:
            return {}
        return Sealed(value if _CIPHERTEXT.fullmatch(value) else _UNREADABLE)

    def value_to_string(self, obj: models.Model) -> str:
        """Return the ciphertext, for `dumpdata`."""
        return self.get_prep_value(self.pre_save(obj, add=False))
