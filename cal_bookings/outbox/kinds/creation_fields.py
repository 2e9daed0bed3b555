"""The fields of a request to create a booking, and their refusal where Cal.com would refuse them."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from cal_bookings.client.languages import LANGUAGES
from cal_bookings.models import RefusalCode
from cal_bookings.outbox.kinds.base import Refused
from cal_bookings.outbox.refusal_messages import RefusalText

#: The fields that only hosted Cal.com accepts, and heeds only if the credential is that of a host.
HOSTED_FIELDS = frozenset(
    {"allowConflicts", "allowBookingOutOfBounds", "skipBookingLimits"}
)
FIELDS = HOSTED_FIELDS | {
    *("start", "eventTypeId", "eventTypeSlug", "username", "teamSlug"),
    *("organizationSlug", "attendee", "bookingFieldsResponses", "guests"),
    *("meetingUrl", "location", "metadata", "lengthInMinutes", "routing"),
    *("emailVerificationCode", "instant", "recurrenceCount"),
}
ATTENDEE_FIELDS = frozenset({"name", "email", "phoneNumber", "timeZone", "language"})
#: The types of location with which a person may book.
LOCATION_TYPES = (
    *("address", "link", "phone", "integration", "organizersDefaultApp"),
    *("attendeeAddress", "attendeePhone", "attendeeDefined"),
)
MOST_KEYS = 50  # of the metadata, our mark included
LONGEST_KEY, LONGEST_VALUE = 40, 500  # characters


def check_fields(fields: Mapping[str, Any], *, self_hosted: bool) -> None:
    """Raise Refused for a field that Cal.com does not know, or whose value it would refuse."""
    refuse_unknown(fields, FIELDS)
    refuse_unknown(fields["attendee"], ATTENDEE_FIELDS)
    if self_hosted and not HOSTED_FIELDS.isdisjoint(fields):
        raise Refused(RefusalText.HOSTED_FIELDS, RefusalCode.HOSTED)
    refuse_language(fields["attendee"].get("language"))
    refuse_metadata(fields.get("metadata") or {})
    _refuse_location(fields.get("location"))


def refuse_unknown(given: Collection[str], known: Collection[str]) -> None:
    """Raise Refused for the first unknown name, with the nearest known name."""
    for name in given:
        if name not in known:
            nearest = get_close_matches(name, known, n=1, cutoff=0.0)
            values = {"name": name, "nearest": "".join(nearest)}
            raise Refused(RefusalText.UNKNOWN_FIELD, RefusalCode.FIELD, values)


def refuse_language(language: Any) -> None:
    """Raise Refused for a language that Cal.com does not know; a missing language is accepted."""
    if language and language not in LANGUAGES:
        known = {"language": language, "known": ", ".join(sorted(LANGUAGES))}
        raise Refused(RefusalText.LANGUAGE, RefusalCode.LANGUAGE, known)


def refuse_metadata(metadata: Mapping[str, Any]) -> None:
    """Raise Refused for more than Cal.com keeps: our mark takes the place of one key."""
    fits = len(metadata) < MOST_KEYS and all(
        len(key) <= LONGEST_KEY
        and isinstance(value, str)
        and len(value) <= LONGEST_VALUE
        for key, value in metadata.items()
    )
    if not fits:
        raise Refused(RefusalText.METADATA, RefusalCode.METADATA)


def _refuse_location(location: Any) -> None:
    """Raise Refused for a location without a type that Cal.com knows; a text is an old form, and is accepted."""
    kind = location.get("type") if isinstance(location, Mapping) else None
    if location and not isinstance(location, str) and kind not in LOCATION_TYPES:
        known = {"type": kind, "known": ", ".join(LOCATION_TYPES)}
        raise Refused(RefusalText.LOCATION_TYPE, RefusalCode.LOCATION, known)
