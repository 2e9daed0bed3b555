"""The payloads of the triggers about bookings, key by key as recorded.

Cal.com makes them in three ways: from the booking in hand when it is created or moved, from its row when it is
requested, confirmed or rejected, and from another selection of the row when it is cancelled. Each way has its own keys
and its own form of times.
"""

from __future__ import annotations

from cal_bookings.testing.deliveries import booking_parts as parts
from cal_bookings.testing.deliveries.booking_parts import Payload, Scene


def created(scene: Scene) -> Payload:
    """Return the payload of BOOKING_CREATED, which a confirmation sends too [wh 001, 009, 027]."""
    if scene.confirmed:
        return _from_row(scene, "ACCEPTED") | {"metadata": parts.metadata(scene)}
    return _in_hand(scene) | parts.ical(scene) | {"status": "ACCEPTED"}


def rescheduled(scene: Scene) -> Payload:
    """Return the payload of BOOKING_RESCHEDULED: `uid` is new, `rescheduleUid` is the old one [wh 019, 071, 154]."""
    payload = _in_hand(scene) | {"iCalSequence": 1}
    old = scene.old or scene.booking
    if scene.seat:
        payload |= parts.ical(scene)
    elif not scene.is_seated:
        payload |= {"appsStatus": [], "rescheduleId": old["id"]}
    if scene.rescheduled_by:
        payload["rescheduledBy"] = scene.rescheduled_by
    moved = {
        "rescheduleUid": old["uid"],
        "rescheduleStartTime": parts.zulu(old["start"]),
        "rescheduleEndTime": parts.zulu(old["end"]),
    }
    return payload | moved | {"status": "ACCEPTED"}


def requested(scene: Scene) -> Payload:
    """Return the payload of BOOKING_REQUESTED, which does not name the old booking after a move [wh 002, 037]."""
    attendees = [
        parts.person(one, scene)
        | {"phoneNumber": one.get("phoneNumber"), "bookingSeat": None}
        | parts.names(one)
        for one in scene.attendees
    ]
    platform = ("ClientId", "RescheduleUrl", "CancelUrl", "BookingUrl")
    return (
        _from_row(scene, "PENDING")
        | parts.ical(scene)
        | {
            "attendees": attendees,
            "schedulingType": None,
            "seatsShowAvailabilityCount": True,
            "oneTimePassword": parts.one_time_password(scene.booking),
            "hashedLink": None,
            "assignmentReason": [],
            "destinationCalendar": None,
            "metadata": parts.metadata(scene),
        }
        | {f"platform{name}": "" for name in platform}
    )


def rejected(scene: Scene) -> Payload:
    """Return the payload of BOOKING_REJECTED, the only place where the reason is shown [wh 032, 057]."""
    reason = {"rejectionReason": scene.reason} if scene.reason else {}
    return _from_row(scene, "REJECTED") | reason


def cancelled(scene: Scene) -> Payload:
    """Return the payload of BOOKING_CANCELLED, whose whole uid counts as cancelled even for one seat [wh 034, 072]."""
    row = _from_row(scene, "CANCELLED")
    absent = ("hideCalendarNotes", "hideCalendarEventDetails", "disableCancelling")
    for key in (*absent, "disableRescheduling", "organizationId", "assignmentReason"):
        del row[key]
    times = {
        "startTime": parts.with_offset(scene.booking["start"]),
        "endTime": parts.with_offset(scene.booking["end"]),
    }
    reason = {"cancellationReason": scene.reason} if scene.reason else {}
    more = {"schedulingType": None, "requestReschedule": scene.requests_reschedule}
    if scene.seat:
        row["attendees"] = [parts.attendee_row(scene, scene.seat)]
    return row | times | reason | parts.ical(scene) | {"iCalSequence": 1} | more


def no_show_updated(scene: Scene) -> Payload:
    """Return the payload of BOOKING_NO_SHOW_UPDATED, whose key for the uid is `bookingUid` [wh 086, 088, 089]."""
    marked: list[Payload] = scene.more.get("attendees", [])
    message = "No-show status updated for attendees"
    if len(marked) == 1:
        word = "marked as no-show" if marked[0]["noShow"] else "unmarked as no-show"
        message = f"{marked[0]['email']} {word}"
    return {
        "message": message,
        "attendees": marked,
        "bookingUid": scene.booking["uid"],
        "bookingId": scene.booking["id"],
    }


def about(scene: Scene) -> Payload:
    """Return the payload of another trigger about a booking: that of its creation, with keys of its own [docs]."""
    return _in_hand(scene) | parts.ical(scene) | {"status": "ACCEPTED"} | scene.more


def _in_hand(scene: Scene) -> Payload:
    """Return the keys of a payload that is made while the booking is created or moved."""
    event_type = scene.event_type
    whole = scene.is_seated and scene.seat is None
    payload = parts.common(scene) | {
        "startTime": parts.zulu(scene.booking["start"]),
        "endTime": parts.zulu(scene.booking["end"]),
        "attendees": [
            parts.person(one, scene) | ({} if whole else parts.NO_NAMES)
            for one in scene.attendees
        ],
        "hideCalendarNotes": False,
        "hideCalendarEventDetails": False,
        "schedulingType": None,
        "seatsShowAttendees": True,
        "seatsShowAvailabilityCount": True,
        "disableRescheduling": False,
        "disableCancelling": False,
        "responses": parts.responses(scene, in_hand=True),
        "destinationCalendar": None,
        "requiresConfirmation": bool(event_type and event_type.kind == "confirm"),
        "oneTimePassword": parts.one_time_password(scene.booking),
        "hashedLink": None,
        "metadata": parts.metadata(scene),
    }
    if scene.booking.get("recurringBookingUid") and not scene.old and event_type:
        every_week = {"freq": 2, "count": event_type.occurrences, "interval": 1}
        payload["recurringEvent"] = every_week
    if event_type and event_type.team_id:
        payload["schedulingType"] = "ROUND_ROBIN"
        team = {"members": [], "name": event_type.team_slug, "id": event_type.team_id}
        payload["team"] = team
    if scene.seat:
        payload["attendeeSeatId"] = scene.seat.get("seatUid")
    return payload


def _from_row(scene: Scene, status: str) -> Payload:
    """Return the keys of a payload that is made from the row of a booking."""
    asks = scene.event_type is not None and scene.event_type.kind == "confirm"
    return parts.common(scene) | {
        "startTime": scene.booking["start"],
        "endTime": scene.booking["end"],
        "attendees": [
            parts.person(one, scene) | {"phoneNumber": one.get("phoneNumber")}
            for one in scene.attendees
        ],
        "hideCalendarNotes": False,
        "hideCalendarEventDetails": False,
        "seatsShowAttendees": False,
        "disableRescheduling": False,
        "disableCancelling": False,
        "responses": parts.responses(scene, in_hand=False),
        "destinationCalendar": [],
        "requiresConfirmation": asks or None,
        "organizationId": None,
        "assignmentReason": None,
        "status": status,
    }
