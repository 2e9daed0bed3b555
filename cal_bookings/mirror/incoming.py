"""The payloads that have just arrived: the identity of each booking, and its comparison with the mirror."""

from dataclasses import dataclass
from typing import Any

from cal_bookings import client
from cal_bookings.client import RemoteBooking
from cal_bookings.mirror import payloads

#: The length of the column. Cal.com's uids have 22 characters; a longer uid cannot be cut, because it is the identity.
UID_LENGTH = 255


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """A payload that has a uid and is not parsed yet, because most payloads are unchanged and are never parsed."""

    place: int
    uid: str
    payload: dict[str, Any]
    text: str  #: The payload's canonical text.
    payload_hash: str

    @property
    def is_linked(self) -> bool:
        """Return whether the payload names a booking that it replaced, or that replaced it."""
        get = self.payload.get
        return bool(get("rescheduledFromUid") or get("rescheduledToUid"))

    def read(self) -> tuple[dict[str, Any], RemoteBooking]:
        """Return the payload as a database can store it, and its parsed booking. Raises InvalidBooking."""
        try:
            payload = payloads.storable(self.payload, self.text)
        except payloads.TooDeep as error:
            raise client.InvalidBooking(str(error), uid=self.uid) from None
        return payload, client.parse_booking(payload)


def identify(place: int, payload: Any) -> Identified:
    """Return the payload at `place` of an answer with its identity and its hash. Raises InvalidBooking."""
    uid = _uid(payload)
    kept = payloads.mirrored(payload)
    try:
        text = payloads.canonical(kept)
    except payloads.TooDeep as error:
        raise client.InvalidBooking(str(error), uid=uid) from None
    return Identified(place, uid, kept, text, payloads.fingerprint(text))


def _uid(payload: Any) -> str:
    uid = payload.get("uid") if isinstance(payload, dict) else None
    if not isinstance(uid, str) or not uid:
        # Parsing raises InvalidBooking, which says what is wrong with the payload.
        return client.parse_booking(payload).uid
    if len(uid) > UID_LENGTH:
        raise client.InvalidBooking(
            f"uid: expected at most {UID_LENGTH} characters, got {len(uid)}",
            uid=uid[:UID_LENGTH],
        )
    return uid
