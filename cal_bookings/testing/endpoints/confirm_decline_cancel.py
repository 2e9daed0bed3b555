"""The confirmation, the refusal and the cancellation of a booking, and the request for another time."""

from __future__ import annotations

from typing import Any

from cal_bookings.testing.endpoints import bodies
from cal_bookings.testing.endpoints.calls import (
    Call,
    Change,
    is_seated,
    now,
    trpc,
)
from cal_bookings.testing.endpoints.validation import (
    refuse,
    refuse_strictly,
)
from cal_bookings.testing.responses import (
    Answer,
    Bare,
    Refusal,
    as_json,
    success,
)
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.state import Row


def confirm(call: Call) -> Change:
    """Confirm a booking. Only an accepted one is refused: a cancelled one is revived, except occurrences [rec 161]."""
    _may_decide(call)
    series = call.row["recurringBookingUid"]

    def carry_out() -> Answer:
        if series:
            _confirm_series(call, series)
        else:
            was = call.row["status"]
            call.world.confirm(call.uid)
            if was != "accepted":  # the second of two at once changes nothing
                call.effect("confirm", call.uid, was=was)
        return call.shown()

    return carry_out


def _confirm_series(call: Call, series: str) -> None:
    """Confirm all waiting occurrences; subscribers are notified only of the occurrence in the request."""
    pending = _pending(call, series)
    for uid in pending:
        call.world.change(uid, status="accepted")
        call.effect("confirm", uid)
    if pending:
        call.world.announce("BOOKING_CREATED", call.uid, confirmed=True)


def decline(call: Call) -> Change:
    """Decline a booking. A second request is not refused: it mails again, and subscribers are notified again."""
    refuse(bodies.REASON, call.body)
    _may_decide(call)
    series = call.row["recurringBookingUid"]

    def carry_out() -> Answer:
        reason = call.text("reason")
        for uid in _pending(call, series) if series else [call.uid]:
            call.world.change(uid, status="rejected")
            call.effect("decline", uid, reason=reason)
        call.world.announce("BOOKING_REJECTED", call.uid, reason=reason)
        return call.shown()

    return carry_out


def _may_decide(call: Call) -> None:
    if not call.is_host:
        raise trpc("User is not authorized to confirm this booking", 401)
    if call.row["status"] == "accepted":
        raise trpc("Booking already confirmed")


def _pending(call: Call, series: str) -> list[str]:
    return call.world.find(
        lambda row: (
            row.get("recurringBookingUid") == series and row["status"] == "pending"
        )
    )


def cancel(call: Call) -> Change:
    refuse_strictly(bodies.CANCEL, call.body)
    if call.uid not in call.world.rows:
        return _cancel_series(call)
    if call.row["status"] == "cancelled":
        raise _cancelled_already(call.uid)
    seat = call.text("seatUid")
    if seat:
        return _cancel_seat(call, seat)
    _may_cancel(call, call.row)
    if call.flag("cancelSubsequentBookings"):
        return _cancel_subsequent(call)

    tell = call.announce_cancelled(call.uid)

    def carry_out() -> Answer:
        _cancel_one(call, call.uid, now(call.world))
        tell()
        return call.shown()

    return carry_out


def _may_cancel(call: Call, row: Row, *, knows_seat: bool = False) -> None:
    if str(row["end"]) <= now(call.world):
        raise Bare(400, "Cannot cancel a booking that has already ended")
    is_host = call.user is not None and call.user.id in row.users
    if is_host and not call.text("cancellationReason").strip():
        raise Bare(400, "Cancellation reason is required")
    if not is_host and is_seated(row) and not knows_seat:
        raise Bare(401, "User not a host of this event")


def _cancel_one(call: Call, uid: str, moment: str) -> None:
    """Cancel one booking. Of two requests at once, both succeed, and the reason of the first stays [rec 435, 436]."""
    row = call.world.rows[uid]
    if row["status"] == "cancelled":
        return
    reason = call.text("cancellationReason")
    fields: dict[str, Any] = {"status": "cancelled", "cancellationReason": reason}
    if is_seated(row):
        fields["attendees"] = []
    call.world.change(uid, **fields, updatedAt=moment)
    call.effect("cancel", uid, reason=reason)


def _cancel_subsequent(call: Call) -> Change:
    series, start = call.row["recurringBookingUid"], call.row["start"]
    if not series:
        # The booking is cancelled, and then the request is refused.
        tell = call.announce_cancelled(call.uid)
        _cancel_one(call, call.uid, now(call.world))
        tell()
        raise _cancelled_already(call.uid)
    return _cancel_from(call, series, start, handle=call.uid)


