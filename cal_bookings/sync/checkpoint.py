"""The place of a walk under way, from which any worker can continue."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from cal_bookings.client import Filters, Position


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A walk under way: the lists that it goes through in turn, and the next request."""

    #: The start of the walk by our clock.
    started_at: datetime
    #: The subjects that have a list each; the lists are read in turn.
    filters: tuple[Filters, ...]
    #: The start of the walk by the remote's clock: the walk will have seen all changes before it. None until the first
    #: response.
    began_at: datetime | None = None
    #: The next page; None for the first page of the list.
    position: Position | None = None
    pages: int = 0
    #: The greatest primary key of the bookings that were requested singly; None until the last page was stored.
    checked: int | None = None
    #: The time up to which the changes loop had seen all changes when this walk began.
    changes_until: datetime | None = None
    #: True if the watermark may move to `began_at`, because no earlier change was left out.
    moves_watermark: bool = True
    #: True if the event types were requested too, with whatever result.
    has_event_types: bool = False
    #: True if all lists were read to their ends. What follows a dead end was not seen, which does not prove that it is
    #: gone.
    is_whole: bool = True
    #: True if the bookings that no page showed are known, and are stored in place of the pages.
    has_unseen: bool = False
    #: The number of bookings, event types and pages of this walk that could not be mirrored, in all its runs.
    failed: int = 0
    #: The counts of bookings by result, in all runs of this walk together.
    counts: Mapping[str, int] = field(default_factory=dict)

    def after(
        self, following: Position | None, *, answered_at: datetime | None
    ) -> Self:
        """Return the place of the walk after a page whose `next` is `following`."""
        filters = self.filters if following else self.filters[1:]
        return replace(
            self,
            began_at=self.began_at or (None if self.pages else answered_at),
            filters=filters,
            position=following,
            pages=self.pages + 1,
            checked=None if filters else 0,
        )

    def cut_off(self) -> Self:
        """Return the place of the walk after it leaves a list that cannot be read to its end."""
        return replace(self.after(None, answered_at=None), is_whole=False)

    def with_failures(self, number: int) -> Self:
        """Return the same place, after `number` more failures."""
        return replace(self, failed=self.failed + number)

    def with_counts(self, counts: Mapping[str, int]) -> Self:
        """Return the same place, after `counts` more bookings."""
        return replace(self, counts=dict(Counter(self.counts) + Counter(counts)))

    def to_json(self) -> dict[str, Any]:
        return {
            "started_at": self.started_at.isoformat(),
            "filters": [each.to_json() for each in self.filters],
            "began_at": _text(self.began_at),
            "position": self.position.to_json() if self.position else None,
            "pages": self.pages,
            "checked": self.checked,
            "changes_until": _text(self.changes_until),
            "moves_watermark": self.moves_watermark,
            "has_event_types": self.has_event_types,
            "is_whole": self.is_whole,
            "has_unseen": self.has_unseen,
            "failed": self.failed,
            "counts": dict(self.counts),
        }

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Self | None:
        """Read a checkpoint; return None if `saved` is empty, or in the form of another version of this app."""
        try:
            return cls(
                started_at=datetime.fromisoformat(saved["started_at"]),
                filters=tuple(Filters.from_json(each) for each in saved["filters"]),
                began_at=_moment(saved["began_at"]),
                position=Position.from_json(saved["position"])
                if saved["position"]
                else None,
                pages=saved["pages"],
                checked=saved["checked"],
                changes_until=_moment(saved["changes_until"]),
                moves_watermark=saved["moves_watermark"],
                has_event_types=saved["has_event_types"],
                is_whole=saved.get("is_whole", True),
                has_unseen=saved.get("has_unseen", False),
                failed=saved.get("failed", 0),
                counts=saved.get("counts", {}),
            )
        except (KeyError, TypeError, ValueError):
            return None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
