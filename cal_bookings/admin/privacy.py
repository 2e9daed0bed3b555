"""Who may see whom: without the permission to view attendees, nothing that a person said or that names them is shown."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest

from cal_bookings.models import Booking

#: Of a booking. Its title too: Cal.com writes the names of host and attendee into it.
PERSONAL = frozenset(
    {
        "title",
        "description",
        "location",
        "cancellation_reason",
        "cancelled_by_email",
        "rescheduling_reason",
        "rescheduled_by_email",
        "guests",
        "metadata",
        "booking_fields_responses",
        "payload",
        "attendees",
    }
)
#: How the admin shows them.
PERSONAL_DISPLAYS = PERSONAL | {
    "location_link",
    "attendee_names",
    "pretty_responses",
    "pretty_guests",
    "pretty_metadata",
    "pretty_payload",
    "pretty_parameters",
    "seen_and_found",
    "error_message",
    "short_error",
    "note",
}


def may_see_people(request: HttpRequest) -> bool:
    return request.user.has_perm("cal_bookings.view_attendee")


def visible(names: Iterable[Any], request: HttpRequest) -> list[Any]:
    """Those of the fields or columns that this person may see."""
    if may_see_people(request):
        return list(names)
    return [name for name in names if name not in PERSONAL_DISPLAYS]


def visible_fieldsets(fieldsets: Iterable[Any], request: HttpRequest) -> list[Any]:
    """The same of a page; a fieldset of which nothing is left goes."""
    shown = [
        (heading, {**options, "fields": visible(options["fields"], request)})
        for heading, options in fieldsets
    ]
    return [(heading, options) for heading, options in shown if options["fields"]]


def impersonal_changes(changes: Any) -> Any:
    """The changes of fields that name nobody."""
    if not isinstance(changes, Mapping):
        return {}
    return {name: pair for name, pair in changes.items() if name not in PERSONAL}


def without_names(booking: Booking) -> Booking:
    """The same booking, called by its event type. Not to be saved."""
    booking.title = str(booking.event_type or "")
    return booking
