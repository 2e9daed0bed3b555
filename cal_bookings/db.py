"""Transactions on the database that holds the app's tables, which a router of the site may have moved off ``default``.

The app uses these functions in place of those of `django.db.transaction`, which act on ``default``.
"""

from collections.abc import Callable

from django.apps import apps
from django.db import connections, router, transaction
from django.db.transaction import Atomic


def alias() -> str:
    """Return the alias of the database that the site's routers choose for the app's writes."""
    return router.db_for_write(apps.get_model("cal_bookings", "Booking"))


def atomic(*, durable: bool = False) -> Atomic:
    """Open a transaction, or a savepoint inside one. With `durable`, an enclosing transaction is a RuntimeError."""
    return transaction.atomic(using=alias(), durable=durable)


def after_commit(function: Callable[[], object]) -> None:
    """Call `function` after the current transaction has committed, or now if there is none.

    An exception of `function` is logged and does not keep other functions from being called.
    """

    def call() -> None:
        # Django 5.2 logs the `__qualname__` of a function that fails, and a partial has none.
        function()

    transaction.on_commit(call, using=alias(), robust=True)


def is_doomed() -> bool:
    """Return whether an error has ended the current transaction, so that only a rollback is possible in it."""
    connection = connections[alias()]
    return connection.in_atomic_block and connection.needs_rollback


def reconnect() -> None:
    """Close the connection if the server has ended it, so that the next query opens another one.

    Has no effect inside a transaction, which cannot go on over another connection.
    """
    connection = connections[alias()]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
