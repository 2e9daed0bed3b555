"""What became of an action on the fake Cal.com, by its journal and by what it shows; the outbox is not asked."""

from collections.abc import Callable

from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.create import MARK
from cal_bookings.testing import FakeCal
from cal_bookings.testing.calls import Effect
from tests.outbox.scenarios import attends, moved, rest_cancelled, seat_gone, status_is

#: What the effect of each kind shows of its wish; the others show their reason.
IN_THE_JOURNAL = {
    "create": lambda it: {"metadata": {MARK: it["mark"]}},
    "confirm": lambda it: {},
    "mark_absent": lambda it: {"email": next(iter(it["attendees"]))},
    "update_location": lambda it: {"location": it["location"]["link"]},
    "add_attendee": lambda it: {"email": it["attendee"]["email"]},
    "remove_attendee": lambda it: {"email": it["email"]},
    "add_guests": lambda it: {"email": it["guests"][0]["email"]},
}
#: The same may be wanted again later, and looks the same.
NOT_TOLD_APART = ("confirm", "mark_absent", "remove_attendee")
#: Of two, Cal.com refuses the second.
REFUSED_TWICE = ("cancel", "confirm", "add_attendee", "remove_attendee", "add_guests")


def effect_of(action: BookingAction) -> Callable[[Effect], bool]:
    """Whether an effect in the journal is this action's: a wish of the machine can be told from all others."""
    wanted = action.parameters
    uid = action.booking.uid if action.booking else ""
    seat = wanted.get("seat_uid")
    if seat:
        there = {"seat": seat, "reason": wanted["reason"]}
        return lambda one: (
            one.kind == f"{action.kind}_seat" and there.items() <= one.details.items()
        )
    details = IN_THE_JOURNAL.get(action.kind, lambda it: {"reason": it["reason"]})
    told = details(wanted)
    return lambda one: (
        one.kind == action.kind
        and told.items() <= one.details.items()
        and (action.kind not in NOT_TOLD_APART or one.uid == uid)
    )


def is_so(cal: FakeCal, action: BookingAction) -> bool:
    """Whether Cal.com shows what was wanted, whoever did it; of the kinds that are known by what they show alone."""
    there = IS_SO.get(action.kind)
    return there is not None and there(cal, action.booking, action)


def is_cancelled(cal: FakeCal, booking: Booking, action: BookingAction) -> bool:
    """Not because it was rescheduled: then the meeting lives on."""
    if cal.find(lambda one: one.get("rescheduledFromUid") == booking.uid):
        return False
    if action.parameters["seat_uid"]:
        return seat_gone(cal, booking, action)
    if action.parameters["subsequent"]:
        return rest_cancelled(cal, booking, action)
    return status_is("cancelled")(cal, booking, action)


IS_SO = {
    "cancel": is_cancelled,
    "confirm": status_is("accepted"),
    "decline": status_is("rejected"),
    "reschedule": moved,
    "reassign": lambda cal, it, action: (
        cal.payload(it.uid)["hosts"][0]["id"] == action.parameters["host_id"]
    ),
    "update_location": lambda cal, it, action: (
        cal.payload(it.uid)["location"] == action.parameters["location"]["link"]
    ),
    "add_attendee": lambda cal, it, action: attends(
        action.parameters["attendee"]["email"]
    )(cal, it, action),
    "add_guests": lambda cal, it, action: attends(
        action.parameters["guests"][0]["email"]
    )(cal, it, action),
}


def bookings_of(cal: FakeCal, action: BookingAction, effects: list[Effect]) -> set[str]:
    """Its booking, the series of that, and whatever its effects were on."""
    series = cal.find(
        lambda one: action.lane in (one["uid"], one.get("recurringBookingUid"))
    )
    return {*series, *(one.uid for one in effects)}


def is_over(cal: FakeCal, action: BookingAction) -> bool:
    """Whether somebody cancelled or rejected the booking since it was wanted, and Cal.com shows it."""
    if action.booking is None:
        return False
    now = cal.payload(action.booking.uid)["status"]
    return action.seen["active"] and now in ("cancelled", "rejected")


def is_refused_twice(action: BookingAction) -> bool:
    """Whether Cal.com itself refuses the second of two: nothing else may ever be sent again."""
    if action.kind == "reschedule":
        # A seated booking stays the same one, and can be moved again.
        return not any(one["seat_uid"] for one in action.seen["attendees"])
    return action.kind in REFUSED_TWICE
