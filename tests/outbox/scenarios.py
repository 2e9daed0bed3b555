"""Every kind of action on a booking that suits it, with the way to see its effect on the fake Cal.com."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cal_bookings import outbox
from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.creation import MARK
from cal_bookings.testing import FakeCal


@dataclass(frozen=True)
class Scenario:
    """How to want it, what the journal calls it, how somebody else makes it pointless, and how the state shows it."""

    name: str
    prepare: Callable[[Any], Any]
    want: Callable[[Any, Any], BookingAction]
    effect: str
    is_there: Callable[[FakeCal, Any, BookingAction], Any]
    disturb: Callable[[FakeCal, str], object] | None = None
    #: Whether Cal.com refuses the second of two, so that it may be sent again.
    again: bool = False
    #: Requests besides the one that acts, when all goes well.
    reads: int = 1
    dialects: tuple[str, ...] = ("cursor", "offset")
    #: The code of its failure if no answer came and it is not to be seen.
    unseen: str = "not_applied"


def status_is(status: str) -> Callable[..., bool]:
    def is_there(cal: FakeCal, booking: Booking, action: BookingAction) -> bool:
        return bool(cal.payload(booking.uid)["status"] == status)

    return is_there


def moved(cal: FakeCal, booking: Booking, action: BookingAction) -> bool:
    start = datetime.fromisoformat(action.parameters["start"])
    new = cal.find(lambda one: one.get("rescheduledFromUid") == booking.uid)
    return [datetime.fromisoformat(cal.payload(uid)["start"]) for uid in new] == [start]


def seat_moved(cal: FakeCal, booking: Booking, action: BookingAction) -> bool:
    start = datetime.fromisoformat(action.parameters["start"])
    emails = [
        one["email"]
        for payload in cal.payloads()
        if datetime.fromisoformat(payload["start"]) == start
        for one in payload["attendees"]
    ]
    return action.parameters["seat_email"] in emails


def seat_gone(cal: FakeCal, booking: Booking, action: BookingAction) -> bool:
    seats = [one.get("seatUid") for one in cal.payload(booking.uid)["attendees"]]
    return action.parameters["seat_uid"] not in seats


def rest_cancelled(cal: FakeCal, booking: Booking, action: BookingAction) -> bool:
    rest = [
        one["status"]
        for one in cal.payloads()
        if one.get("recurringBookingUid") == booking.recurring_booking_uid
        and datetime.fromisoformat(one["start"]) >= booking.start
    ]
    return set(rest) == {"cancelled"}


def attends(email: str) -> Callable[..., bool]:
    def is_there(cal: FakeCal, booking: Booking, action: BookingAction) -> bool:
        people = cal.payload(booking.uid)["attendees"]
        return email in [one["email"] for one in people]

    return is_there


def made(cal: FakeCal, booking: Any, action: BookingAction) -> bool:
    mark = action.parameters["mark"]
    return any((one.get("metadata") or {}).get(MARK) == mark for one in cal.payloads())


def new_booking(desk: Any, booking: Any) -> BookingAction:
    event_type = desk.cal.event_type(desk.cal.users[1], "normal")
    return outbox.create(
        desk.account,
        event_type_id=event_type.id,
        start=desk.cal._some_start(),
        attendee={"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"},
    )


def seat_of(booking: Booking) -> str:
    return str(booking.payload["attendees"][0]["seatUid"])


def three_seats(desk: Any) -> Booking:
    booking: Booking = desk.book("seated", attendees=desk.people(3))
    return booking


SCENARIOS = [
    Scenario(
        "reschedule",
        lambda desk: desk.book(),
        lambda desk, it: outbox.reschedule(it, start=desk.later(it), reason="Later"),
        "reschedule",
        moved,
        lambda cal, uid: cal.cancel(uid, "Not any more"),
        again=True,
        reads=2,
    ),
    Scenario(
        "reschedule an occurrence",
        lambda desk: desk.series()[1],
        lambda desk, it: outbox.reschedule(it, start=desk.later(it)),
        "reschedule",
        moved,
        lambda cal, uid: cal.cancel(uid, "Not any more"),
        again=True,
        reads=2,
    ),
    Scenario(
        "reschedule all seats",
        three_seats,
        lambda desk, it: outbox.reschedule(it, start=desk.later(it)),
        "reschedule",
        lambda cal, it, action: (
            datetime.fromisoformat(cal.payload(it.uid)["start"])
            == datetime.fromisoformat(action.parameters["start"])
        ),
        lambda cal, uid: cal.cancel(uid, "Not any more"),
    ),
    Scenario(
        "reschedule a seat",
        three_seats,
        lambda desk, it: outbox.reschedule(
            it, start=desk.later(it), seat_uid=seat_of(it)
        ),
        "reschedule_seat",
        seat_moved,
        lambda cal, uid: cal.cancel_seat(
            uid, cal.payload(uid)["attendees"][0]["seatUid"]
        ),
        reads=2,
        unseen="uncertain",
    ),
    Scenario(
        "request a reschedule",
        lambda desk: desk.book(),
        lambda desk, it: outbox.request_reschedule(it, reason="Another time?"),
        "request_reschedule",
        status_is("cancelled"),
        lambda cal, uid: cal.reschedule(uid),
        reads=2,
        dialects=("cursor",),
    ),
    Scenario(
        "cancel",
        lambda desk: desk.book(),
        lambda desk, it: outbox.cancel(it, reason="Fell ill"),
        "cancel",
        status_is("cancelled"),
        lambda cal, uid: cal.reschedule(uid),
        again=True,
    ),
    Scenario(
        "cancel an occurrence",
        lambda desk: desk.series()[1],
        lambda desk, it: outbox.cancel(it, reason="Fell ill"),
        "cancel",
        status_is("cancelled"),
        lambda cal, uid: cal.reschedule(uid),
        again=True,
    ),
    Scenario(
        "cancel the rest of a series",
        lambda desk: desk.series()[1],
        lambda desk, it: outbox.cancel(it, reason="No more", subsequent=True),
        "cancel",
        rest_cancelled,
        lambda cal, uid: cal.reschedule(uid),
        again=True,
    ),
    Scenario(
        "cancel a seat",
        three_seats,
        lambda desk, it: outbox.cancel(it, reason="Ill", seat_uid=seat_of(it)),
        "cancel_seat",
        seat_gone,
        lambda cal, uid: cal.decline(uid),
        again=True,
    ),
    Scenario(
        "confirm",
        lambda desk: desk.book("confirm"),
        lambda desk, it: outbox.confirm(it),
        "confirm",
        status_is("accepted"),
        lambda cal, uid: cal.cancel(uid, "Not any more"),
        again=True,
    ),
    Scenario(
        "confirm a series",
        lambda desk: desk.series(status="pending")[0],
        lambda desk, it: outbox.confirm(it),
        "confirm",
        status_is("accepted"),
        lambda cal, uid: cal.cancel(uid, "Not any more"),
        again=True,
        reads=3,
    ),
    Scenario(
        "decline",
        lambda desk: desk.book("confirm"),
        lambda desk, it: outbox.decline(it, reason="No room"),
        "decline",
        status_is("rejected"),
        lambda cal, uid: cal.cancel(uid, "Not any more"),
    ),
    Scenario(
        "reassign to a host",
        lambda desk: desk.book("round-robin"),
        lambda desk, it: outbox.reassign(it, host=desk.host(2), reason="Away"),
        "reassign",
        lambda cal, it, action: cal.payload(it.uid)["hosts"][0]["id"] == 2,
        lambda cal, uid: cal.reassign(uid, 3),
        reads=2,
    ),
    Scenario(
        "reassign to anybody",
        lambda desk: desk.book("round-robin"),
        lambda desk, it: outbox.reassign(it),
        "reassign",
        lambda cal, it, action: cal.payload(it.uid)["hosts"][0]["id"] != 1,
        lambda cal, uid: cal.cancel(uid, "Not any more"),
        reads=2,
    ),
    Scenario(
        "mark the host absent",
        lambda desk: desk.past(),
        lambda desk, it: outbox.mark_absent(it, host=True),
        "mark_absent",
        lambda cal, it, action: cal.payload(it.uid)["absentHost"],
        lambda cal, uid: cal.reassign(uid, 2),
    ),
    Scenario(
        "mark an attendee absent",
        lambda desk: desk.past(attendees=desk.people(2)),
        lambda desk, it: outbox.mark_absent(it, attendees=["p1@example.net"]),
        "mark_absent",
        lambda cal, it, action: cal.payload(it.uid)["attendees"][1]["absent"],
        lambda cal, uid: cal.cancel(uid),
        unseen="uncertain",
    ),
    Scenario(
        "update the location",
        lambda desk: desk.book(),
        lambda desk, it: outbox.update_location(
            it, location={"type": "address", "address": "1 Main St"}
        ),
        "update_location",
        lambda cal, it, action: cal.payload(it.uid)["location"] == "1 Main St",
        lambda cal, uid: cal.set_location(uid, "2 Main St"),
    ),
    Scenario(
        "add an attendee",
        lambda desk: desk.book(),
        lambda desk, it: outbox.add_attendee(
            it, name="Zoë", email="zoe@example.net", time_zone="UTC"
        ),
        "add_attendee",
        attends("zoe@example.net"),
        lambda cal, uid: cal.cancel(uid),
        again=True,
        reads=2,
    ),
    Scenario(
        "remove an attendee",
        lambda desk: desk.book(attendees=desk.people(3)),
        lambda desk, it: outbox.remove_attendee(it, email="p2@example.net"),
        "remove_attendee",
        lambda cal, it, action: not attends("p2@example.net")(cal, it, action),
        lambda cal, uid: cal.cancel(uid),
        again=True,
        reads=3,
        dialects=("offset",),
    ),
    Scenario(
        "add guests",
        lambda desk: desk.book(),
        lambda desk, it: outbox.add_guests(it, guests=["zoe@example.net"]),
        "add_guests",
        attends("zoe@example.net"),
        lambda cal, uid: cal.cancel(uid),
        again=True,
    ),
    Scenario("create", lambda desk: None, new_booking, "create", made),
]
