"""The codes of the outbox: why an action is refused, and why one that was queued is not done."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RefusalCode(models.TextChoices):
    """Why an action is refused before it is queued: the `code` of every `outbox.Refused`."""

    ACCOUNT = "account", _("the host belongs to another account")
    ATTENDS_ALREADY = "attends_already", _("the attendee attends already")
    BOOKER = "booker", _("the person who booked cannot be removed")
    CHANGED = "changed", _("the booking changed since the person saw it")
    DELETED = "deleted", _("the booking was deleted from the mirror")
    EMAIL = "email", _("an e-mail address is missing or malformed")
    GUESTS = "guests", _("too many guests, or none")
    HOSTED = "hosted", _("only hosted Cal.com can do this")
    INACTIVE = "inactive", _("the account is not active")
    LOCATION = "location", _("the location is malformed")
    MISSING = "missing", _("the booking no longer exists on Cal.com")
    NAIVE = "naive", _("a time has no time zone")
    NAME = "name", _("the attendee's name is missing")
    NEWER_RELEASE = "newer_release", _("a newer release wrote the action")
    NO_ATTENDEE = "no_attendee", _("the person does not attend the booking")
    NO_NUMBER = "no_number", _("Cal.com shows no number of the attendee")
    NO_SEAT = "no_seat", _("the booking has no such seat")
    NO_SERIES = "no_series", _("the booking belongs to no series")
    NOBODY = "nobody", _("nobody is named")
    NOT_FAILED = "not_failed", _("the action neither failed nor was withdrawn")
    NOT_PENDING = "not_pending", _("the booking does not wait for confirmation")
    NOT_ROUND_ROBIN = "not_round_robin", _("the event type is not round robin")
    NOT_STARTED = "not_started", _("the booking has not started")
    OPEN = "open", _("another action that excludes this one is still open")
    OPTIONS = "options", _("unknown options")
    OVER = "over", _("the booking is cancelled or rejected")
    PARAMETERS = "parameters", _("the parameters cannot be stored")
    PAST = "past", _("the booking, the new time or the deadline is in the past")
    REASON = "reason", _("a reason is missing")
    RESCHEDULED = "rescheduled", _("the booking was rescheduled")
    SAME_HOST = "same_host", _("the host has the booking already")
    SAME_START = "same_start", _("the booking starts at that time already")
    SEAT = "seat", _("a seat and the rest of the series at once")
    SEATED = "seated", _("attendees of a seated booking take seats")
    SELF_HOSTED = "self_hosted", _("only a self-hosted Cal.com can do this")
    TIME_ZONE = "time_zone", _("the attendee's time zone is missing")
    TOO_LATE = "too_late", _("the action is no longer queued")


class ErrorCode(models.TextChoices):
    """Why an action failed, or what its last attempt met while it is open: its `error_code`."""

    CONFLICT = "conflict", _("the booking changed on Cal.com")
    CREDENTIAL = "credential", _("the account has no usable credential")
    EXPIRED = "expired", _("the deadline passed")
    FORBIDDEN = "forbidden", _("Cal.com denied access")
    INTERNAL = "internal", _("an error in this software")
    MISSING = "missing", _("the booking no longer exists on Cal.com")
    NEWER_RELEASE = "newer_release", _("a newer release wrote the action")
    NO_EFFECT = "no_effect", _("Cal.com answered success and did nothing")
    NO_NUMBER = "no_number", _("Cal.com shows no number of the attendee")
    NOT_APPLIED = "not_applied", _("it did not take effect")
    PARTLY = "partly", _("it took effect in part")
    PAUSED = "paused", _("the account is paused")
    RATE_LIMITED = "rate_limited", _("too many requests")
    REFUSED = "refused", _("Cal.com refused it")
    RESCHEDULED = "rescheduled", _("the booking was rescheduled on Cal.com")
    SEAT_GONE = "seat_gone", _("the seat is gone")
    STALE = "stale", _("too much time passed before it could be sent")
    UNAUTHORIZED = "unauthorized", _("Cal.com did not accept the credential")
    UNAVAILABLE = "unavailable", _("Cal.com could not be reached")
    UNCERTAIN = "uncertain", _("whether it took effect is not known")
    UNEXPECTED = "unexpected", _("Cal.com's response could not be understood")
    UNSUPPORTED = "unsupported", _("this Cal.com does not have the action")
    UNVERIFIED = "unverified", _("whether it took effect could not be checked")
