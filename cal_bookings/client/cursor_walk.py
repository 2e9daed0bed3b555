"""The walk from one page to the next by cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from cal_bookings.client.dialects import (
    Dialect,
    UnexpectedAnswer,
)

PAGE_LIMIT = 100  # Cal.com answers 400 above this


@dataclass(frozen=True, slots=True)
class CursorPlace:
    """The next page's cursor, and the state that shows when cursors go in a circle."""

    dialect: ClassVar = Dialect.CURSOR

    #: The cursor; empty for the first page.
    cursor: str = ""
    landmark: str = ""
    #: The number of pages so far.
    pages: int = 0

    def query(self, page_size: int | None) -> dict[str, str]:
        limit = {"limit": str(min(page_size or PAGE_LIMIT, PAGE_LIMIT))}
        return limit | {"cursor": self.cursor} if self.cursor else limit

    def following(
        self,
        page: dict[str, Any],
        page_size: int | None,
        *,
        is_counted: bool = False,
        by_creation: bool = True,
    ) -> Self | None:
        """Return the place of the next page; None when the server says that there is none.

        A short or empty page is not the end: only `hasMore` ends the walk.
        """
        if not page["pagination"]["hasMore"]:
            return None
        cursor = page["pagination"]["nextCursor"]
        if cursor in (self.cursor, self.landmark):
            raise UnexpectedAnswer(
                f"expected a new cursor after page {self.pages + 1}, got a repeated cursor"
            )
        pages = self.pages + 1
        # Brent's cycle detection: a landmark that moves up at powers of two is met again in
        # any circle of cursors, however long, and no other cursor has to be remembered.
        is_power_of_two = pages & (pages - 1) == 0
        landmark = cursor if is_power_of_two else self.landmark
        return type(self)(cursor=cursor, landmark=landmark, pages=pages)

    #: The least number of rows that shows a new one.
    smallest: ClassVar = 1

    def past(self) -> Self | None:
        """Return None: only the page that shows a row names the cursor after it."""
        return None

    def fresh(self, rows: list[Any]) -> list[Any]:
        """Return all rows: a cursor shows no row twice."""
        return rows

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        return cls(**saved)
