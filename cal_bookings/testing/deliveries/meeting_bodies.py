"""The flat bodies of MEETING_STARTED and MEETING_ENDED: columns of the row, without `payload`."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from cal_bookings.testing.deliveries import booking_parts as parts
from cal_bookings.testing.deliveries.booking_parts import Payload, Scene


def meeting(scene: Scene) -> Payload:
    """Return the flat body of MEETING_STARTED and MEETING_ENDED [wh 110, 111]."""
    booking = scene.booking
    host = (booking["hosts"] or [{}])[0]
    known = str(uuid5(NAMESPACE_URL, f"user {host.get('id')}"))
    user = {key: host.get(key) for key in ("email", "name", "timeZone", "username")}
    empty = (
        *("destinationCalendarId", "cancellationReason", "rejectionReason"),
        *("reassignReason", "reassignById", "dynamicEventSlugRef"),
        *("dynamicGroupSlugRef", "rescheduled", "fromReschedule", "recurringEventId"),
        *("smsReminderNumber", "rating", "ratingFeedback", "cancelledBy"),
        "rescheduledBy",
    )
    return {
        "id": booking["id"],
        "uid": booking["uid"],
        "idempotencyKey": str(uuid5(NAMESPACE_URL, booking["uid"])),
        "userId": host.get("id"),
        "userPrimaryEmail": host.get("email"),
        "eventTypeId": booking["eventTypeId"],
        "title": booking["title"],
        "description": booking["description"],
        "customInputs": {},
        "responses": parts.responses(scene, in_hand=True),
        "startTime": booking["start"],
        "endTime": booking["end"],
        "location": booking["location"],
        "createdAt": booking["createdAt"],
        "updatedAt": booking["updatedAt"],
        "status": "ACCEPTED",
        "paid": False,
        **dict.fromkeys(empty),
        "fromReschedule": booking.get("rescheduledFromUid"),
        "scheduledJobs": [],
        "metadata": booking.get("metadata") or {},
        "isRecorded": False,
        "iCalUID": booking.get("icsUid"),
        "iCalSequence": 0,
        "noShowHost": booking["absentHost"],
        "oneTimePassword": parts.one_time_password(booking),
        "creationSource": "API_V2",
        "user": {"uuid": known, "isPlatformManaged": False} | user,
        "attendees": [
            {key: value for key, value in row.items() if key not in _OF_MAILS}
            for row in (parts.attendee_row(scene, one) for one in scene.attendees)
        ],
        "payment": [],
        "references": [],
        "userUuid": known,
    }


_OF_MAILS = ("language", "utcOffset")
