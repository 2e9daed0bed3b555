"""The move of a booking to another time."""

from __future__ import annotations

from datetime import datetime, timedelta

from cal_bookings.testing.endpoints import (
    bodies,
    seats,
)
from cal_bookings.testing.endpoints.booking_requests import must_be_unique
from cal_bookings.testing.endpoints.calls import (
    EXTRAS,
    Call,
    Change,
    bad_request,
    busy,
    created,
    is_seated,
    overlapping,
)
from cal_bookings.testing.endpoints.validation import (
    is_email,
    refuse_strictly,
)
from cal_bookings.testing.responses import (
    Answer,
    Bare,
    Refusal,
)
from cal_bookings.testing.world.clock import wire


def reschedule(call: Call) -> Change:
    """Reschedule a booking. Two requests at once both pass the checks, and both succeed [rec 483-485]."""
    hosted = bodies.HOSTED_RESCHEDULE if call.hosted else {}
    refuse_strictly(bodies.RESCHEDULE | hosted, call.body)
    _may_be_moved(call)
    seat = call.text("seatUid")
    if is_seated(call.row):
        if seat:
            seats.must_exist(call, seat)
        else:
            seats.must_move_as_a_whole(call)
    by = call.text("rescheduledBy")
    if by and not is_email(by):
        raise bad_request("rescheduledBy", " - Invalid email")
    start = call.start()
    if is_seated(call.row):
        return seats.move(call, seat, start) if seat else seats.move_all(call, start)
    end = wire(start + timedelta(minutes=call.row["duration"]))
    if not (call.is_host and call.flag("allowConflicts")) and overlapping(
        call.world, call.row["hosts"], wire(start), end, but=call.uid
    ):
        raise busy(call)
    return _move(call, start, end, by)


def _may_be_moved(call: Call) -> None:
    uid, status = call.uid, call.row["status"]
    message = f"Can't reschedule booking with uid={uid} because it has been cancelled"
    if status == "cancelled":
        for new in call.world.find(lambda row: row.get("rescheduledFromUid") == uid):
            raise Refusal(
                400,
                f"{message} and rescheduled already to booking with uid={new}. You probably want to reschedule {new} "
                "instead by passing it within the request URL.",
            )
    if status == "cancelled" or (status == "rejected" and call.hosted):
        raise Refusal(
            400, f"{message}. Please provide uid of a booking that is not cancelled."
        )
    if status == "rejected":
        raise Bare(404, "Could not find original booking")


def _move(call: Call, start: datetime, end: str, by: str) -> Change:
    event_type = call.event_type()
    hosts = [host["email"] for host in call.row["hosts"]]
    asks = event_type is not None and event_type.kind == "confirm"
    pending = asks and not (call.is_host and by in ("", *hosts)) and by not in hosts

    def carry_out() -> Answer:
        if not pending:
            must_be_unique(call, call.row["hosts"], wire(start), end)
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

    return carry_out
