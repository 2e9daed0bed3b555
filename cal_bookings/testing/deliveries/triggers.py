"""The triggers of Cal.com's webhooks, and the subscriptions that may have them."""

from __future__ import annotations

#: The triggers of a self-hosted server, in the order in which its refusal lists them [rec 011].
SELF_HOSTED_TRIGGERS = (
    *("BOOKING_CREATED", "BOOKING_PAYMENT_INITIATED", "BOOKING_PAID"),
    *("BOOKING_RESCHEDULED", "BOOKING_REQUESTED", "BOOKING_CANCELLED"),
    *("BOOKING_REJECTED", "BOOKING_NO_SHOW_UPDATED", "FORM_SUBMITTED"),
    *("MEETING_ENDED", "MEETING_STARTED", "RECORDING_READY"),
    *("RECORDING_TRANSCRIPTION_GENERATED", "OOO_CREATED"),
    *("AFTER_HOSTS_CAL_VIDEO_NO_SHOW", "AFTER_GUESTS_CAL_VIDEO_NO_SHOW"),
    *("FORM_SUBMITTED_NO_EVENT", "DELEGATION_CREDENTIAL_ERROR"),
    "WRONG_ASSIGNMENT_REPORT",
)
#: All triggers of hosted Cal.com.
TRIGGERS = (
    *SELF_HOSTED_TRIGGERS,
    *("BOOKING_LOCATION_UPDATED", "BOOKING_REASSIGNED", "ROUTING_FORM_FALLBACK_HIT"),
    *("INSTANT_MEETING", "INSTANT_MEETING_ACCEPTED"),
    "DELEGATION_CREDENTIAL_SECRET_ROTATION_FAILED",
    "DELEGATION_CREDENTIAL_ROTATION_REQUIRED",
    "DELEGATION_CREDENTIAL_SECRET_ROTATED",
    "CALENDAR_ENTRY_REJECTED",
)
OF_MEETINGS = ("MEETING_STARTED", "MEETING_ENDED")
#: The triggers that need `time` and `timeUnit`.
TIMED = ("AFTER_HOSTS_CAL_VIDEO_NO_SHOW", "AFTER_GUESTS_CAL_VIDEO_NO_SHOW")
OF_ORGANIZATIONS = frozenset(one for one in TRIGGERS if one.startswith("DELEGATION_"))

FIRST_VERSION = "2021-10-20"
#: The versions of the bodies. Hosted Cal.com alone has the second one.
VERSIONS = (FIRST_VERSION, "2026-07-27")


def triggers(*, hosted: bool) -> tuple[str, ...]:
    """Return the triggers that a server knows."""
    return TRIGGERS if hosted else SELF_HOSTED_TRIGGERS
