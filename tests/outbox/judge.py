"""What became of an action on the fake Cal.com, by its journal and by what it shows; the outbox is not asked."""

from collections.abc import Callable

from cal_bookings.models import Booking, BookingAction
from cal_bookings.outbox.kinds.creation import MARK
from cal_bookings.testing import FakeCal, Person
from cal_bookings.testing.endpoints.calls import Effect
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
#: The codes of failures that leave open whether it took effect, or say that part of it did. All others say that it did not.
MAY_HAVE_TAKEN_EFFECT = ("uncertain", "unverified", "partly")
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


def undo(cal: FakeCal, action: BookingAction, *, moves: bool) -> list[str]:
    """Somebody on Cal.com undoes what an action did, or moves it away; returns the uids of the bookings that changed."""
    there = [one for one in cal.effects if effect_of(action)(one)]
    return undo_effect(cal, there[-1], action, moves=moves) if there else []


def undo_effect(
    cal: FakeCal, effect: Effect, action: BookingAction, *, moves: bool
) -> list[str]:
    """Undo one effect of an action, or move away what it made."""
    uid = effect.details.get("new") or effect.uid
    undoing = _UNDO.get(effect.kind)
    if undoing is None:  # something was made that can be moved or cancelled
        takes_place = cal.payload(uid)["status"] in ("accepted", "pending")
        uids = [uid, cal.reschedule(uid)] if moves and takes_place else [uid]
        if len(uids) == 1:
            cal.cancel(uid, "Not any more")
        return uids
    undoing(cal, effect, action)
    return [uid, effect.uid]


def _without(cal: FakeCal, effect: Effect, action: BookingAction) -> None:
    email = effect.details["email"]
    people = cal.payload(effect.uid)["attendees"]
    left = [one for one in people if one["email"] != email]
    cal.change(effect.uid, attendees=left)


def _seat_back(cal: FakeCal, effect: Effect, action: BookingAction) -> None:
    """Without a trace: under its old uid, and no time of update moves."""
    moved, seat = effect.details["new"], effect.details["seat"]
    holder = action.parameters["seat_email"]
    people = cal.payload(moved)["attendees"]
    there = [one for one in people if one["email"] == holder]
    left = [one for one in people if one["email"] != holder]
    cal.edit(moved, attendees=left, status="accepted" if left else "cancelled")
    back = [
        *cal.payload(effect.uid)["attendees"],
        *(one | {"seatUid": seat} for one in there),
    ]
    before = action.seen["attendees"]
    order = {one["seat_uid"]: place for place, one in enumerate(before)}
    back.sort(key=lambda one: order.get(one.get("seatUid", ""), 99))
    cal.edit(effect.uid, attendees=back, status="accepted")


_UNDO: dict[str, Callable[[FakeCal, Effect, BookingAction], object]] = {
    "cancel": lambda cal, effect, action: cal.confirm(effect.uid),
    "request_reschedule": lambda cal, effect, action: cal.confirm(effect.uid),
    "confirm": lambda cal, effect, action: cal.cancel(effect.uid, "Not any more"),
    "decline": lambda cal, effect, action: cal.change(effect.uid, status="pending"),
    "cancel_seat": lambda cal, effect, action: cal.join_seat(effect.uid),
    "reschedule_seat": _seat_back,
    "reassign": lambda cal, effect, action: cal.reassign(effect.uid, 1),
    "mark_absent": lambda cal, effect, action: (
        cal.mark_host_absent(effect.uid, absent=False)
        if "host" in effect.details
        else cal.mark_absent(effect.uid, effect.details["email"], absent=False)
    ),
    "update_location": lambda cal, effect, action: cal.set_location(
        effect.uid, action.seen["location"]
    ),
    "add_attendee": _without,
    "add_guests": _without,
    "remove_attendee": lambda cal, effect, action: cal.add_attendee(
        effect.uid, Person("Back again", effect.details["email"])
    ),
}
