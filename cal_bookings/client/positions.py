"""The position of a walk through the list, which a checkpoint saves, opaque to its callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cal_bookings.client.cursor_walk import CursorPlace
from cal_bookings.client.dialects import Dialect
from cal_bookings.client.offset_walk import OffsetPlace

Place = CursorPlace | OffsetPlace

FIRST_PLACE: dict[Dialect, Place] = {
    Dialect.CURSOR: CursorPlace(),
    Dialect.OFFSET: OffsetPlace(),
}


class OtherWalk(ValueError):
    """The error for a position used with another scope or other filters than those of its walk."""

    def __init__(self) -> None:
        super().__init__(
            "This position belongs to a walk with another scope or other filters: "
            "go on with those, or begin a new walk"
        )


@dataclass(frozen=True, slots=True)
class Position:
    """The list and the page to request next."""

    place: Place
    #: The fingerprint of scope and filters: a cursor or offset of one list means nothing in another.
    walk: str

    @property
    def dialect(self) -> Dialect:
        return self.place.dialect

    @property
    def smallest(self) -> int:
        """Return the least page size that shows a new booking here."""
        return self.place.smallest

    def past(self) -> Position | None:
        """Return the position after the next booking, which is not shown; None in a list that has no such position."""
        place = self.place.past()
        return None if place is None else Position(place, self.walk)

    def to_json(self) -> dict[str, Any]:
        return {
            "dialect": str(self.dialect),
            "walk": self.walk,
            "place": self.place.to_json(),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Position:
        """Return the position that `to_json` wrote. Raises ValueError for other data."""
        try:
            first = FIRST_PLACE[Dialect(saved["dialect"])]
            return cls(place=first.from_json(saved["place"]), walk=saved["walk"])
        except (KeyError, TypeError) as error:
            raise ValueError(
                "This is no position of a walk: begin a new one"
            ) from error
