"""The difference of a booking from the mirror, and the order of two versions of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cal_bookings import conf
from cal_bookings.client import RemoteBooking
from cal_bookings.mirror import columns, payloads, placeholders
from cal_bookings.models import Booking


@dataclass(slots=True)
class Write:
    """A booking that differs from the mirror: its row, new or locked, and its new values."""

    row: Booking
    remote: RemoteBooking
    #: The time of the request that brought `remote`.
    asked_at: datetime
    #: The payload that is replaced; None if the booking is new.
    former: dict[str, Any] | None = None
    changes: dict[str, list[Any]] = field(default_factory=dict)
    #: True if the payload is the same, and its columns are derived again.
    is_derived: bool = False
    #: True if a column, an attendee or a link differs from the mirror.
    is_touched: bool = False

    @property
    def is_new(self) -> bool:
        return self.former is None

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of what is new: a whole booking, typed fields, or data that only the payload holds."""
        return ("booking",) if self.is_new else tuple(self.changes) or ("payload",)

    def brings(self, key: str) -> bool:
        """Return whether `key` of the payload has to be looked at, because it is new or differs from before."""
        if self.former is None or self.is_derived:
            return True
        before, after = self.former.get(key), self.row.payload.get(key)
        if key == payloads.UNORDERED:
            return bool(payloads.in_order(before) != payloads.in_order(after))
        return bool(before != after)

    def note(self, name: str, before: list[Any], after: list[Any]) -> None:
        """Add the facts of a booking's people to the changes, unless they are the same in any order."""
        if payloads.in_order(before) != payloads.in_order(after):
            self.changes[name] = [before, after]

    def drop_what_was_filled(self) -> None:
        """Leave only changes of known values: an empty value, a zero and a False say nothing of the time before."""
        self.changes = {
            name: [before, after]
            for name, (before, after) in self.changes.items()
            if not _is_filled(before, after)
        }

    @property
    def links(self) -> bool:
        """Return whether the row may now belong to another appointment."""
        return (
            self.is_new
            or "rescheduled_from_uid" in self.changes
            or "rescheduled_to_uid" in self.changes
        )


def _is_filled(before: Any, after: Any) -> bool:
    """Return whether `after` holds all that `before` held, and possibly more."""
    if isinstance(before, list) and isinstance(after, list) and before:
        pairs = zip(before, after, strict=False)
        return len(before) == len(after) and all(_is_filled(*pair) for pair in pairs)
    if isinstance(before, dict) and isinstance(after, dict):
        return all(_is_filled(old, after.get(key)) for key, old in before.items())
    return not before or bool(before == after)


def apply(
    row: Booking,
    payload: dict[str, Any],
    remote: RemoteBooking,
    *,
    now: datetime,
    asked_at: datetime,
) -> Write:
    """Set the typed columns of `row`, which the caller has locked, from `payload`, and return the differences.

    `remote` is the parsed payload. The payload itself is not set.
    """
    is_gone = placeholders.is_event_type_gone(row, payload, remote)
    if is_gone:
        remote = placeholders.keep_known(row, payload, remote)
    new = columns.values(remote)
    new["event_type_gone_at"] = (row.event_type_gone_at or now) if is_gone else None
    write = Write(row, remote, asked_at, former=row.payload)
    write.changes = columns.diff(row, new)
    write.is_touched = bool(write.changes)
    columns.assign(row, new)
    return write


def settled_after() -> timedelta:
    """Return how long an answer with an earlier `updatedAt` is taken for that of a lagging replica or clock.

    After that time the remote went back (a restored backup), or the change was made on a server whose clock lags, and
    the mirror follows. The changes loop asks for updates within twice that time, so that it still meets the answers
    that were held back.
    """
    return timedelta(seconds=conf.get("OVERLAP_SECONDS")) / 2


def is_older(
    row: Booking, remote: RemoteBooking, *, asked_at: datetime, may_lag: bool
) -> bool:
    """Return whether the row holds later knowledge than `remote`, which was asked for at `asked_at`.

    Without `may_lag` only the order of the requests decides.
    """
    known, sent = row.remote_updated_at, remote.remote_updated_at
    is_recent = asked_at - row.mirrored_at < settled_after()
    if may_lag and known and sent and known != sent and is_recent:
        return sent < known
    return asked_at < row.mirrored_at
