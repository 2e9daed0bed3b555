"""The whole body of a delivery: the payload of its trigger, its wrapping, the template and the signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cal_bookings.testing.deliveries import (
    booking_bodies,
    meeting_bodies,
    other_bodies,
    templates,
)
from cal_bookings.testing.deliveries.booking_parts import Payload, Scene
from cal_bookings.testing.deliveries.subscriptions import Subscription
from cal_bookings.testing.deliveries.triggers import OF_MEETINGS, VERSIONS

_BODIES: dict[str, Callable[[Scene], Payload]] = {
    "BOOKING_CREATED": booking_bodies.created,
    "BOOKING_REQUESTED": booking_bodies.requested,
    "BOOKING_RESCHEDULED": booking_bodies.rescheduled,
    "BOOKING_CANCELLED": booking_bodies.cancelled,
    "BOOKING_REJECTED": booking_bodies.rejected,
    "BOOKING_NO_SHOW_UPDATED": booking_bodies.no_show_updated,
    "BOOKING_LOCATION_UPDATED": booking_bodies.about,
    "BOOKING_REASSIGNED": booking_bodies.about,
    "MEETING_STARTED": meeting_bodies.meeting,
    "MEETING_ENDED": meeting_bodies.meeting,
}
#: The triggers whose payload has calendar files since the second version.
_WITH_CALENDAR_FILES = frozenset(
    {"BOOKING_CREATED", "BOOKING_RESCHEDULED", "BOOKING_CANCELLED", "BOOKING_PAID"}
    | {"BOOKING_REASSIGNED"}
)
UNSIGNED = "no-secret-provided"


@dataclass(frozen=True)
class Envelope:
    """A delivery as it is sent."""

    body: bytes
    content_type: str
    signature: str
    version: str

    def headers(self, brand: str) -> dict[str, str]:
        """Return the headers of a server with this brand, as recorded [wh 001]."""
        return {
            "Content-Type": self.content_type,
            f"X-{brand}-Signature-256": self.signature,
            f"X-{brand}-Webhook-Version": self.version,
            "user-agent": "node",
        }


def payload(trigger: str, scene: Scene) -> Payload:
    """Return the payload of an event, for subscriptions of the first version."""
    made = _BODIES.get(trigger)
    return made(scene) if made else other_bodies.payload(trigger, scene)


def seal(
    subscription: Subscription, trigger: str, payload: Payload, at: str
) -> Envelope:
    """Return a delivery to one subscription: `at` is the time of sending, which the signed body holds."""
    body, content_type = _body(subscription, trigger, payload, at)
    sent = body.encode()
    signature = sign(sent, subscription.secret) if subscription.secret else UNSIGNED
    return Envelope(sent, content_type, signature, subscription.version)


def sign(body: bytes, secret: str) -> str:
    """Return the signature of a body: its HMAC-SHA256 in hexadecimal digits."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _body(
    subscription: Subscription, trigger: str, payload: Payload, at: str
) -> tuple[str, str]:
    if trigger in OF_MEETINGS:  # templates are not applied [wh 110]
        return _json({"triggerEvent": trigger} | payload), "application/json"
    if subscription.version != VERSIONS[0] and trigger in _WITH_CALENDAR_FILES:
        payload = payload | _calendar_files(payload)
    about = {"triggerEvent": trigger, "createdAt": at}
    if subscription.payload_template:
        return templates.fill(subscription.payload_template, payload | about)
    root = other_bodies.at_the_root(trigger, payload)
    return _json(root | about | {"payload": payload}), "application/json"


def _calendar_files(payload: Payload) -> Payload:
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:calcom/ics\r\nBEGIN:VEVENT\r\n"
        f"UID:{payload.get('iCalUID')}\r\nSUMMARY:{payload.get('title')}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    return {"attendeeIcsContent": text, "organizerIcsContent": text}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
