"""The endpoint GET /event-types: the event types of a user, with every key that Cal.com shows [rec 007]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    Request,
    success,
)
from cal_bookings.testing.world.catalog import (
    EventType,
    User,
)
from cal_bookings.testing.world.state import World

VERSION = "2024-06-14"
_OTHER_RESOURCES = ("2024-08-13", "2024-09-04")

_OF_EVERY_EVENT_TYPE: dict[str, Any] = {
    "description": "",
    "disableGuests": False,
    "slotInterval": None,
    "minimumBookingNotice": 0,
    "beforeEventBuffer": 0,
    "afterEventBuffer": 0,
    "metadata": {},
    "price": 0,
    "currency": "usd",
    "lockTimeZoneToggleOnBookingPage": False,
    "forwardParamsSuccessRedirect": True,
    "successRedirectUrl": None,
    "isInstantEvent": False,
    "scheduleId": None,
    "onlyShowFirstAvailableSlot": False,
    "offsetStart": 0,
    "bookingWindow": {"disabled": True},
    "requiresBookerEmailVerification": False,
    "hideCalendarNotes": False,
    "useDestinationCalendarEmail": False,
    "hideCalendarEventDetails": False,
    "hideOrganizerEmail": False,
    "calVideoSettings": {"sendTranscriptionEmails": True},
    "hidden": False,
    "bookingRequiresAuthentication": False,
    "bookerActiveBookingsLimit": {"disabled": True},
    "disableCancelling": {"disabled": False},
    "disableRescheduling": {"disabled": False},
    "interfaceLanguage": None,
    "allowReschedulingPastBookings": False,
    "allowReschedulingCancelledBookings": False,
    "showOptimizedSlots": False,
}
#: The type, the slug and whether an answer is required, of each question that all event types have.
_BOOKING_FIELDS = (
    ("name", "name", True),
    ("email", "email", True),
    ("radioInput", "location", False),
    ("textarea", "notes", False),
    ("multiemail", "guests", False),
    ("textarea", "rescheduleReason", False),
)


def answer(world: World, request: Request, user: User | None) -> Answer:
    """Return the own event types, or those of `username`, also without a credential [rec 008]. Raises Refusal."""
    if request.version in _OTHER_RESOURCES:
        raise Refusal(404, f"Cannot GET {request.full_path}")
    username = request.one("username")
    if user is None and not username:
        raise Refusal(401, "ApiAuthStrategy - No authentication method provided.")
    owner = user.username if user and not username else username
    shown = _of(world, owner, request.one("eventSlug"))
    if request.version == VERSION:
        return success(
            [as_listed(row, world.users[row.owner_id or 1]) for row in shown]
        )
    return success(_legacy(owner, shown))


def _of(world: World, username: str, slug: str) -> list[EventType]:
    """Return the event types of a user. Those of a team have lists of their own [rec 007]."""
    owners = {user.id for user in world.users.values() if user.username == username}
    return [
        event_type
        for event_type in world.event_types.values()
        if event_type.owner_id in owners
        and not event_type.team_id
        and slug in ("", event_type.slug)
    ]


def named(world: World, given: Mapping[str, Any]) -> EventType | None:
    """Return the event type with this slug of a user or a team; `given` has Cal.com's own names [rec 061, 376]."""
    username, team = given.get("username"), given.get("teamSlug")
    organization = given.get("organizationSlug") or ""
    for event_type in world.event_types.values():
        owner = world.users[event_type.owner_id or 1]
        of_team = team == event_type.team_slug
        is_theirs = username == owner.username if username else of_team
        inside = organization in ("", f"organization-{owner.organization_id}")
        if event_type.slug == given.get("eventTypeSlug") and is_theirs and inside:
            return event_type
    return None


def as_listed(event_type: EventType, owner: User) -> dict[str, Any]:
    shown: dict[str, Any] = _OF_EVERY_EVENT_TYPE | {
        "id": event_type.id,
        "ownerId": event_type.owner_id,
        "lengthInMinutes": event_type.minutes,
        "title": event_type.title,
        "slug": event_type.slug,
        "locations": list(event_type.locations),
        "bookingFields": [_field(*field) for field in _BOOKING_FIELDS],
        "recurrence": _recurrence(event_type),
        "users": [_owner(owner)],
        "confirmationPolicy": {"disabled": True},
        "seats": {"disabled": True},
        "bookingUrl": f"http://127.0.0.1:3000/{owner.username}/{event_type.slug}",
    }
    if event_type.kind == "confirm":
        shown["confirmationPolicy"] = {
            "type": "always",
            "blockUnconfirmedBookingsInBooker": True,
        }
    if event_type.kind == "seated":
        shown["seats"] = {
            "disabled": False,
            "seatsPerTimeSlot": event_type.seats,
            "showAttendeeInfo": True,
            "showAvailabilityCount": True,
        }
    if event_type.kind == "round-robin":
        shown["schedulingType"] = "roundRobin"
    if event_type.lengths:
        shown["lengthInMinutesOptions"] = list(event_type.lengths)
        shown["metadata"] = {"multipleDuration": list(event_type.lengths)}
    return shown


def _field(kind: str, slug: str, required: bool) -> dict[str, Any]:  # noqa: FBT001 - a row of a table
    shown = {"isDefault": True, "type": kind, "slug": slug, "required": required}
    if slug == "name":
        return shown | {"label": "your_name", "disableOnPrefill": False}
    if slug == "location":
        return shown | {"hidden": False}
    return shown | {"disableOnPrefill": False, "hidden": False}


def _recurrence(event_type: EventType) -> dict[str, Any] | None:
    if event_type.kind != "recurring":
        return None
    every_week = {"disabled": False, "interval": 1, "frequency": "weekly"}
    return every_week | {"occurrences": event_type.occurrences}


def _owner(owner: User) -> dict[str, Any]:
    return {
        "id": owner.id,
        "name": owner.name,
        "username": owner.username,
        "avatarUrl": None,
        "brandColor": None,
        "darkBrandColor": None,
        "weekStart": "Monday",
        "metadata": {},
    }


def _legacy(username: str, event_types: list[EventType]) -> dict[str, Any]:
    """Return the outline of the older shape."""
    shown = [
        {
            "id": event_type.id,
            "slug": event_type.slug,
            "title": event_type.title,
            "length": event_type.minutes,
            "userId": event_type.owner_id,
            "teamId": event_type.team_id,
            "requiresConfirmation": event_type.kind == "confirm",
        }
        for event_type in event_types
    ]
    group = {"teamId": None, "profile": {"slug": username}, "eventTypes": shown}
    return {"eventTypeGroups": [group]}
