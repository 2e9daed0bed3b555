"""Where a walk under way stands, so that any worker can go on with it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from cal_bookings.client import Filters, Position


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A walk under way: the lists it goes through, one after the other, and the next thing to ask for."""

    #: By our clock.
    started_at: datetime
    #: One list for each of these, asked in turn.
    filters: tuple[Filters, ...]
    #: When the walk began by the remote's clock: up to then it will have seen all changes. None until its first response.
    began_at: datetime | None = None
    #: None: the first page of the list.
    position: Position | None = None
    pages: int = 0
    #: None until the last page was stored; then the greatest primary key of those that were asked for one by one.
    checked: int | None = None
    #: Up to then the changes loop had seen all changes when this walk began.
    changes_until: datetime | None = None
    #: The watermark may move to `began_at`: no earlier change was left out.
    moves_watermark: bool = True
    #: The event types were asked for, too, whatever came of it.
    has_event_types: bool = False
    #: All lists were read to their ends. What follows a dead end was not seen, which does not prove that it is gone.
    is_whole: bool = True
    #: What no page showed is known, and has taken the place of the pages.
    has_unseen: bool = False
    #: Bookings, event types and pages of this walk that could not be mirrored, in all its runs.
    failed: int = 0
    #: What all runs of this walk together did to bookings.
    counts: Mapping[str, int] = field(default_factory=dict)

    def after(
        self, following: Position | None, *, answered_at: datetime | None
    ) -> Self:
        """Return where the walk stands after a page whose `next` is `following`."""
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
        """Return where the walk stands when it leaves a list that cannot be read to its end."""
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
        """Read a checkpoint; return None if `saved` is empty, or was saved in another form by another version of this app."""
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