def _cancel_series(call: Call) -> Change:
    """Cancel a series. Cal.com takes the first occurrence for the whole: if it is cancelled or over, the rest stays."""
    series, moment = call.uid, now(call.world)
    uids = call.world.find(lambda row: row.get("recurringBookingUid") == series)
    if not uids:
        raise Refusal(404, f"Booking with uid={series} not found")
    if call.flag("cancelSubsequentBookings"):
        message = (
            "cancelSubsequentBookings can only be used with the uid of one occurrence."
        )
        raise Refusal(400, message)
    first = min(
        (call.world.rows[uid] for uid in uids), key=lambda row: str(row["start"])
    )
    if first["status"] == "cancelled":
        raise _cancelled_already(series)
    _may_cancel(call, first)
    return _cancel_from(call, series, moment, handle=first["uid"])


def _cancel_from(call: Call, series: str, start: str, *, handle: str) -> Change:
    """Cancel the occurrences from one on. Subscribers are notified of the occurrence `handle` alone [wh 077, 079]."""
    tell = call.announce_cancelled(handle)

    def carry_out() -> Answer:
        moment = now(call.world)
        uids = call.world.find(lambda row: row.get("recurringBookingUid") == series)
        for uid in uids:
            if str(call.world.rows[uid]["start"]) >= start:
                _cancel_one(call, uid, moment)
        tell()
        return success([call.world.payload(uid) for uid in uids])

    return carry_out


def _cancel_seat(call: Call, seat: str) -> Change:
    """Give up a seat, for everybody who knows its uid."""
    seats = [attendee.get("seatUid") for attendee in call.row["attendees"]]
    if seat not in seats:
        raise _no_such_seat(call, seat)
    if len(seats) == 1:
        _may_cancel(call, call.row, knows_seat=True)
    tell = call.announce_cancelled(call.uid, seat=call.world.holder(call.uid, seat))

    def carry_out() -> Answer:
        if all(attendee.get("seatUid") != seat for attendee in call.row["attendees"]):
            raise _no_such_seat(call, seat)
        if len(call.row["attendees"]) == 1:
            _cancel_one(call, call.uid, now(call.world))
        else:
            call.world.remove_seat(call.uid, seat)
        tell()
        reason = call.text("cancellationReason")
        call.effect("cancel_seat", call.uid, seat=seat, reason=reason)
        return call.shown()

    return carry_out


def _no_such_seat(call: Call, seat: str) -> Refusal:
    """Return the refusal, whose words depend on whether another booking has this seat [rec 248, 272]."""
    message = "this seat does not exist or has already been cancelled."
    if call.world.has_seat(seat):
        message = "this seat does not belong to this booking."
    return Refusal(400, f"Invalid seatUid: {message}")


def request_reschedule(call: Call) -> Change:
    """Request another time. The answer shows no booking."""
    refuse(bodies.REQUEST_RESCHEDULE, call.body)
    if not call.is_host:
        raise Refusal(403, "You do not have permission to reschedule this booking")
    if call.row["status"] in ("cancelled", "rejected"):
        raise Refusal(400, f"Booking with uid={call.uid} is not active")

    reason = call.text("rescheduleReason")
    about = {"reason": reason, "requests_reschedule": True}
    tell = call.announce_cancelled(call.uid, **about)

    def carry_out() -> Answer:
        call.world.change(call.uid, status="cancelled", cancellationReason=reason)
        tell()
        call.effect("request_reschedule", call.uid, reason=reason)
        return as_json({"status": "success"})

    return carry_out


def legacy_cancel(call: Call) -> Change:
    """Cancel without a version that the server knows: an older handler does so all the same [rec 236]."""
    tell = call.announce_cancelled(call.row["uid"])

    def carry_out() -> Answer:
        moment = wire(call.world.clock.now())
        _cancel_one(call, call.uid, moment)
        tell()
        message = {
            "bookingId": call.row["id"],
            "bookingUid": call.uid,
            "onlyRemovedAttendee": False,
        }
        return as_json({"status": "success", "data": message}, 201)

    return carry_out


def _cancelled_already(uid: str) -> Refusal:
    message = (
        f"Can't cancel booking with uid={uid} because it has been cancelled already. "
    )
    return Refusal(
        400, message + "Please provide uid of a booking that is not cancelled."
    )
