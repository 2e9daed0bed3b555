"""Yes, no, and no longer: confirm, decline, cancel, ask for another time."""

from __future__ import annotations

from typing import Any

from .answers import Answer, Refusal, as_json, success
from .calls import Act, Bare, Call, now, trpc
from .clock import wire


def confirm(call: Call) -> Act:
    """Refused for accepted bookings alone: a cancelled one is revived, unless it is an occurrence [rec 161]."""
    _may_decide(call)
    series = call.row["recurringBookingUid"]

    def act() -> Answer:
        if series:
            for uid in _pending(call, series):
                call.world.confirm(uid)
                call.effect("confirm", uid)
        else:
            was = call.row["status"]
            call.world.confirm(call.uid)
            if was != "accepted":  # of two at once, the second changes nothing
                call.effect("confirm", call.uid, was=was)
        return call.shown()

    return act


def decline(call: Call) -> Act:
    """A second one is not refused: it mails again."""
    _may_decide(call)
    series = call.row["recurringBookingUid"]

    def act() -> Answer:
        for uid in _pending(call, series) if series else [call.uid]:
            call.world.decline(uid)
            call.effect("decline", uid, reason=call.text("reason"))
        return call.shown()

    return act


def _may_decide(call: Call) -> None:
    if not call.is_host:
        raise trpc("User is not authorized to confirm this booking", 401)
    if call.row["status"] == "accepted":
        raise trpc("Booking already confirmed")


def _pending(call: Call, series: str) -> list[str]:
    return call.world.find(
        lambda one: (
            one.get("recurringBookingUid") == series and one["status"] == "pending"
        )
    )


def cancel(call: Call) -> Act:
    call.known_fields("cancellationReason", "cancelSubsequentBookings", "seatUid")
    if call.uid not in call.world.rows:
        return _cancel_series(call)
    if call.row["status"] == "cancelled":
        raise _cancelled_already(call.uid)
    seat = call.text("seatUid")
    if seat:
        return _cancel_seat(call, seat)
    _may_cancel(call)
    if call.body.get("cancelSubsequentBookings"):
        return _cancel_subsequent(call)

    def act() -> Answer:
        _cancel_one(call, call.uid, now(call.world))
        return call.shown()

    return act


def _may_cancel(call: Call) -> None:
    if call.row["end"] <= now(call.world):
        raise Bare(400, "Cannot cancel a booking that has already ended")
    if call.is_host and not call.text("cancellationReason").strip():
        raise Bare(400, "Cancellation reason is required")
    if not call.is_host and _is_seated(call.row.payload):
        raise Bare(401, "User not a host of this event")


def _cancel_one(call: Call, uid: str, moment: str) -> None:
    """Of two at once, both are answered 200, and the reason of the first stays [rec 435, 436]."""
    row = call.world.rows[uid]
    if row["status"] == "cancelled":
        return
    reason = call.text("cancellationReason")
    fields: dict[str, Any] = {"status": "cancelled", "cancellationReason": reason}
    if _is_seated(row.payload):
        fields["attendees"] = []
    call.world.change(uid, **fields, updatedAt=moment)
    call.effect("cancel", uid, reason=reason)


def _cancel_subsequent(call: Call) -> Act:
    series, start = call.row["recurringBookingUid"], call.row["start"]
    if not series:
        # It is cancelled, and then refused.
        _cancel_one(call, call.uid, now(call.world))
        raise _cancelled_already(call.uid)
    return _cancel_from(call, series, start)


def _cancel_series(call: Call) -> Act:
    series, moment = call.uid, now(call.world)
    found = call.world.find(lambda one: one.get("recurringBookingUid") == series)
    if not found:
        raise Refusal(404, f"Booking with uid={series} not found")
    if all(call.world.rows[uid]["status"] == "cancelled" for uid in found):
        raise _cancelled_already(series)
    return _cancel_from(call, series, moment)


def _cancel_from(call: Call, series: str, start: str) -> Act:
    def act() -> Answer:
        moment = now(call.world)
        found = call.world.find(lambda one: one.get("recurringBookingUid") == series)
        for uid in found:
            if call.world.rows[uid]["start"] >= start:
                _cancel_one(call, uid, moment)
        return success([call.world.payload(uid) for uid in found])

    return act


def _cancel_seat(call: Call, seat: str) -> Act:
    seats = [one.get("seatUid") for one in call.row["attendees"]]
    if seat not in seats:
        told = (
            "Invalid seatUid: this seat does not exist or has already been cancelled."
        )
        raise Refusal(400, told)
    if len(seats) == 1:
        _may_cancel(call)

    def act() -> Answer:
        if len(call.row["attendees"]) == 1:
            _cancel_one(call, call.uid, now(call.world))
        else:
            call.world.cancel_seat(call.uid, seat)
        reason = call.text("cancellationReason")
        call.effect("cancel_seat", call.uid, seat=seat, reason=reason)
        return call.shown()

    return act


def request_reschedule(call: Call) -> Act:
    """Answers no booking."""
    if not call.is_host:
        raise Refusal(403, "You do not have permission to reschedule this booking")
    if call.row["status"] in ("cancelled", "rejected"):
        raise Refusal(400, f"Booking with uid={call.uid} is not active")

    def act() -> Answer:
        reason = call.text("rescheduleReason")
        call.world.change(call.uid, status="cancelled", cancellationReason=reason)
        call.effect("request_reschedule", call.uid, reason=reason)
        return success(None)

    return act


def legacy_cancel(call: Call) -> Act:
    """Without a version that the server knows, an older handler cancels all the same [rec 236]."""

    def act() -> Answer:
        moment = wire(call.world.clock.now())
        _cancel_one(call, call.uid, moment)
        told = {
            "bookingId": call.row["id"],
            "bookingUid": call.uid,
            "onlyRemovedAttendee": False,
        }
        return as_json({"status": "success", "data": told}, 201)

    return act


def _cancelled_already(uid: str) -> Refusal:
    told = (
        f"Can't cancel booking with uid={uid} because it has been cancelled already. "
    )
    return Refusal(400, told + "Please provide uid of a booking that is not cancelled.")


def _is_seated(payload: dict[str, Any]) -> bool:
    return "bookingFieldsResponses" not in payload
