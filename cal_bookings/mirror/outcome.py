"""The outcome of one upsert."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """A payload that could not be mirrored: its place, its uid if it had one, and the reason."""

    #: Its index among the payloads, from 0; the primary key of a booking that is derived again.
    place: int
    uid: str
    error: str


@dataclass(slots=True)
class Outcome:
    """The counts of bookings; `booking_ids` are the primary keys of all that the mirror now holds, written or not."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = (
        0  #: Older than what the mirror already held, and therefore not written.
    )
    missing: int = 0
    #: For each written booking, Cal.com's time of its last update, and the names of its changes.
    written: list[tuple[datetime | None, tuple[str, ...]]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    booking_ids: list[int] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.stale += other.stale
        self.missing += other.missing
        self.written += other.written
        self.failures += other.failures
        self.booking_ids += other.booking_ids
