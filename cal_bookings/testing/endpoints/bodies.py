"""The body that each action takes: its fields, and the constraints of each.

They are the contract of a self-hosted server, and the additions of hosted Cal.com's documentation for 2026-02-25.
"""

from __future__ import annotations

from typing import Any

from cal_bookings.testing.endpoints import (
    locations,
    validation,
)
from cal_bookings.testing.endpoints.validation import (
    Field,
    anything,
    list_of,
)

_METADATA = (
    "Metadata must have at most 50 keys, each key up to 40 characters, and string values "
    "up to 500 characters."
)
_EVENT_TYPE = "Either eventTypeId or eventTypeSlug + username or eventTypeSlug + teamSlug must be provided"
_CONTACT = "Attendee must have at least one contact method (email or phone number)"


def _metadata(name: str, value: Any) -> dict[str, str]:
    problems = validation.mapping(name, value)
    if not problems and (
        len(value) > 50
        or any(len(key) > 40 for key in value)
        or any(isinstance(item, str) and len(item) > 500 for item in value.values())
    ):
        problems = {"ValidateMetadata": _METADATA}
    return problems


def _defined(name: str, value: Any) -> dict[str, str]:
    if value is None:
        return {"isDefined": f"{name} should not be null or undefined"}
    if not isinstance(value, dict):
        return {
            "nestedValidation": f"nested property {name} must be either object or array"
        }
    return {}


_LANGUAGE = Field(validation.language)
_PHONE = Field(validation.phone)

_BOOKER = {
    "name": Field(validation.text, required=True),
    # Only the booking fields of the event type constrain these two [rec 063].
    "email": Field(anything),
    "phoneNumber": Field(anything),
    "timeZone": Field(validation.time_zone, required=True),
    "language": _LANGUAGE,
}
_ROUTING = {
    "queuedResponseId": Field(validation.text),
    "responseId": Field(validation.integer),
    "teamMemberIds": Field(list_of(validation.integer), required=True),
    "teamMemberEmail": Field(validation.text),
    "skipContactOwner": Field(validation.boolean),
    "crmAppSlug": Field(validation.text),
    "crmOwnerRecordType": Field(validation.text),
}
CREATE = {
    "start": Field(validation.instant, required=True),
    "attendee": Field(_defined, required=True, inner=_BOOKER),
    "bookingFieldsResponses": Field(validation.mapping),
    "eventTypeId": Field(validation.integer),
    "eventTypeSlug": Field(validation.text),
    "username": Field(validation.text),
    "teamSlug": Field(validation.text),
    "organizationSlug": Field(validation.text),
    "guests": Field(list_of(validation.text)),
    "meetingUrl": Field(validation.url),
    "location": Field(locations.check_wanted),
    "metadata": Field(_metadata),
    "lengthInMinutes": Field(validation.positive),
    "routing": Field(_defined, inner=_ROUTING),
    "emailVerificationCode": Field(validation.text),
    "instant": Field(validation.boolean),
    "recurrenceCount": Field(validation.positive),
}
#: The privileges of hosts on hosted Cal.com when they create or reschedule.
PRIVILEGES = {
    "allowConflicts": Field(validation.boolean),
    "allowBookingOutOfBounds": Field(validation.boolean),
    "skipBookingLimits": Field(validation.boolean),
}
RESCHEDULE = {
    "start": Field(validation.instant, required=True),
    # A text that is no e-mail address is refused later, and in other words [rec 147, 429].
    "rescheduledBy": Field(validation.text),
    "reschedulingReason": Field(validation.text),
    "seatUid": Field(validation.text),
    "emailVerificationCode": Field(validation.text),
}
HOSTED_RESCHEDULE = {"rescheduleWithSameHost": Field(validation.boolean)} | PRIVILEGES
CANCEL = {
    "cancellationReason": Field(validation.text),
    "cancelSubsequentBookings": Field(validation.boolean),
    "seatUid": Field(validation.text),
}
REASON = {"reason": Field(validation.text)}
REQUEST_RESCHEDULE = {"rescheduleReason": Field(validation.text)}
MARK_ABSENT = {
    "host": Field(validation.boolean),
    "attendees": Field(
        list_of(anything, least=1),
        inner={
            "email": Field(validation.email, required=True),
            "absent": Field(validation.boolean, required=True),
        },
        each=True,
    ),
}
LOCATION = {"location": Field(locations.check_change)}
ATTENDEE = {
    "name": Field(validation.text, required=True),
    "timeZone": Field(validation.time_zone, required=True),
    "email": Field(validation.email, required=True),
    "phoneNumber": _PHONE,
    "language": _LANGUAGE,
}
GUESTS = {
    "guests": Field(
        list_of(anything, least=1, most=10),
        required=True,
        inner={
            "email": Field(validation.email, required=True),
            "name": Field(validation.text),
            "timeZone": Field(validation.time_zone),
            "phoneNumber": _PHONE,
            "language": _LANGUAGE,
        },
        each=True,
    )
}


def names_no_event_type(body: dict[str, Any]) -> str:
    """Return the error of a create that names no event type; "" if it names one [rec 365]."""
    slug = body.get("eventTypeSlug")
    if body.get("eventTypeId") or (
        slug and (body.get("username") or body.get("teamSlug"))
    ):
        return ""
    return f"eventTypeId or eventTypeSlug + username property is wrong,{_EVENT_TYPE} "


def has_no_contact(body: dict[str, Any]) -> str:
    """Return the error of a create whose attendee cannot be reached; "" if they can [rec 370]."""
    attendee = body.get("attendee")
    if (
        not isinstance(attendee, dict)
        or attendee.get("email")
        or attendee.get("phoneNumber")
    ):
        return ""
    return (
        "attendee property is wrong, attendee email or phone property is wrong,"
        f"{_CONTACT} "
    )
