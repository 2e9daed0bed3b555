"""The way round a value that the database refuses: halve what is written together until that value is alone."""

from collections.abc import Callable
from typing import Generic, TypeVar

from cal_bookings import db
from cal_bookings.mirror import (
    refusals,
    retries,
)

#: The number of attempts at a transaction that is written in parts: each connection that the server closes takes an
#: attempt.
ATTEMPTS = 40

Item = TypeVar("Item")
Result = TypeVar("Result")

#: The type of a function that writes a part of the items, inside a transaction.
WritePart = Callable[[list[Item]], None]
#: The type of a function that writes all items by means of a WritePart, and returns the refused items with their
#: errors.
WriteAll = Callable[[WritePart[Item]], list[tuple[Item, Exception]]]


def in_transaction(
    items: list[Item], write: Callable[[WriteAll[Item]], Result]
) -> Result:
    """Call `write(write_all)` in a transaction and return its result; repeat it as long as it loses races.

    `write_all` writes all `items` at once. If the database refuses an item, everything is rolled back, and `write` is
    called again with a `write_all` that writes the items in parts. Raises a DatabaseError if the database cannot work
    at all.
    """
    try:
        return retries.in_transaction(lambda: write(_at_once(items)))
    except refusals.REFUSALS as error:
        if db.is_doomed() or not refusals.is_of_a_value(error):
            raise
    halved = _Parts(items)
    return retries.in_transaction(
        lambda: write(halved.write), attempts=ATTEMPTS, is_final=_is_final
    )


def message(error: Exception) -> str:
    """Return the message for a run's failures. The database's own words are left out, because they repeat the value."""
    return f"the database refuses it: {type(error).__name__}"


def _is_final(error: Exception) -> bool:
    """Return whether the next attempt is refused too; smaller parts help if a statement was too large."""
    return refusals.is_final(error) and not refusals.is_too_large(error)


def _at_once(items: list[Item]) -> WriteAll[Item]:
    def write_all(write_part: WritePart[Item]) -> list[tuple[Item, Exception]]:
        write_part(items)
        return []

    return write_all


class _Parts(Generic[Item]):
    """The items of a transaction in which the database refuses an item.

    A refusal costs only its savepoint, unless it ends the whole transaction: MariaDB closes the connection on a
    statement that is too large. Such an error is raised; the next `write`, in a new transaction, makes smaller parts.
    """

    def __init__(self, items: list[Item]) -> None:
        self._items = items
        self._size = max(1, len(items))
        #: The items that alone ended a transaction, by their place.
        self._hopeless: dict[int, Exception] = {}

    def write(self, write_part: WritePart[Item]) -> list[tuple[Item, Exception]]:
        refused = dict(self._hopeless)
        places = [n for n in range(len(self._items)) if n not in refused]
        for begin in range(0, len(places), self._size):
            self._halve(places[begin : begin + self._size], write_part, refused)
        return [(self._items[n], error) for n, error in sorted(refused.items())]

    def _halve(
        self,
        places: list[int],
        write_part: WritePart[Item],
        refused: dict[int, Exception],
    ) -> None:
        try:
            with db.atomic():
                write_part([self._items[n] for n in places])
            return
        except refusals.REFUSALS as error:
            self._accept(places, error)
            if len(places) == 1:
                refused[places[0]] = error
                return
        half = len(places) // 2
        self._halve(places[:half], write_part, refused)
        self._halve(places[half:], write_part, refused)

    def _accept(self, places: list[int], error: Exception) -> None:
        """Raise `error` again unless it is that of a value and has left the transaction alive."""
        if not refusals.is_of_a_value(error):
            raise error
        if not db.is_doomed():
            return
        if len(places) == 1:
            self._hopeless[places[0]] = error
        else:
            self._size = len(places) // 2
        raise error
