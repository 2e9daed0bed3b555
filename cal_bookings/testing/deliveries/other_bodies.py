"""The payloads of triggers that no event of the fake's world causes: a test fires them by hand.

Cal.com's documentation and sources say where each payload has the uid of its booking, and which payloads have none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cal_bookings.testing.deliveries import booking_bodies
from cal_bookings.testing.deliveries.booking_parts import Payload, Scene

_LINK = "https://storage.example.com/recording?signature=secret"


def _paid(scene: Scene) -> Payload:
    paid = {"paymentId": 1, "price": 2500, "paymentData": {"success": True}}
    return booking_bodies.about(scene) | paid


def _recording(scene: Scene) -> Payload:
    return booking_bodies.about(scene) | {"downloadLink": _LINK}


def _transcription(scene: Scene) -> Payload:
    links = {"transcription": [{"format": "vtt", "link": _LINK}], "recording": _LINK}
    return booking_bodies.about(scene) | {"downloadLinks": links}


def _instant(scene: Scene) -> Payload:
    return {
        "title": scene.booking["title"],
        "body": "User is waiting for you to join. Please click the button below.",
        "icon": "https://cal.com/api/logo?type=icon",
        "url": "https://cal.com/video/join?token=secret",
        "type": "INSTANT_MEETING",
        "requiresInteraction": False,
        "connectAndJoinUrl": "https://cal.com/connect-and-join?token=secret",
        "uid": scene.booking["uid"],
    }


def _instant_accepted(scene: Scene) -> Payload:
    booking = scene.booking
    return {"bookingUid": booking["uid"], "bookingId": booking["id"]}


def _nobody_came(scene: Scene) -> Payload:
    booking = scene.booking
    return {
        "title": booking["title"],
        "bookingId": booking["id"],
        "bookingUid": booking["uid"],
        "startTime": booking["start"],
        "attendees": scene.attendees,
        "endTime": booking["end"],
        "participants": [],
        "webhook": {"subscriberUrl": "https://other.example.com/hook?key=secret"},
    }


def _wrong_assignment(scene: Scene) -> Payload:
    booking = scene.booking
    shown = {key: booking[key] for key in ("uid", "id", "title", "status")}
    return {"booking": shown, "report": {"additionalNotes": "Wrong person"}}


def _form(_: Scene) -> Payload:
    # The names are the visitor's own: a field called `uid` is no booking.
    return {"formId": "form", "formName": "Routing", "responses": {"uid": "mine"}}


def _out_of_office(_: Scene) -> Payload:
    entry = {"id": 1, "notes": "On leave", "reasonId": 2, "uuid": "ooo"}
    return {"oooEntry": entry | {"user": {"id": 1, "email": "host1@example.com"}}}


def _delegation(_: Scene) -> Payload:
    return {"error": {"type": "InvalidGrant"}, "credential": {"id": "credential"}}


_OTHERS: dict[str, Callable[[Scene], Payload]] = {
    "BOOKING_PAID": _paid,
    "BOOKING_PAYMENT_INITIATED": _paid,
    "RECORDING_READY": _recording,
    "RECORDING_TRANSCRIPTION_GENERATED": _transcription,
    "INSTANT_MEETING": _instant,
    "INSTANT_MEETING_ACCEPTED": _instant_accepted,
    "AFTER_HOSTS_CAL_VIDEO_NO_SHOW": _nobody_came,
    "AFTER_GUESTS_CAL_VIDEO_NO_SHOW": _nobody_came,
    "WRONG_ASSIGNMENT_REPORT": _wrong_assignment,
    "CALENDAR_ENTRY_REJECTED": booking_bodies.about,
    "FORM_SUBMITTED": _form,
    "FORM_SUBMITTED_NO_EVENT": _form,
    "ROUTING_FORM_FALLBACK_HIT": _form,
    "OOO_CREATED": _out_of_office,
}
#: The triggers that are about no booking.
WITHOUT_BOOKING = frozenset(
    {"FORM_SUBMITTED", "FORM_SUBMITTED_NO_EVENT", "ROUTING_FORM_FALLBACK_HIT"}
    | {"OOO_CREATED"}
)


def payload(trigger: str, scene: Scene) -> Payload:
    """Return the payload of a trigger that only tests fire."""
    return _OTHERS.get(trigger, _delegation)(scene)


def at_the_root(trigger: str, made: Payload) -> dict[str, Any]:
    """Return the keys of a body beside `payload`, where the answers of a form stand too."""
    return dict(made["responses"]) if trigger in _FORMS else {}


_FORMS = WITHOUT_BOOKING - {"OOO_CREATED"}
