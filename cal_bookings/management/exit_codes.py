"""The exit codes that the app's commands share, and the base class that ends a command with them.

A command uses 0, 1 and 2 for its own outcomes. Each obstacle to an outcome has a code of its own, so that a monitor can
distinguish a dead database from a booking that could not be mirrored.
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, SystemCheckError
from django.db import Error, connections
from django.db.migrations.executor import MigrationExecutor

from cal_bookings import db
from cal_bookings.sync import failures

#: The settings are wrong, or name nothing to work on.
CONFIGURATION = 3
#: The database does not answer, or is not migrated.
DATABASE = 4
#: A bug, of this app or of the site; the log holds the traceback.
INTERNAL = 5
#: Ctrl-C interrupted the command.
INTERRUPTED = 130

SHARED = (
    "3: the settings are wrong; 4: the database is down or not migrated; 5: an internal error, which the log explains; "
    "130: interrupted."
)


class CalCommand(BaseCommand):
    """A command whose exit code says what went wrong, and which prints one line for it instead of a traceback.

    With ``--traceback``, Django shows the exception all the same.
    """

    #: The text for a person who interrupted the command.
    when_interrupted = "Nothing is lost."

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute(*args, **options)
        except KeyboardInterrupt:
            self.stderr.write(f"Interrupted. {self.when_interrupted}")
            raise SystemExit(INTERRUPTED) from None
        except SystemCheckError as error:
            error.returncode = CONFIGURATION
            raise
        except CommandError:
            raise
        except Exception as error:
            raise CommandError(explain(error), returncode=code_of(error)) from error


def code_of(error: Exception) -> int:
    """Return the exit code of an exception that ended a command or a part of it."""
    if isinstance(error, ImproperlyConfigured):
        return CONFIGURATION
    return DATABASE if isinstance(error, Error) else INTERNAL


def explain(error: Exception) -> str:
    """Return one line for a person, with the cure if it is known. An error that needs its stack is logged once."""
    if isinstance(error, ImproperlyConfigured):
        return str(error)
    if isinstance(error, Error):
        return _explain_database(error)
    _log_stack(error)
    return f"Internal error ({type(error).__name__}). The log shows where: please report it."


def _explain_database(error: Error) -> str:
    problem = database_problem()
    if problem:
        return problem
    _log_stack(error)
    return f"The database refused a statement ({type(error).__name__}). The log says where."


def _log_stack(error: Exception) -> None:
    if not failures.is_recorded(error):  # else the walk has logged it
        failures.log_stack(error)


def database_problem() -> str:
    """Return the problem of the database as a whole and its cure, or "" if it responds and is migrated."""
    connection = connections[db.alias()]
    if connection.in_atomic_block:
        return ""  # the transaction is a caller's; it may be broken, and then no query works
    try:
        connection.close_if_unusable_or_obsolete()
        executor = MigrationExecutor(connection)
        leaves = executor.loader.graph.leaf_nodes("cal_bookings")
        if not executor.migration_plan(leaves):
            return ""
    except Error as error:
        first, *_ = str(error).splitlines() or [type(error).__name__]
        return f"The database does not answer: {first}. Check DATABASES, and that the server runs."
    return "The database is not migrated to this version: run `manage.py migrate`."
