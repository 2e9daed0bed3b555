"""The locations of meetings: those that bookers may choose, those that hosts may set, and how both are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cal_bookings.testing.endpoints.validation import (
    is_phone,
    is_url,
)
from cal_bookings.testing.responses import Refusal
from cal_bookings.testing.world.catalog import EventType

_INTEGRATIONS = {
    "cal-video": "integrations:daily",
    "google-meet": "integrations:google:meet",
    "zoom": "integrations:zoom",
    "office365-video": "integrations:office365_video",
}
_APPS = (
    *("cal-video", "google-meet", "zoom", "whereby-video", "whatsapp-video"),
    *("webex-video", "telegram-video", "tandem", "sylaps-video", "skype-video"),
    *("sirius-video", "signal-video", "shimmer-video", "salesroom-video"),
    *("roam-video", "riverside-video", "ping-video", "office365-video"),
    *("mirotalk-video", "jitsi", "jelly-video", "jelly-conferencing", "huddle"),
    *("facetime-video", "element-call-video", "eightxeight-video", "discord-video"),
    *("demodesk-video", "campfire-video"),
)


@dataclass(frozen=True)
class Kind:
    """A type of location: the key of its value, the rule for that value, and its name among the responses."""

    key: str
    response: str
    holds: Callable[[Any], bool]
    rule: str
    #: True if the booker gives the value; otherwise the event type has it.
    by_booker: bool = False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_KINDS = {
    "address": Kind("address", "inPerson", _is_text, "address must be a string"),
    "link": Kind("link", "link", is_url, "link must be a URL address"),
    "phone": Kind("phone", "userPhone", is_phone, "phone must be a valid phone number"),
    "integration": Kind(
        "integration",
        "integration",
        lambda value: value in _APPS,
        f"Invalid integration. Valid integrations are: {', '.join(_APPS)}",
        by_booker=True,
    ),
    "attendeePhone": Kind(
        "phone",
        "phone",
        is_phone,
        "phone must be a valid phone number",
        by_booker=True,
    ),
    "attendeeAddress": Kind(
        "address",
        "attendeeInPerson",
        _is_text,
        "address must be a string",
        by_booker=True,
    ),
    "attendeeDefined": Kind(
        "location",
        "somewhereElse",
        _is_text,
        "location must be a string",
        by_booker=True,
    ),
}


def check_wanted(name: str, value: Any) -> dict[str, str]:
    """Check the location of a create. A text is a location in the old form, and valid."""
    kinds = "address, link, integration, phone, attendeePhone, attendeeAddress, attendeeDefined and organizersDefaultApp"
    if isinstance(value, str):
        return {}
    message = _wrong(value, kinds, create=True)
    return _constraint("ValidateLocation", "BookingInputLocationValidator", message)


def check_change(name: str, value: Any) -> dict[str, str]:
    """Check the location of a change [rec 337]."""
    kinds = "address, link, phone, attendeePhone, attendeeAddress, attendeeDefined, and integration"
    message = _wrong(value, kinds, create=False)
    who = "UpdateBookingInputLocationValidator"
    return _constraint("ValidateUpdateLocation", who, message)


def _constraint(rule: str, who: str, message: str) -> dict[str, str]:
    return {rule: f"{who}_2024_08_13 - {message}"} if message else {}


def _wrong(value: Any, kinds: str, *, create: bool) -> str:
    name = value.get("type") if isinstance(value, dict) else None
    if not name:
        return "Booking 'location' must have a 'type' property."
    if create and name == "organizersDefaultApp":
        return ""
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        return f"Unsupported booking location type '{name}'. Valid types are {kinds}."
    if (create and not kind.by_booker) or kind.holds(value.get(kind.key)):
        return ""
    return f"Validation failed for {name} location: {kind.rule}"


def wanted(body: dict[str, Any], event_type: EventType) -> dict[str, Any]:
    """Return the location and the response that a request to create a booking sets. Raises Refusal.

    The event type must offer this type of location, and has the value of those that are its own.
    """
    value = body.get("location") or body.get("meetingUrl")
    if not value:
        return {}
    if isinstance(value, str):
        return _shown(value, {"value": value, "optionValue": ""})
    name = value["type"]
    offers = [location for location in event_type.locations if location["type"] == name]
    if not offers:
        _refuse_type(name, event_type)
    if name == "integration":
        return _integration(value["integration"], offers, event_type)
    kind = _KINDS[name]
    given = value[kind.key] if kind.by_booker else ""
    shown = given or offers[0][kind.key]
    return _shown(shown, {"value": kind.response, "optionValue": given})


def _refuse_type(name: str, event_type: EventType) -> None:
    types = ", ".join(location["type"] for location in event_type.locations)
    raise Refusal(
        400,
        f"Booking location with type {name} not valid for event type with id={event_type.id}. The event type has "
        f"following location types: {types}, and only these types are allowed for booking location.",
    )


def _integration(
    app: str, offers: list[dict[str, Any]], event_type: EventType
) -> dict[str, Any]:
    apps = [offer["integration"] for offer in offers]
    if app not in apps:
        raise Refusal(
            400,
            f"Booking location with integration {app} not valid for event type with id={event_type.id}. The event type "
            f"has following integrations: {', '.join(apps)}, and only these types are allowed for booking location.",
        )
    return _shown(_token(app), {"value": _token(app), "optionValue": ""})


def changed(value: dict[str, Any]) -> dict[str, Any]:
    """Return the location and the response that a valid change sets [rec 333, 336]."""
    kind = _KINDS[value["type"]]
    given = value[kind.key]
    if value["type"] == "integration":
        return _shown(_token(given), {"value": _token(given), "optionValue": ""})
    by_booker = given if kind.by_booker else ""
    return _shown(given, {"value": kind.response, "optionValue": by_booker})


def _token(app: str) -> str:
    return _INTEGRATIONS.get(app, f"integrations:{app.removesuffix('-video')}_video")


def _shown(location: str, response: dict[str, str]) -> dict[str, Any]:
    return {"location": location, "response": response}
