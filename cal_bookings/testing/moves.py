"""Another time, and a new booking."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from .answers import Answer, Refusal
from .calls import EXTRAS, Act, Bare, Call, busy, created, overlapping
from .catalog import MOST_OCCURRENCES, EventType, Person, User
from .clock import wire
from .world import Payload

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HOSTED = (
    "rescheduleWithSameHost",
    "allowConflicts",
    "allowBookingOutOfBounds",
    "skipBookingLimits",
)


def reschedule(call: Call) -> Act:
    """Two at once both pass the checks, and both succeed [rec 483-485]."""
    own = ("start", "reschedulingReason", "rescheduledBy", "seatUid")
    hosted = _HOSTED if call.hosted else ()
    call.known_fields(*own, "emailVerificationCode", *hosted)
    _may_be_moved(call)
    start = call.start()
    by = call.text("rescheduledBy")
    if by and not _EMAIL.fullmatch(by):
        told = "rescheduledBy - Invalid email, "
        raise Refusal(400, told, code="BAD_REQUEST")
    seat = call.text("seatUid")
    if _is_seated(call.row.payload):
        return _move_seat(call, seat, start) if seat else _move_all(call, start)
    end = wire(start + timedelta(minutes=call.row["duration"]))
    if overlapping(call.world, call.row["hosts"], wire(start), end, but=call.uid):
        raise busy()
    return _move(call, start, end, by)


def _may_be_moved(call: Call) -> None:
    uid, status = call.uid, call.row["status"]
    told = f"Can't reschedule booking with uid={uid} because it has been cancelled"
    if status == "cancelled":
        for new in call.world.find(lambda one: one.get("rescheduledFromUid") == uid):
            raise Refusal(
                400,
                f"{told} and rescheduled already to booking with uid={new}. You probably want to reschedule {new} "
                "instead by passing it within the request URL.",
            )
    if status == "cancelled" or (status == "rejected" and call.hosted):
        raise Refusal(
            400, f"{told}. Please provide uid of a booking that is not cancelled."
        )
    if status == "rejected":
        raise Bare(404, "Could not find original booking")


def _move(call: Call, start: datetime, end: str, by: str) -> Act:
    event_type = call.event_type()
    hosts = [host["email"] for host in call.row["hosts"]]
    asks = event_type is not None and event_type.kind == "confirm"
    pending = asks and not call.is_host and by not in hosts

    def act() -> Answer:
        taken = overlapping(call.world, call.row["hosts"], wire(start), end)
        same = [uid for uid in taken if call.world.rows[uid]["start"] == wire(start)]
        if [uid for uid in same if uid != call.uid]:
            raise Bare(409, "booking_conflict_error")
        reason = call.text("reschedulingReason")
        new = call.world.reschedule(
            call.uid,
            start,
            reason=reason,
            by=by or None,
            status="pending" if pending else "accepted",
        )
        call.effect("reschedule", call.uid, new=new, start=wire(start), reason=reason)
        return created(call.world.payload(new) | EXTRAS)

    return act


def _move_all(call: Call, start: datetime) -> Act:
    """The whole seated booking, by its host: the same uid [rec 241]; nobody else may, and is told so badly [rec 242].

    Where the event type has a seated booking at that time, the attendees go into that one, and the old one is cancelled.
    """
    if not call.is_host:
        raise Bare(500, "Internal server error")

    def act() -> Answer:
        new = _seated_booking(call, call.row["eventTypeId"], wire(start))
        if new and new != call.uid:
            _merge(call, new)
        else:
            new = call.uid
            end = start + timedelta(minutes=call.row["duration"])
            call.world.change(call.uid, start=wire(start), end=wire(end))
        reason = call.text("reschedulingReason")
        details = {"new": new, "start": wire(start), "reason": reason}
        call.effect("reschedule", call.uid, **details)
        return created(call.world.payload(new) | EXTRAS | {"seatUid": ""})

    return act


def _merge(call: Call, target: str) -> None:
    people = [*call.world.rows[target]["attendees"], *call.row["attendees"]]
    call.world.change(target, attendees=people)
    call.world.change(call.uid, attendees=[], status="cancelled")


def _move_seat(call: Call, seat: str, start: datetime) -> Act:
    """Into the booking that is there then, under the same uid of the seat, or into a new one under another [rec 269, 524]."""
    if all(one.get("seatUid") != seat for one in call.row["attendees"]):
        told = "Invalid seatUid: this seat does not belong to this booking."
        raise Refusal(400, told)

    def act() -> Answer:
        world, row = call.world, call.row
        holder = next(one for one in row["attendees"] if one.get("seatUid") == seat)
        target = _seated_booking(call, row["eventTypeId"], wire(start))
        if target:
            there = [*world.rows[target]["attendees"], holder]
            world.change(target, moves_updated_at=False, attendees=there)
        else:
            target = _book_again(call, holder, start)
        left = [one for one in row["attendees"] if one.get("seatUid") != seat]
        if left:
            world.change(call.uid, moves_updated_at=False, attendees=left)
        else:
            world.change(call.uid, attendees=[], status="cancelled")
        new_seat = world.rows[target]["attendees"][-1]["seatUid"]
        reason = call.text("reschedulingReason")
        call.effect("reschedule_seat", call.uid, new=target, seat=seat, reason=reason)
        return created(world.payload(target) | EXTRAS | {"seatUid": new_seat})

    return act


def _seated_booking(call: Call, event_type: Any, start: str) -> str | None:
    found = call.world.find(
        lambda one: (
            one["eventTypeId"] == event_type
            and one["start"] == start
            and one["status"] == "accepted"
        )
    )
    return found[0] if found else None


def _book_again(call: Call, holder: Payload, start: datetime) -> str:
    event_type, row = call.event_type(), call.row
    hosts = [call.world.users[host["id"]] for host in row["hosts"]]
    moment = call.world.clock.now()
    payload = call.world.new_payload(event_type, hosts, [], start, created=moment)
    payload["title"] = row["title"]
    attendee = {key: value for key, value in holder.items() if key != "seatUid"}
    payload["attendees"] = [call.world.seat(attendee)]
    return call.world.insert(payload, row.users, row.team_id)


def create(call: Call) -> Act:
    call.known_fields(
        *("start", "eventTypeId", "attendee", "guests", "location", "metadata"),
        *("bookingFieldsResponses", "recurrenceCount", "lengthInMinutes", "instant"),
        *("emailVerificationCode", *_HOSTED[1:]),
    )
    event_type = _event_type(call)
    person = _attendee(call)
    start = call.start()
    host = call.world.users[event_type.owner_id or 1]
    for name, value in (call.body.get("metadata") or {}).items():
        if not isinstance(value, str):
            told = f"metadata.{name} - Expected string, received number, "
            raise Refusal(400, told, code="BAD_REQUEST")
    count = _occurrences(call, event_type)
    if event_type.kind == "seated":
        return _take_seat(call, event_type, host, person, start)
    pending = _same_pending(call, event_type, person, start)
    if pending:
        # Where confirmation is asked for, the same request again answers the booking that waits.
        return lambda: created(call.world.payload(pending) | EXTRAS)
    end = wire(start + timedelta(minutes=event_type.minutes))
    if overlapping(call.world, [{"id": host.id}], wire(start), end):
        raise busy()
    if event_type.kind == "recurring":
        return _book_series(call, event_type, host, person, start, count)

    def act() -> Answer:
        uid = _book(call, event_type, host, person, start)
        call.effect("create", uid, metadata=call.body.get("metadata") or {})
        return created(call.world.payload(uid) | EXTRAS)

    return act


def _event_type(call: Call) -> EventType:
    number = call.body.get("eventTypeId")
    event_type = call.world.event_types.get(number) if type(number) is int else None
    if event_type is None:
        raise Refusal(404, f"Event type with id {number} not found.")
    return event_type


def _attendee(call: Call) -> Person:
    given = call.body.get("attendee")
    if not isinstance(given, dict):
        told = "attendee property is wrong,attendee should not be null or undefined "
        raise Refusal(400, told)
    email = given.get("email") or ""
    if not _EMAIL.fullmatch(email):
        told = "responses - {email}error_required_field, "
        raise Refusal(400, told, code="BAD_REQUEST")
    return Person(
        given.get("name", ""),
        email,
        given.get("timeZone", "UTC"),
        given.get("language", "en"),
        given.get("phoneNumber", ""),
    )


def _occurrences(call: Call, event_type: EventType) -> int:
    if event_type.kind != "recurring":
        return 1
    count = int(call.body.get("recurrenceCount") or MOST_OCCURRENCES)
    if count > MOST_OCCURRENCES:
        told = "Provided recurrence count is higher than the event type's recurring event count."
        raise Refusal(400, told)
    return count


def _same_pending(
    call: Call, event_type: EventType, person: Person, start: datetime
) -> str | None:
    found = call.world.find(
        lambda one: (
            one["eventTypeId"] == event_type.id
            and one["status"] == "pending"
            and one["start"] == wire(start)
            and any(other["email"] == person.email for other in one["attendees"])
        )
    )
    return found[0] if found else None


def _book(
    call: Call,
    event_type: EventType,
    host: User,
    person: Person,
    start: datetime,
    series: str = "",
) -> str:
    """Raises Refusal if somebody was faster."""
    end = wire(start + timedelta(minutes=event_type.minutes))
    if overlapping(call.world, [{"id": host.id}], wire(start), end):
        raise Bare(409, "booking_conflict_error")
    payload = call.world.new_payload(
        event_type,
        [host],
        [person],
        start,
        created=call.world.clock.now(),
        status="pending" if event_type.kind == "confirm" else "accepted",
        series=series,
    )
    payload["metadata"] = call.body.get("metadata") or {}
    return call.world.insert(payload, {host.id}, event_type.team_id)


def _book_series(
    call: Call,
    event_type: EventType,
    host: User,
    person: Person,
    start: datetime,
    count: int,
) -> Act:
    """Only the first occurrence is checked: a later collision leaves the earlier ones booked."""

    def act() -> Answer:
        series = call.world.new_series()
        uids: list[str] = []
        for number in range(count):
            week = start + timedelta(weeks=number)
            uids.append(_book(call, event_type, host, person, week, series))
            metadata = call.body.get("metadata") or {}
            call.effect("create", uids[-1], metadata=metadata, number=number)
        return created([call.world.payload(uid) | EXTRAS for uid in uids])

    return act


def _take_seat(
    call: Call, event_type: EventType, host: User, person: Person, start: datetime
) -> Act:
    there = _seated_booking(call, event_type.id, wire(start))
    if there and any(
        one["email"] == person.email for one in call.world.rows[there]["attendees"]
    ):
        raise Bare(409, "already_signed_up_for_this_booking_error")

    def act() -> Answer:
        world = call.world
        metadata = call.body.get("metadata") or {}
        uid = there or _book(call, event_type, host, person, start)
        if there:
            world.join_seat(uid, person)
        else:
            world.rows[uid].payload.pop("metadata", None)
        attendees = world.payload(uid)["attendees"]
        attendees[-1]["metadata"] = metadata
        world.change(uid, moves_updated_at=False, attendees=attendees)
        call.effect("create", uid, metadata=metadata)
        seat = attendees[-1]["seatUid"]
        return created(world.payload(uid) | EXTRAS | {"seatUid": seat})

    return act


def _is_seated(payload: Payload) -> bool:
    return "bookingFieldsResponses" not in payload
