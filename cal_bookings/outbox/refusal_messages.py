"""The texts on a refused action: why it is refused, and what to do instead.

The codes for programs are `RefusalCode`; a code may have several texts.
"""

from django.utils.translation import gettext_lazy as _

from cal_bookings.sentences import Sentence


class RefusalText(Sentence):
    """The reasons why an action cannot be done, and what to do instead."""

    ACCOUNT = (
        "refusal.account",
        _("This host belongs to another account: choose one of the booking's."),
    )
    ANONYMOUS = (
        "refusal.anonymous",
        _(
            'The account "%(account)s" has no credential, and Cal.com lets only hosts do this: give the account an API '
            "key."
        ),
    )
    ATTENDS_ALREADY = "refusal.attends_already", _("%(email)s attends already.")
    BOOKER = (
        "refusal.booker",
        _(
            "The person who booked cannot be removed from a booking: cancel the booking instead."
        ),
    )
    CHANGED = (
        "refusal.changed",
        _("This booking has changed since you looked at it: review it and try again."),
    )
    CREATE_EMAIL = (
        "refusal.create_email",
        _("An attendee needs an e-mail or a phone number."),
    )
    DEADLINE_PAST = (
        "refusal.deadline_past",
        _("The deadline is in the past: choose one in the future."),
    )
    DELETED = (
        "refusal.deleted",
        _(
            "This booking is no longer in the mirror: somebody deleted it. Look it up again."
        ),
    )
    EMAIL = "refusal.email", _('"%(email)s" is no e-mail address.')
    GUESTS = "refusal.guests", _("Cal.com takes 1 to %(most)d guests at once.")
    HOSTED_OPTIONS = (
        "refusal.hosted_options",
        _("Only hosted Cal.com knows these options: leave them out."),
    )
    HOSTED_REQUEST = (
        "refusal.hosted_request",
        _(
            "Only hosted Cal.com can ask for another time: reschedule or cancel the booking."
        ),
    )
    INACTIVE = (
        "refusal.inactive",
        _(
            'The account "%(account)s" is not active, so nothing is sent to Cal.com: activate it first.'
        ),
    )
    LOCATION_TYPE = (
        "refusal.location_type",
        _('"%(type)s" is no type of location: use one of %(known)s.'),
    )
    LOCATION_VALUE = (
        "refusal.location_value",
        _('A location of the type "%(type)s" has a "%(key)s" and nothing else.'),
    )
    MISSING = (
        "refusal.missing",
        _("This booking no longer exists on Cal.com: nothing can be done to it."),
    )
    NAIVE = (
        "refusal.naive",
        _(
            "The time has no time zone: make it aware, for instance with django.utils.timezone.make_aware()."
        ),
    )
    NAIVE_DEADLINE = (
        "refusal.naive_deadline",
        _("The deadline has no time zone: make it aware."),
    )
    NAME = "refusal.name", _("An attendee needs a name.")
    NEWER_RELEASE = (
        "refusal.newer_release",
        _(
            "A newer release wrote %(action)s, and this one does not understand it: update this one."
        ),
    )
    NO_ATTENDEE = "refusal.no_attendee", _("Not among the attendees: %(emails)s.")
    NO_NUMBER = (
        "refusal.no_number",
        _(
            "Cal.com shows no number of this attendee, without which they cannot be removed: remove them there "
            "by hand."
        ),
    )
    NO_SEAT = (
        "refusal.no_seat",
        _(
            "This booking has no such seat: choose one of its attendees, or refresh the booking."
        ),
    )
    NO_SERIES = (
        "refusal.no_series",
        _("This booking belongs to no series: cancel it alone."),
    )
    NOBODY = (
        "refusal.nobody",
        _("Nobody is named: say who was absent, the host or which attendees."),
    )
    NOT_FAILED = (
        "refusal.not_failed",
        _(
            "Only an action that failed or was withdrawn can be queued again; this one is %(status)s."
        ),
    )
    NOT_PENDING = (
        "refusal.not_pending",
        _("This booking is %(status)s: only a pending one waits for confirmation."),
    )
    NOT_ROUND_ROBIN = (
        "refusal.not_round_robin",
        _(
            "Only round-robin bookings can be given to another host, and this event type is not round robin."
        ),
    )
    NOT_STARTED = (
        "refusal.not_started",
        _("The booking has not started: absence can be marked from its start on."),
    )
    OPEN = (
        "refusal.open",
        _(
            "%(action)s is still open on this booking (%(status)s): wait until it has ended, or withdraw it."
        ),
    )
    OPEN_IN_REQUEST = (
        "refusal.open_in_request",
        _(
            "The same request holds another action on this booking, or on its series, and the two exclude each "
            "other: choose one of them."
        ),
    )
    OPEN_NEWER = (
        "refusal.open_newer",
        _(
            "%(action)s is still open on this booking, and a newer release wrote it: wait until it has ended, or "
            "update this one."
        ),
    )
    OPEN_TWICE = (
        "refusal.open_twice",
        _(
            "%(action)s is the same booking, queued again already (%(status)s): wait until it has ended."
        ),
    )
    OPTIONS = "refusal.options", _("Unknown options: %(unknown)s. Known: %(known)s.")
    OVER = (
        "refusal.over",
        _(
            "This booking is %(status)s: only accepted or pending bookings can be changed."
        ),
    )
    PARAMETERS = (
        "refusal.parameters",
        _(
            "The parameters of this action cannot be stored: %(problem)s. Leave that out."
        ),
    )
    PAST = (
        "refusal.past",
        _("This booking is in the past: past bookings cannot be changed."),
    )
    REASON = (
        "refusal.reason",
        _("Cal.com wants a reason when a host cancels: give one."),
    )
    RESCHEDULED = (
        "refusal.rescheduled",
        _("This booking was rescheduled: choose the one that took its place."),
    )
    RESERVATION = (
        "refusal.reservation",
        _(
            "The reservation does not hold this slot for a new booking: it has ended, belongs to another action, or is "
            "for another account, event type or time. Reserve the slot again."
        ),
    )
    SAME_HOST = (
        "refusal.same_host",
        _("This host has the booking already: choose another."),
    )
    SAME_START = (
        "refusal.same_start",
        _("The booking starts at that time already: choose another."),
    )
    SEAT = (
        "refusal.seat",
        _("A seat, or the rest of the series: cancel one after the other."),
    )
    SEATED = (
        "refusal.seated",
        _(
            "Attendees take seats in this booking: book a seat for them, as a new booking of the event type at "
            "that time."
        ),
    )
    SELF_HOSTED = (
        "refusal.self_hosted",
        _(
            "Hosted Cal.com cannot remove an attendee: cancel the booking, and book it again without them."
        ),
    )
    START_PAST = (
        "refusal.start_past",
        _("The start time is in the past: choose one in the future."),
    )
    TIME_ZONE = "refusal.time_zone", _('An attendee needs a "timeZone".')
    TOO_LATE_TO_WITHDRAW = (
        "refusal.too_late_to_withdraw",
        _("It is too late to withdraw this: it is %(status)s."),
    )
    EVENT_TYPE = (
        "refusal.event_type",
        _(
            "Name in exactly one way what is to be booked: event_type_id; or event_type_slug with username or with "
            "team_slug, and organization_slug where there is one."
        ),
    )
    HOSTED_FIELDS = (
        "refusal.hosted_fields",
        _(
            "Only hosted Cal.com accepts allowConflicts, allowBookingOutOfBounds and skipBookingLimits: leave them out."
        ),
    )
    LANGUAGE = (
        "refusal.language",
        _("Cal.com knows no language %(language)s: choose one of %(known)s."),
    )
    METADATA = (
        "refusal.metadata",
        _(
            "Cal.com keeps at most 50 metadata, of which 49 are yours, with names of at most 40 characters and texts of "
            "at most 500: shorten them."
        ),
    )
    NO_START = (
        "refusal.no_start",
        _("A booking needs a start, unless it is an instant one: give it one."),
    )
    UNKNOWN_FIELD = (
        "refusal.unknown_field",
        _("Cal.com knows no field %(name)s: did you mean %(nearest)s?"),
    )
    TOO_DEEP = (
        "refusal.too_deep",
        _("they hold objects or lists more than %(deepest)d deep in one another"),
    )
    HALF_PAIR = (
        "refusal.half_pair",
        _("they hold half a surrogate pair, which is no text"),
    )
    NOT_JSON = "refusal.not_json", _("they hold a value that is not JSON")
    NOT_FINITE = "refusal.not_finite", _("they hold a number that is not finite")
    NUL = "refusal.nul", _("they hold a NUL character")
    TOO_LONG = "refusal.too_long", _("they are longer than %(longest)d characters")
