"""The hosts of a booking, and the people who were absent."""

from __future__ import annotations

from typing import Any

from cal_bookings.testing.endpoints import bodies
from cal_bookings.testing.endpoints.calls import (
    Call,
    Change,
    emails,
    now,
)
from cal_bookings.testing.endpoints.validation import refuse
from cal_bookings.testing.responses import (
    Answer,
    Bare,
    Refusal,
    success,
)
from cal_bookings.testing.world.catalog import User


def mark_absent(call: Call) -> Change:
    """Mark people absent. Unknown e-mails are skipped in silence, and an empty body is valid [rec 285, 286]."""
    refuse(bodies.MARK_ABSENT, call.body)
    host, people = call.body.get("host"), call.body.get("attendees") or []
    moment, start = now(call.world), str(call.row["start"])
    if start > moment:
        raise Refusal(
            400,
            "Bookings can only be marked as absent after their scheduled start time. "
            f"Current time in UTC+0: {moment}, Booking start time in UTC+0: {start}",
        )
    if not call.is_host:
        raise Bare(500, "Failed to update no-show status")

    def carry_out() -> Answer:
        if host is not None:
            call.world.mark_host_absent(call.uid, absent=host)
            call.effect("mark_absent", call.uid, host=host)
        if people:
            _mark_attendees(call, people)
        return call.shown()

    return carry_out


def _mark_attendees(call: Call, people: list[dict[str, Any]]) -> None:
    known = emails(call.row)
    absent = {person["email"]: person["absent"] for person in people}
    call.world.mark_all_absent(call.uid, absent)
    for person in people:
        if person["email"] in known:
            details = {"email": person["email"], "absent": person["absent"]}
            call.effect("mark_absent", call.uid, **details)


def reassign(call: Call) -> Change:
    """Reassign a booking. No check looks whether the new host is free, or at the status of the booking."""
    refuse(bodies.REASON, call.body)
    if not call.parts.get("user", "0").isdecimal():  # [rec 305]
        message = "There was an error, please try again later."
        raise Refusal(500, message, code="INTERNAL_SERVER_ERROR")
    if not call.is_host:
        message = "You do not have permission to reassign this booking"
        raise Refusal(403, message)
    to = _new_host(call)

    def carry_out() -> Answer:
        if not call.reassign_is_stub:
            users = call.row.users
            call.world.reassign(call.uid, to.id)
            call.world.hand_over(call.uid, users | {to.id})
            call.effect("reassign", call.uid, host=to.id, reason=call.text("reason"))
        host = call.row["hosts"][0]
        shown = {key: host.get(key) for key in ("id", "name", "email", "displayEmail")}
        return success({"bookingUid": call.uid, "reassignedTo": shown})

    return carry_out


def _new_host(call: Call) -> User:
    wanted, users = call.parts.get("user"), call.world.users
    if wanted is not None and int(wanted) not in users:
        message = f"User with id={wanted} was not found in the database"
        raise Refusal(404, message)
    if call.reassign_is_stub:
        return users[min(call.row.users)]
    event_type = call.event_type()
    if event_type is None:
        raise Refusal(500, "Something went wrong", code="INTERNAL_SERVER_ERROR")
    others = users if event_type.kind == "round-robin" else {}
    if wanted is None:
        return _whoever_is_free(call, others)
    if int(wanted) not in others:
        raise Refusal(400, "invalid_round_robin_host")
    return users[int(wanted)]


def _whoever_is_free(call: Call, others: dict[int, User]) -> User:
    hosts = {host["id"] for host in call.row["hosts"]}
    for user in others.values():
        if user.id not in hosts:
            return user
    raise Refusal(400, "no_available_users_found_error")
