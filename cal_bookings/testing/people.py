"""Who and where: absence, hosts, attendees, guests, location."""

from __future__ import annotations

from typing import Any

from .answers import Answer, Refusal, invalid, success
from .calls import Act, Call, created, now, trpc
from .catalog import Person, User

_LOCATIONS = {
    "address": "address",
    "link": "link",
    "phone": "phone",
    "attendeePhone": "phone",
    "attendeeAddress": "address",
    "attendeeDefined": "location",
    "integration": "integration",
}
_MOST_GUESTS = 10


def mark_absent(call: Call) -> Act:
    """Unknown e-mails are skipped in silence, and an empty body is fine [rec 285, 286]."""
    host, people = call.body.get("host"), call.body.get("attendees") or []
    if host is not None and not isinstance(host, bool):
        raise invalid("host", host, isBoolean="host must be a boolean value")
    moment, start = now(call.world), call.row["start"]
    if start > moment:
        raise Refusal(
            400,
            "Bookings can only be marked as absent after their scheduled start time. "
            f"Current time in UTC+0: {moment}, Booking start time in UTC+0: {start}",
        )

    def act() -> Answer:
        if host is not None:
            call.world.mark_host_absent(call.uid, absent=host)
            call.effect("mark_absent", call.uid, host=host)
        known = {one["email"] for one in call.row["attendees"]}
        for one in people:
            if one["email"] in known:
                absent = bool(one["absent"])
                call.world.mark_absent(call.uid, one["email"], absent=absent)
                details = {"email": one["email"], "absent": absent}
                call.effect("mark_absent", call.uid, **details)
        return call.shown()

    return act


def reassign(call: Call) -> Act:
    """Nobody asks whether the new host is free, or what became of the booking."""
    if not call.is_host:
        told = "You do not have permission to reassign this booking"
        raise Refusal(403, told)
    to = _new_host(call)

    def act() -> Answer:
        if not call.reassign_is_stub:
            users = call.row.users
            call.world.reassign(call.uid, to.id)
            call.world.hand_over(call.uid, users | {to.id})
            call.effect("reassign", call.uid, host=to.id, reason=call.text("reason"))
        host = call.row["hosts"][0]
        keys = ("id", "name", "email", "displayEmail")
        shown = {key: host[key] for key in keys}
        return success({"bookingUid": call.uid, "reassignedTo": shown})

    return act


def _new_host(call: Call) -> User:
    wanted = call.parts.get("user")
    users = call.world.users
    if wanted is not None:
        if int(wanted) not in users:
            told = f"User with id={wanted} was not found in the database"
            raise Refusal(404, told)
        return users[int(wanted)]
    if call.reassign_is_stub:
        return users[call.row["hosts"][0]["id"]]
    event_type = call.event_type()
    if event_type is None or event_type.kind != "round-robin":
        raise Refusal(500, "Something went wrong", code="INTERNAL_SERVER_ERROR")
    hosts = {host["id"] for host in call.row["hosts"]}
    return next(user for user in users.values() if user.id not in hosts)


def set_location(call: Call) -> Act:
    location = call.body.get("location")
    kind = location.get("type") if isinstance(location, dict) else None
    if location is not None and kind not in _LOCATIONS:
        told = (
            "UpdateBookingInputLocationValidator_2024_08_13 - Unsupported booking location type "
            f"'{kind}'. Valid types are address, link, phone, attendeePhone, attendeeAddress, attendeeDefined, and integration."
        )
        raise invalid("location", location, ValidateUpdateLocation=told)

    def act() -> Answer:
        if isinstance(location, dict):
            value = location[_LOCATIONS[str(kind)]]
            shown = f"integrations:{value}" if kind == "integration" else value
            call.world.set_location(call.uid, shown)
            call.effect("update_location", call.uid, location=shown)
        return call.shown()

    return act


def attendees(call: Call) -> Act:
    """The list with numbers, which no booking shows; those of a booking that is not there are forbidden [rec 321]."""
    if call.uid not in call.world.rows:
        user = call.user.id if call.user else None
        told = f"BookingPbacGuard - user with id={user} does not have access to booking with uid={call.uid}"
        raise Refusal(403, told)
    return lambda: success(
        [one | {"id": _number(call, one["email"])} for one in call.row["attendees"]]
    )


def add_attendee(call: Call) -> Act:
    if "bookingFieldsResponses" not in call.row.payload:
        raise Refusal(400, "Cannot add attendees to a seated booking")
    email = call.text("email")
    if email in _emails(call):
        raise trpc("emails_must_be_unique_valid")

    def act() -> Answer:
        if email in _emails(call):
            raise trpc("emails_must_be_unique_valid")
        time_zone, language = call.text("timeZone"), call.text("language")
        person = Person(call.text("name"), email, time_zone, language or "en")
        call.world.add_attendee(call.uid, person)
        call.effect("add_attendee", call.uid, email=email)
        numbers = {"id": _number(call, email), "bookingId": call.row["id"]}
        return created(person.as_attendee() | numbers)

    return act


def remove_attendee(call: Call) -> Act:
    number = int(call.parts["attendee"])
    primary, *others = [one["email"] for one in call.row["attendees"]]
    if number == _number(call, primary):
        raise Refusal(400, "cannot_remove_primary_attendee")
    email = next((one for one in others if _number(call, one) == number), None)
    if email is None:
        raise Refusal(404, "attendee_not_found")

    def act() -> Answer:
        left = [one for one in call.row["attendees"] if one["email"] != email]
        if len(left) == len(call.row["attendees"]):
            raise Refusal(404, "attendee_not_found")
        call.world.change(call.uid, attendees=left)
        call.effect("remove_attendee", call.uid, email=email)
        told = {"id": number, "bookingId": call.row["id"], "email": email}
        return success(told)

    return act


def add_guests(call: Call) -> Act:
    """Those who are there already are passed over; if nobody is left, it is refused."""
    guests: list[dict[str, Any]] = call.body.get("guests") or []
    if not 1 <= len(guests) <= _MOST_GUESTS:
        wanted = "guests must contain at least 1 elements"
        raise invalid("guests", guests, arrayMinSize=wanted)
    if not [one for one in guests if one["email"] not in _emails(call)]:
        raise trpc("emails_must_be_unique_valid")

    def act() -> Answer:
        new = [one for one in guests if one["email"] not in _emails(call)]
        if not new:
            raise trpc("emails_must_be_unique_valid")
        for guest in new:
            person = Person(guest.get("name", ""), guest["email"])
            call.world.add_attendee(call.uid, person)
            call.effect("add_guests", call.uid, email=guest["email"])
        return call.shown()

    return act


def _emails(call: Call) -> set[str]:
    return {one["email"] for one in call.row["attendees"]}


def _number(call: Call, email: str) -> int:
    """Stays the same as long as the fake lives."""
    return call.world.attendee_numbers.setdefault(
        (call.uid, email), len(call.world.attendee_numbers) + 1
    )
