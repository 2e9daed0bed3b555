"""The errors that mean "the database cannot hold this value", as opposed to "it cannot work now"."""

from django.db import DatabaseError, DataError, IntegrityError, OperationalError

#: The exceptions that a value may cause when a page is written. Only some OperationalErrors do: see `is_of_a_value`.
REFUSALS = (DatabaseError, OverflowError, RecursionError, ValueError)

#: The codes of MariaDB and MySQL for a packet that is too large; for a packet that is far too large the server answers
#: with "server has gone away" and "lost connection".
_TOO_LARGE = {1153, 2006, 2013, 2020}

#: The codes of MariaDB, PostgreSQL and SQLite for a check that failed, or a packet that is too large.
_FINAL = {4025, 1153, "23514", "SQLITE_CONSTRAINT_CHECK"}

#: The class 54 of PostgreSQL: the program limits, such as the size of a row in an index.
_PROGRAM_LIMIT = "54"


def is_of_a_value(error: Exception) -> bool:
    """Return whether `error` is the fault of the written value. A full disk or a missing table is not.

    An IntegrityError counts: the races that also end in an IntegrityError have been repeated before this call.
    """
    if not isinstance(error, DatabaseError):
        return True
    if isinstance(error, DataError | IntegrityError):
        return True
    return isinstance(error, OperationalError) and is_too_large(error)


def is_final(error: Exception) -> bool:
    """Return whether the same write is sure to be refused again, because no other writer has a part in it."""
    cause = error.__cause__
    code = error.args[0] if error.args else None
    known = (
        code,
        getattr(cause, "sqlstate", None),
        getattr(cause, "sqlite_errorname", None),
    )
    return not _FINAL.isdisjoint(known)


def is_too_large(error: Exception) -> bool:
    """Return whether the database may take the same values in smaller statements."""
    code = error.args[0] if error.args else None
    state = str(getattr(error.__cause__, "sqlstate", None) or "")
    is_too_big = getattr(error.__cause__, "sqlite_errorname", "") == "SQLITE_TOOBIG"
    return code in _TOO_LARGE or state.startswith(_PROGRAM_LIMIT) or is_too_big
