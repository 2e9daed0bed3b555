"""The part of a delivery's body that is kept: which booking to read again, and what only a webhook carries.

A body may be anything, because a subscription's template replaces it whole [wh 107]. Nothing here raises.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cal_bookings.outbox import MARK

#: The trigger of a test delivery.
TEST = "PING"

#: Deliveries without `payload`: the booking's columns stand beside the trigger [wh 110, 111].
_FLAT = frozenset({"MEETING_STARTED", "MEETING_ENDED"})

_UID_LENGTH = 255
_TRIGGER_LENGTH = 100
_MARK_LENGTH = 64
#: A longer reason is cut.
_REASON_LENGTH = 5000


@dataclass(frozen=True, slots=True)
class Hint:
    """The content of a body that is kept. Each text can be stored in every database; an absent text is empty."""

    is_readable: bool = False
    trigger: str = ""
    uid: str = ""
    #: The booking that a reschedule replaced.
    old_uid: str = ""
    seat_uid: str = ""
    #: The mark of our own action that created the booking.
    mark: str = ""
    rejection_reason: str = ""
    #: The time at which Cal.com made the delivery, by its clock. None for a MEETING_* body, which names the time of the
    #: booking's creation instead [wh 110].
    happened_at: datetime | None = None

    @property
    def is_test(self) -> bool:
        return self.trigger == TEST


def read(body: bytes) -> Hint:
    """Return what a body says; `Hint.is_readable` is False for a body that is no delivery in Cal.com's format."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return Hint()
    if not isinstance(content, dict) or not text(content.get("triggerEvent")):
        return Hint()
    return _read(content)


def _read(content: dict[str, Any]) -> Hint:
    trigger = text(content.get("triggerEvent"), _TRIGGER_LENGTH)
    payload = content if trigger in _FLAT else _object(content.get("payload"))
    metadata = _object(payload.get("metadata"))
    return Hint(
        is_readable=True,
        trigger=trigger,
        uid=_uid(payload),
        old_uid=_identifier(payload.get("rescheduleUid")),
        seat_uid=_identifier(payload.get("seatUid")),
        mark=text(metadata.get(MARK), _MARK_LENGTH),
        rejection_reason=text(payload.get("rejectionReason"), _REASON_LENGTH),
        happened_at=None if trigger in _FLAT else _moment(content.get("createdAt")),
    )


def _uid(payload: Mapping[str, Any]) -> str:
    """Return the booking's uid, which stands in one of three places; empty if it stands in none."""
    nested = _object(payload.get("booking"))
    places = (payload.get("uid"), payload.get("bookingUid"), nested.get("uid"))
    return next(filter(None, map(_identifier, places)), "")


def _identifier(value: Any) -> str:
    """Return a uid that Cal.com can be asked for, or "". A longer uid is not cut, since it is an identity."""
    found = text(value)
    return found if found == value and len(found) <= _UID_LENGTH else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def text(value: Any, length: int | None = None) -> str:
    """Return a text as every database can store it: without NULs and halves of surrogate pairs; "" for other values."""
    if not isinstance(value, str):
        return ""
    storable = value.replace("\0", "").encode(errors="replace").decode()
    return storable[:length]


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.utcoffset() is not None else None
    except (TypeError, ValueError, OverflowError):
        return None
