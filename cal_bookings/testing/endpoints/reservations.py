"""The reservations of slots. A booking neither needs nor consumes a reservation [rec 449]."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cal_bookings.testing.endpoints import validation
from cal_bookings.testing.endpoints.calls import Call, Change
from cal_bookings.testing.endpoints.validation import (
    Field,
    read_instant,
    refuse,
)
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    as_json,
    success,
)
from cal_bookings.testing.world.catalog import EventType
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.held_slots import Reservation

VERSION = "2024-09-04"
_MINUTES = 5
_BODY = {
    "eventTypeId": Field(validation.integer, required=True),
    "slotStart": Field(validation.instant, required=True),
    "slotDuration": Field(validation.positive),
    "reservationDuration": Field(validation.positive),
}
_RESERVED = "This time slot is already reserved by another user. Please choose a different time."
_BOOKED = "Can't reserve a slot if the event is already booked."
_NO_CREDENTIAL = (
    "reservationDuration can only be used for authenticated requests - use access token, api key or OAuth "
    "credentials"
)
_STRANGER = "reservationDuration can only be used by the owner of the event type or a member of its team"


def reserve(call: Call) -> Change:
    """Hold a slot. The hours of the host do not matter, nor does it matter whether the slot is past [rec 029, 455]."""
    wanted = _wanted(call, call.world.reservations.new_uid())

    def carry_out() -> Answer:
        # Of two requests at once, the second one finds the slot reserved.
        _must_be_unreserved(call, wanted)
        call.world.reservations.keep(wanted)
        call.effect("reserve", wanted.uid)
        return _shown(call, wanted, 201)

    return carry_out


def show(call: Call) -> Change:
    """Return the reservation; one that does not exist any more is null, and no 404 [rec 035, 451]."""
    held = call.world.reservations.get(call.uid)
    return lambda: success(held.as_json() if held else None)


def move(call: Call) -> Change:
    """Hold another slot instead. The reservation's own time counts as reserved, so this does not renew it."""
    if call.world.reservations.get(call.uid) is None:
        raise Refusal(404, f"Slot with uid={call.uid} not found")
    wanted = _wanted(call, call.uid)

    def carry_out() -> Answer:
        _must_be_unreserved(call, wanted)
        call.world.reservations.keep(wanted)
        call.effect("move_reservation", wanted.uid)
        return _shown(call, wanted, 200)

    return carry_out


def release(call: Call) -> Change:
    """Release the reservation. For one that does not exist, the answer is success too [rec 036]."""

    def carry_out() -> Answer:
        if call.world.reservations.release(call.uid):
            call.effect("release", call.uid)
        return as_json({"status": "success"})

    return carry_out


def _wanted(call: Call, uid: str) -> Reservation:
    """Return the reservation that a body asks for. Raises Refusal."""
    refuse(_BODY, call.body)
    event_type = call.world.event_types.get(int(call.body["eventTypeId"]))
    if event_type is None:
        number = call.body["eventTypeId"]
        raise Refusal(404, f"Event Type with ID={number} not found")
    start = read_instant(call.body["slotStart"])
    if start is None or " " in call.body["slotStart"]:
        raise Refusal(400, "Invalid start date")  # [rec 453]
    length = timedelta(minutes=_length(call, event_type))
    _may_choose_minutes(call, event_type)
    until = call.world.clock.now() + timedelta(minutes=_minutes(call))
    wanted = Reservation(uid, event_type, start, start + length, until)
    _must_be_unbooked(call, wanted)
    _must_be_unreserved(call, wanted)
    return wanted


def _length(call: Call, event_type: EventType) -> int:
    lengths = event_type.lengths or (event_type.minutes,)
    length = int(call.body.get("slotDuration") or event_type.minutes)
    if length not in lengths:
        possible = ", ".join(map(str, lengths))
        raise Refusal(
            400,
            f"Provided slotDuration is not one of the possible lengths for the event type. The possible lengths are: {possible}",
        )
    return length


def _minutes(call: Call) -> int:
    return int(call.body.get("reservationDuration") or _MINUTES)


def _may_choose_minutes(call: Call, event_type: EventType) -> None:
    """Refuse the choice of minutes by all but the owner of the event type and its team [rec 027]. Raises Refusal."""
    if "reservationDuration" not in call.body:
        return
    if call.user is None:
        raise Refusal(401, _NO_CREDENTIAL)
    if event_type.team_id is None and call.user.id != event_type.owner_id:
        raise Refusal(403, _STRANGER)


def _must_be_unbooked(call: Call, wanted: Reservation) -> None:
    """Refuse a slot that is booked [rec 450], or has no seat left. Raises Refusal."""
    start, event_type = wire(wanted.start), wanted.event_type
    for row in call.world.rows.values():
        of_it = row["eventTypeId"] == event_type.id and row["start"] == start
        if of_it and row["status"] in ("accepted", "pending"):
            if event_type.kind != "seated":
                raise Refusal(422, _BOOKED)
            if len(row["attendees"]) + _held(call, wanted) >= event_type.seats:
                raise Refusal(422, "Booking with this start is fully booked.")


def _must_be_unreserved(call: Call, wanted: Reservation) -> None:
    """Refuse a slot that is reserved, also by this reservation. For a seated one, each holds a seat. Raises Refusal."""
    held = _held(call, wanted)
    if held >= (wanted.event_type.seats if wanted.event_type.kind == "seated" else 1):
        raise Refusal(422, _RESERVED)


def _held(call: Call, wanted: Reservation) -> int:
    """Return the number of overlapping reservations of the same event type."""
    return sum(
        other.event_type.id == wanted.event_type.id
        and other.overlaps(wanted.start, wanted.end)
        for other in call.world.reservations
    )


def _shown(call: Call, reservation: Reservation, status: int) -> Answer:
    data: dict[str, Any] = reservation.as_json()
    data["reservationDuration"] = _minutes(call)
    return as_json({"status": "success", "data": data}, status)
