"""The walk from one page to the next by offset, although the list changes meanwhile.

Offsets shift: if a row before the next page is deleted, a row slides past unseen. So every
page is requested in the order of `createdAt`, which never changes, and begins with a row already
seen, the anchor.

Note [A page proves itself]: a page that begins no later than its anchor hides nothing. The
anchor is the last row created *before* the final rows of the page before; those final rows
share one `createdAt`, and as the server sorts equal rows anyhow, they are read again together,
in one query. So all rows up to them have been seen, and all others come in this page or
later. A page that begins after its anchor has slid: the walk goes back one page, and so on
until a page proves itself, at the latest the one at offset 0.

The walk ends: a step forward moves by at least one row, and a step back right after one needs that
rows left the list in between.

Not proven: more rows with one `createdAt`, to the millisecond, than fit on a page, and a server
that ignores the requested order. The walk then goes on with an overlap of one row, which the
next page must show. A server that gives each page another order would lead it on for ever: it
ends in an error after `_STEPS_BACK` steps back that led no further.

Not proven either: the page after a row that the server cannot show (`past`). Nothing can be read again with
that row in between.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, ClassVar, Self

from cal_bookings.client.dialects import (
    Dialect,
    UnexpectedAnswer,
)
from cal_bookings.client.timestamps import read_instant

PAGE_LIMIT = 250  # Cal.com answers 400 above this
# A page comes again if as many rows enter the list as the offset advanced. On a busy day this happens some times in a
# row; a server that is stuck costs these requests, and then an error.
_REPEATS = 30
_STEPS_BACK = 30  # steps back in a list that is not in the requested order
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
#: The anchor of a page that need not prove itself.
_AFTER_ALL = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OffsetPlace:
    """The next page's offset, and what that page must show for the walk to be complete."""

    dialect: ClassVar = Dialect.OFFSET

    skip: int = 0
    #: The createdAt of the row with which the page should begin; None in a list of another order.
    anchor: datetime | None = _BEFORE_ALL
    #: The identities of the rows that the page reads again.
    reread: tuple[str, ...] = ()
    #: The fingerprint of the whole page before, and the number of its repetitions.
    fingerprint: str = ""
    repeats: int = 0
    #: The greatest offset so far, and the steps back since it was reached, from pages in another order.
    farthest: int = 0
    steps_back: int = 0

    def query(self, page_size: int | None) -> dict[str, str]:
        take = str(_take(page_size))
        return {"take": take, "skip": str(self.skip), "sortCreated": "asc"}

    def following(
        self,
        page: dict[str, Any],
        page_size: int | None,
        *,
        is_counted: bool = False,
        by_creation: bool = True,
    ) -> Self | None:
        """Return the place of the next page; None after the last one.

        `is_counted` says that the server counts this list right: `hasNextPage` can be believed. Without `by_creation`,
        the list was requested in another order, in which no page proves itself.
        """
        rows: list[Any] = page["data"]
        has_next = page["pagination"]["hasNextPage"]
        if self.skip == 0 and not has_next:
            return None
        times = None
        if by_creation:
            times = _creation_times(rows, default=self.anchor or _BEFORE_ALL)
        identities = [_identity(row) for row in rows]
        if not self._is_proven(times, identities):
            return self._backward(page_size, is_ordered=times is not None)
        if not has_next:
            return None
        if is_counted and self.skip == 0 and not rows:
            raise UnexpectedAnswer("expected bookings, as hasNextPage says, got none")
        # With filters on created or updated the server counts the rows without them:
        # hasNextPage then stays true after the last row [rec 391-395].
        if set(identities) <= set(self.reread):
            return None
        if _take(page_size) == 1:
            return self.past()
        return self._forward(times, identities)

    @property
    def smallest(self) -> int:
        """Return the least number of rows that shows a new one."""
        return min(len(self.reread) + 1, PAGE_LIMIT)

    def past(self) -> Self:
        """Return the place after the next new row, which is not shown. Rows that slide meanwhile may stay unseen."""
        skip = self.skip + self.smallest
        return type(self)(
            skip=skip, anchor=_AFTER_ALL, farthest=max(skip, self.farthest)
        )

    def fresh(self, rows: list[Any]) -> list[Any]:
        """Return the rows without those that the page before showed already."""
        return [row for row in rows if _identity(row) not in self.reread]

    def _is_proven(self, times: list[datetime] | None, identities: list[str]) -> bool:
        if self.skip == 0 or self.anchor == _AFTER_ALL:
            return True
        if times is None or self.anchor is None:
            return not set(self.reread).isdisjoint(identities)
        # Note [A page proves itself]
        return bool(times) and times[0] <= self.anchor

    def _backward(self, page_size: int | None, *, is_ordered: bool) -> Self:
        steps_back = self.steps_back + (not is_ordered)
        if steps_back == _STEPS_BACK:
            raise UnexpectedAnswer(
                f"expected bookings in one order, got another one with each page near skip={self.skip}"
            )
        skip = max(0, self.skip - _take(page_size))
        return replace(
            self, skip=skip, reread=(), fingerprint="", steps_back=steps_back
        )

    def _forward(self, times: list[datetime] | None, identities: list[str]) -> Self:
        fingerprint = _digest("".join(identities))
        repeats = self.repeats + 1 if fingerprint == self.fingerprint else 0
        if repeats == _REPEATS:
            raise UnexpectedAnswer(
                f"expected other rows after skip={self.skip}, got the page before again"
            )
        first = _first_to_reread(times) if times else len(identities) - 1
        skip = self.skip + first
        return type(self)(
            skip=skip,
            anchor=times[first] if times else None,
            reread=tuple(identities[first:]),
            fingerprint=fingerprint,
            repeats=repeats,
            farthest=max(skip, self.farthest),
            steps_back=0 if skip > self.farthest else self.steps_back,
        )

    def to_json(self) -> dict[str, Any]:
        anchor = self.anchor.isoformat() if self.anchor else None
        return asdict(self) | {"anchor": anchor, "reread": list(self.reread)}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        anchor = datetime.fromisoformat(saved["anchor"]) if saved["anchor"] else None
        return cls(**{**saved, "anchor": anchor, "reread": tuple(saved["reread"])})


def _take(page_size: int | None) -> int:
    return max(1, min(page_size or PAGE_LIMIT, PAGE_LIMIT))


def _first_to_reread(times: list[datetime]) -> int:
    anchor = bisect_left(times, times[-1]) - 1
    # The first row is no anchor: the walk would stand still.
    return anchor if anchor >= 1 else len(times) - 1


def _creation_times(rows: Sequence[Any], *, default: datetime) -> list[datetime] | None:
    """Return a time for each row, or None if the rows are not in the order of creation.

    A row without a time takes that of its neighbour.
    In a sorted list that is never later than its own for the later rows, and only for the
    first rows never earlier; both err on the side of reading a row again.
    """
    known = [_created_at(row) for row in rows]
    time = next((time for time in known if time is not None), default)
    times = []
    for own in known:
        time = own or time
        times.append(time)
    is_sorted = all(earlier <= later for earlier, later in pairwise(times))
    return times if is_sorted else None


def _created_at(row: Any) -> datetime | None:
    return read_instant(row.get("createdAt")) if isinstance(row, dict) else None


def _identity(row: Any) -> str:
    """Return an identity that distinguishes rows without their uids, which are secrets."""
    uid = row.get("uid") if isinstance(row, dict) else None
    return _digest(uid if isinstance(uid, str) else json.dumps(row, sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()
