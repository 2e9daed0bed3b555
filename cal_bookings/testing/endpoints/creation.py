"""The creation of a booking, of a seat in a booking, or of a series."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from cal_bookings.testing.endpoints import (
    bodies,
    booking_requests,
    email_verification,
    event_types,
    seats,
)
from cal_bookings.testing.endpoints.booking_requests import BookingRequest
from cal_bookings.testing.endpoints.calls import (
    EXTRAS,
    Call,
    Change,
    created,
    emails,
)
from cal_bookings.testing.endpoints.validation import broken_fields
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
)
from cal_bookings.testing.world.catalog import EventType
from cal_bookings.testing.world.clock import wire


def create(call: Call) -> Change:
    _check(call)
    event_type = _event_type(call)
    if call.flag("instant") and not event_type.is_instant:
        message = "Instant bookings are only supported for team event types that offer instant meetings."
        raise Refusal(400, message)
    count = _occurrences(call, event_type)
    request = booking_requests.read(call, event_type)
    if event_type.wants_email_code:
        email_verification.must_be_verified(call, request.person.email)
    if call.flag("instant"):
        return _book(call, request)
    if event_type.kind == "seated":
        return seats.take(call, request)
    pending = _same_pending(call, request)
    if pending:
        # Where confirmation is required, the answer to a repeated request is the booking that waits.
        return lambda: created(call.world.payload(pending) | EXTRAS)
    booking_requests.must_be_free(call, request)
    if event_type.kind == "recurring":
        return _book_series(call, request, count)

    return _book(call, request)


def _book(call: Call, request: BookingRequest) -> Change:
    def carry_out() -> Answer:
        uid = booking_requests.book(call, request)
        call.effect("create", uid, metadata=request.metadata)
        return created(call.world.payload(uid) | EXTRAS)

    return carry_out


def _check(call: Call) -> None:
    """Check the body: all its errors come in one text [rec 365]. Raises Refusal."""
    fields = bodies.CREATE | (bodies.PRIVILEGES if call.hosted else {})
    problems = [
        field.in_words() for field in broken_fields(fields, call.body, unknown=True)
    ]
    problems += [
        bodies.has_no_contact(call.body),
        bodies.names_no_event_type(call.body),
    ]
    if any(problems):
        raise Refusal(400, ", ".join(filter(None, problems)))


def _event_type(call: Call) -> EventType:
    """Return the event type, by its number, or by its slug with the user's or the team's [rec 061, 376]."""
    number = call.body.get("eventTypeId")
    if number:
        event_type = call.world.event_types.get(int(number))
        if event_type is None:
            raise Refusal(404, f"Event type with id {number} not found.")
        return event_type
    event_type = event_types.named(call.world, call.body)
    if event_type:
        return event_type
    slug, team = call.text("eventTypeSlug"), call.text("teamSlug")
    username, organization = call.text("username"), call.text("organizationSlug")
    whose = f"user {username}" if username else f"team {team}"
    within = f" within organization {organization}" if organization else ""
    message = f"Event type with slug {slug} belonging to {whose}{within} not found."
    raise Refusal(404, message)


def _occurrences(call: Call, event_type: EventType) -> int:
    """Return the number of bookings in the series. For other event types, Cal.com does not read the count."""
    if event_type.kind != "recurring":
        return 1
    count = int(call.body.get("recurrenceCount") or event_type.occurrences)
    if count > event_type.occurrences:
        message = "Provided recurrence count is higher than the event type's recurring event count."
        raise Refusal(400, message)
    return count


def _same_pending(call: Call, request: BookingRequest) -> str | None:
    start = wire(request.start)
    for uid, row in call.world.rows.items():
        of_it = row["eventTypeId"] == request.event_type.id and row["start"] == start
        if of_it and row["status"] == "pending" and request.person.email in emails(row):
            return uid
    return None


def _book_series(call: Call, request: BookingRequest, count: int) -> Change:
    """Book a series. Only the first occurrence is checked: a later collision leaves the earlier ones booked.

    Occurrences follow the booker's clock over changes to and from summer time.
    """
    local = request.start.astimezone(ZoneInfo(request.person.time_zone))

    def carry_out() -> Answer:
        series = call.world.new_series()
        uids: list[str] = []
        for number in range(count):
            start = (local + timedelta(weeks=number)).astimezone(UTC)
            week = replace(request, start=start)
            uids.append(booking_requests.book(call, week, series))
            metadata = request.metadata
            call.effect("create", uids[-1], metadata=metadata, number=number)
        return created([call.world.payload(uid) | EXTRAS for uid in uids])

    return carry_out
