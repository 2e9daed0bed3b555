"""The seats of a booking: taken by one attendee after another, and moved one by one or all together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cal_bookings.testing.endpoints import booking_requests
from cal_bookings.testing.endpoints.booking_requests import BookingRequest
from cal_bookings.testing.endpoints.calls import (
    EXTRAS,
    Call,
    Change,
    busy,
    created,
    emails,
    overlapping,
)
from cal_bookings.testing.responses import (
    Answer,
    Bare,
    Refusal,
)
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.state import Payload

_WHICH = (
    "Booking with uid={uid} is a seated booking which means you have to provide seatUid in the request body to specify "
    "which seat specifically you want to reschedule. First, fetch the booking using "
    "https://cal.com/docs/api-reference/v2/bookings/get-a-booking and then within the attendees array you will find the "
    "seatUid of the booking you want to reschedule. Second, provide the seatUid in the request body to specify which "
    "seat specifically you want to reschedule using the reschedule endpoint "
    "https://cal.com/docs/api-reference/v2/bookings/reschedule-a-booking#option-2"
)


def take(call: Call, request: BookingRequest) -> Change:
    """Add an attendee to the booking at that time, or as the first of a new booking."""
    there = _at(call, request.event_type.id, wire(request.start))
    if there:
        _must_have_room(call, there, request.person.email, request.event_type.seats)
    else:
        booking_requests.must_be_free(call, request)

    def carry_out() -> Answer:
        world = call.world
        target = _at(call, request.event_type.id, wire(request.start))
        if target:
            email, seats = request.person.email, request.event_type.seats
            _must_have_room(call, target, email, seats)
            world.add_seat(target, request.person)
        uid = target or booking_requests.book(call, request)
        attendees = world.payload(uid)["attendees"]
        attendees[-1]["metadata"] = request.metadata
        guests = [guest.email for guest in request.guests]
        attendees[-1]["bookingFieldsResponses"] |= request.responses | {
            "guests": guests
        }
        world.change(uid, moves_updated_at=False, attendees=attendees)
        world.announce_new(uid, attendees[-1]["seatUid"])
        call.effect("create", uid, metadata=request.metadata)
        extras = {} if target else EXTRAS  # [rec 048]
        seat = attendees[-1]["seatUid"]
        return created(world.payload(uid) | extras | {"seatUid": seat})

    return carry_out


def must_move_as_a_whole(call: Call) -> None:
    """Check that a host moves all seats, in their own name: nobody else may [rec 241, 242]. Raises Refusal."""
    hosts = {host["email"] for host in call.row["hosts"]}
    if call.user is None and not call.hosted:
        raise Bare(500, "Internal server error")
    if not call.is_host or call.text("rescheduledBy") not in ("", *hosts):
        raise Refusal(400, _WHICH.format(uid=call.uid))


def must_exist(call: Call, seat: str) -> None:
    """Check that the seat exists. Raises Refusal, whose words depend on whether another booking has this seat."""
    if not call.world.has_seat(seat):
        raise Refusal(404, f"Seat with uid={seat} does not exist.")
    if all(attendee.get("seatUid") != seat for attendee in call.row["attendees"]):
        message = "Invalid seatUid: this seat does not belong to this booking."
        raise Refusal(400, message)


def move_all(call: Call, start: datetime) -> Change:
    """Move the whole booking under its uid [rec 241], or merge it into the booking that exists then."""
    _merged(call, wire(start))
    end = wire(start + timedelta(minutes=call.row["duration"]))
    target = _at(call, call.row["eventTypeId"], wire(start), but=call.uid)
    taken = overlapping(call.world, call.row["hosts"], wire(start), end, but=call.uid)
    if [uid for uid in taken if uid != target]:
        raise busy(call)

    def carry_out() -> Answer:
        world, into, reason = call.world, call.uid, call.text("reschedulingReason")
        before = world.payload(call.uid)
        merged = _merged(call, wire(start))
        if merged:
            into, attendees = merged
            world.change(into, attendees=attendees)
            world.change(call.uid, attendees=[], status="cancelled")
        else:
            world.change(call.uid, start=wire(start), end=end)
        world.announce("BOOKING_RESCHEDULED", into, old=before)
        details = {"new": into, "start": wire(start), "reason": reason}
        call.effect("reschedule", call.uid, **details)
        return created(world.payload(into) | EXTRAS | {"seatUid": ""})

    return carry_out


def _merged(call: Call, start: str) -> tuple[str, list[Payload]] | None:
    """Return the booking that exists then, and its attendees with those of this one. Raises Refusal for too many."""
    target = _at(call, call.row["eventTypeId"], start, but=call.uid)
    if target is None:
        return None
    attendees = [*call.world.rows[target]["attendees"], *call.row["attendees"]]
    event_type = call.event_type()
    if event_type and len(attendees) > event_type.seats:
        raise Bare(409, "not_enough_available_seats_error")
    return target, attendees


def move(call: Call, seat: str, start: datetime) -> Change:
    """Move a seat, under its uid into an existing booking, or under another uid into a new one [rec 269, 524]."""
    _target(call, seat, start)

    def carry_out() -> Answer:
        world, row = call.world, call.row
        must_exist(call, seat)
        target, before = _target(call, seat, start), world.payload(call.uid)
        holder = next(
            attendee for attendee in row["attendees"] if attendee.get("seatUid") == seat
        )
        if target:
            there = [*world.rows[target]["attendees"], holder]
            world.change(target, moves_updated_at=False, attendees=there)
        else:
            target = _book_again(call, holder, start)
        left = [
            attendee for attendee in row["attendees"] if attendee.get("seatUid") != seat
        ]
        if left:
            world.change(call.uid, moves_updated_at=False, attendees=left)
        else:
            world.change(call.uid, attendees=[], status="cancelled")
        new_seat = world.rows[target]["attendees"][-1]["seatUid"]
        moved = world.holder(target, new_seat)
        world.announce("BOOKING_RESCHEDULED", target, seat=moved, old=before)
        reason = call.text("reschedulingReason")
        call.effect("reschedule_seat", call.uid, new=target, seat=seat, reason=reason)
        return created(world.payload(target) | EXTRAS | {"seatUid": new_seat})

    return carry_out


def _target(call: Call, seat: str, start: datetime) -> str | None:
    """Return the booking into which a seat moves; None for a new one. Raises Refusal."""
    event_type = call.event_type()
    target = _at(call, call.row["eventTypeId"], wire(start), but=call.uid)
    if target:
        holders = (
            attendee
            for attendee in call.row["attendees"]
            if attendee.get("seatUid") == seat
        )
        email = next((str(holder["email"]) for holder in holders), "")
        _must_have_room(call, target, email, event_type.seats if event_type else 0)
    return target


def _at(call: Call, event_type: Any, start: str, *, but: str = "") -> str | None:
    uids = call.world.find(
        lambda row: (
            row["eventTypeId"] == event_type
            and row["start"] == start
            and row["status"] == "accepted"
            and row["uid"] != but
        )
    )
    return uids[0] if uids else None


def _must_have_room(call: Call, uid: str, email: str, seats: int) -> None:
    """Check that this person has no seat there already, and that a seat is left [rec 049, 051]. Raises Refusal."""
    row = call.world.rows[uid]
    if email in emails(row):
        raise Bare(409, "already_signed_up_for_this_booking_error")
    if len(row["attendees"]) >= seats:
        raise Refusal(409, "No more seats left at this seated booking.")


def _book_again(call: Call, holder: Payload, start: datetime) -> str:
    event_type, row = call.event_type(), call.row
    hosts = [call.world.users[number] for number in sorted(row.users)]
    moment = call.world.clock.now()
    payload = call.world.new_payload(event_type, hosts, [], start, created=moment)
    payload |= {"title": row["title"], "hosts": row["hosts"]}
    attendee = {key: value for key, value in holder.items() if key != "seatUid"}
    payload["attendees"] = [call.world.seat(attendee)]
    return call.world.insert(payload, row.users, row.team_id)
