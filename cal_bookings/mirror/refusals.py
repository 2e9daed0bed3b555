"""Errors that mean "the database cannot hold this value", told apart from those that mean "it cannot work now"."""

from django.db import DatabaseError, DataError, IntegrityError, OperationalError

#: What writing a page may raise because of a value in it. Of the OperationalErrors only some do: see `is_of_a_value`.
REFUSALS = (DatabaseError, OverflowError, RecursionError, ValueError)

#: MariaDB and MySQL: packet too large, and "server has gone away" and "lost connection", which is how the server
#: answers a packet that is far too large.
_TOO_LARGE = {1153, 2006, 2013, 2020}

#: A check that failed, or a packet too large: codes of MariaDB, PostgreSQL and SQLite.
_FINAL = {4025, 1153, "23514", "SQLITE_CONSTRAINT_CHECK"}

#: PostgreSQL, class 54: the program limits, such as the size of a row in an index.
_PROGRAM_LIMIT = "54"


def is_of_a_value(error: Exception) -> bool:
    """Whether `error` is the fault of what was written. A full disk or a missing table is not.

    An IntegrityError counts: the races that also end in one have been run again before anybody asks.
    """
    if not isinstance(error, DatabaseError):
        return True
    if isinstance(error, DataError | IntegrityError):
        return True
    return isinstance(error, OperationalError) and is_too_large(error)


def is_final(error: Exception) -> bool:
    """Whether the same write is sure to be refused again, because no other writer has a part in it."""
    cause = error.__cause__
    code = error.args[0] if error.args else None
    known = (
        code,
        getattr(cause, "sqlstate", None),
        getattr(cause, "sqlite_errorname", None),
    )
    return not _FINAL.isdisjoint(known)


def is_too_large(error: Exception) -> bool:
    """Whether the database may take the same values in smaller statements."""
    code = error.args[0] if error.args else None
    state = str(getattr(error.__cause__, "sqlstate", None) or "")
    is_too_big = getattr(error.__cause__, "sqlite_errorname", "") == "SQLITE_TOOBIG"
    return code in _TOO_LARGE or state.startswith(_PROGRAM_LIMIT) or is_too_big
