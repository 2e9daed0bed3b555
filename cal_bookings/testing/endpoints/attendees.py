"""The attendees and guests of a booking, and its location."""

from __future__ import annotations

from typing import Any

from cal_bookings.testing.endpoints import (
    bodies,
    locations,
)
from cal_bookings.testing.endpoints.calls import (
    Call,
    Change,
    created,
    emails,
    is_seated,
    trpc,
)
from cal_bookings.testing.endpoints.validation import refuse
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    success,
)
from cal_bookings.testing.world.catalog import Person

#: The most attendees and guests of one booking.
_MOST_PEOPLE = 30


def set_location(call: Call) -> Change:
    """Set the location. A body without a location changes nothing [rec 338]."""
    refuse(bodies.LOCATION, call.body)
    if not call.is_host:
        raise Refusal(
            403,
            "User is not authorized to update this booking location. User must be the event type owner, host, team "
            "admin or owner, or org admin or owner.",
        )
    location = call.body.get("location")

    def carry_out() -> Answer:
        if location:
            new = locations.changed(location)
            call.world.set_location(call.uid, new["location"], new["response"])
            call.effect("update_location", call.uid, location=new["location"])
        return call.shown()

    return carry_out


def attendees(call: Call) -> Change:
    """Return the attendees with their numbers, which no booking shows."""
    call.must_have_access()
    return lambda: success(
        [
            attendee | {"id": _number(call, attendee["email"])}
            for attendee in call.row["attendees"]
        ]
    )


def add_attendee(call: Call) -> Change:
    """Add an attendee. To a seated booking, a self-hosted server adds it without a seat; hosted Cal.com refuses."""
    call.must_have_access()
    refuse(bodies.ATTENDEE, call.body)
    if is_seated(call.row) and call.hosted:
        raise Refusal(400, "Cannot add attendees to a seated booking")
    _must_be_new(call, [call.text("email")])

    def carry_out() -> Answer:
        email = call.text("email")
        _must_be_new(call, [email])
        person = _person(call.body, call.text("timeZone"))
        call.world.add_attendee(call.uid, person)
        call.effect("add_attendee", call.uid, email=email)
        numbers = {"id": _number(call, email), "bookingId": call.row["id"]}
        return created(person.as_attendee() | numbers)

    return carry_out


def remove_attendee(call: Call) -> Change:
    call.must_have_access()
    number = int(call.parts["attendee"])
    if number == _number(call, _primary(call)):
        raise Refusal(400, "cannot_remove_primary_attendee")
    numbered(call, number)

    def carry_out() -> Answer:
        gone = numbered(call, number)
        call.world.remove_attendee(call.uid, gone["email"])
        call.effect("remove_attendee", call.uid, email=gone["email"])
        shown = {key: gone.get(key) for key in ("name", "email", "timeZone")}
        return success({"id": number, "bookingId": call.row["id"]} | shown)

    return carry_out


def add_guests(call: Call) -> Change:
    """Add guests. Those who attend already are skipped; the request is refused if nobody is left."""
    refuse(bodies.GUESTS, call.body)
    if not call.is_host:
        raise trpc("you_do_not_have_permission", 403)
    guests: list[dict[str, Any]] = call.body["guests"]
    _must_be_new(call, [guest["email"] for guest in guests])
    if len(emails(call.row) | {guest["email"] for guest in guests}) > _MOST_PEOPLE:
        raise trpc(f"A booking can have at most {_MOST_PEOPLE} attendees.")

    def carry_out() -> Answer:
        _must_be_new(call, [guest["email"] for guest in guests])
        for guest in guests:
            if guest["email"] not in emails(call.row):
                host = call.row["hosts"][0]
                person = _person(guest, host.get("timeZone", "UTC"))
                call.world.add_attendee(call.uid, person)
                call.effect("add_guests", call.uid, email=guest["email"])
        return call.shown()

    return carry_out


def _must_be_new(call: Call, wanted: list[str]) -> None:
    """Check that not all of them attend already. Raises Refusal."""
    if emails(call.row).issuperset(wanted):
        raise trpc("emails_must_be_unique_valid")


def _person(given: dict[str, Any], time_zone: str) -> Person:
    return Person(
        given.get("name") or "",
        given["email"],
        given.get("timeZone") or time_zone,
        given.get("language") or "en",
        given.get("phoneNumber") or "",
    )


def _primary(call: Call) -> str:
    """Return the address of the booker, or of the first attendee."""
    responses = call.row["bookingFieldsResponses"] or {}
    there = [str(attendee["email"]) for attendee in call.row["attendees"]]
    booker = str(responses.get("email"))
    return booker if booker in there else "".join(there[:1])


def numbered(call: Call, number: int) -> dict[str, Any]:
    """Return the attendee with this number. Raises Refusal for an unknown number."""
    for attendee in call.row["attendees"]:
        if _number(call, attendee["email"]) == number:
            return dict(attendee)
    raise Refusal(404, "attendee_not_found")


def _number(call: Call, email: str) -> int:
    """Return the number of an attendee, which stays the same as long as the fake lives."""
    return call.world.attendee_numbers.setdefault(
        (call.uid, email), len(call.world.attendee_numbers) + 1
    )
