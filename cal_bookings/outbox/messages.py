"""What people read: why an action is refused, what its last attempt met, and what to know although it is done.

Each text is here once, with the parameters that its place fills in. The codes are `RefusalCode` and `ErrorCode`.
"""

# Refusals.
ACCOUNT = "This host belongs to another account: choose one of the booking's."
ANONYMOUS = 'The account "%(account)s" has no credential, and Cal.com lets only hosts do this: give the account an API key.'
ATTENDS_ALREADY = "%(email)s attends already."
BOOKER = "The person who booked cannot be removed from a booking: cancel the booking instead."
CHANGED = "This booking changed since you looked at it: look again, and decide again."
CREATE_EMAIL = "An attendee needs an e-mail or a phone number."
DEADLINE_PAST = "The deadline is in the past: choose one in the future."
DELETED = (
    "This booking is no longer in the mirror: somebody deleted it. Look it up again."
)
EMAIL = '"%(email)s" is no e-mail address.'
GUESTS = "Cal.com takes 1 to %(most)d guests at once."
HOSTED_OPTIONS = "Only hosted Cal.com knows these options: leave them out."
HOSTED_REQUEST = (
    "Only hosted Cal.com can ask for another time: reschedule or cancel the booking."
)
INACTIVE = 'The account "%(account)s" is not active, so nothing is sent to Cal.com: activate it first.'
LOCATION_TYPE = '"%(type)s" is no type of location: use one of %(known)s.'
LOCATION_VALUE = 'A location of the type "%(type)s" has a "%(key)s" and nothing else.'
MISSING = "This booking no longer exists on Cal.com: nothing can be done to it."
NAIVE = "The time has no time zone: make it aware, for instance with django.utils.timezone.make_aware()."
NAIVE_DEADLINE = "The deadline has no time zone: make it aware."
NAME = "An attendee needs a name."
NEWER_RELEASE = "A newer release wrote %(action)s, and this one does not understand it: update this one."
NO_ATTENDEE = "Not among the attendees: %(emails)s."
NO_NUMBER = "Cal.com shows no number of this attendee, without which they cannot be removed: remove them there by hand."
NO_SEAT = "This booking has no such seat: choose one of its attendees, or refresh the booking."
NO_SERIES = "This booking belongs to no series: cancel it alone."
NOBODY = "Nobody is named: say who was absent, the host or which attendees."
NOT_FAILED = "Only an action that failed or was withdrawn can be queued again; this one is %(status)s."
NOT_PENDING = "This booking is %(status)s: only a pending one waits for confirmation."
NOT_ROUND_ROBIN = "Only round-robin bookings can be given to another host, and this event type is not round robin."
NOT_STARTED = "The booking has not started: absence can be marked from its start on."
OPEN = "%(action)s is still open on this booking (%(status)s): wait until it has ended, or withdraw it."
OPEN_IN_REQUEST = (
    "The same request holds another action on this booking, or on its series, and the two exclude each other: "
    "choose one of them."
)
OPEN_NEWER = "%(action)s is still open on this booking, and a newer release wrote it: wait until it has ended, or update this one."
OPEN_TWICE = "%(action)s is the same booking, queued again already (%(status)s): wait until it has ended."
OPTIONS = "Unknown options: %(unknown)s. Known: %(known)s."
OVER = "This booking is %(status)s: only a booking that takes place can be changed."
PARAMETERS = (
    "The parameters of this action cannot be stored: %(problem)s. Leave that out."
)
PAST = "This booking is over: it can no longer be changed."
REASON = "Cal.com wants a reason when a host cancels: give one."
RESCHEDULED = "This booking was rescheduled: choose the one that took its place."
RESERVATION = (
    "The reservation does not hold this slot for a new booking: it has ended, belongs to another action, or is for another "
    "account, event type or time. Reserve the slot again."
)
SAME_HOST = "This host has the booking already: choose another."
SAME_START = "The booking starts at that time already: choose another."
SEAT = "A seat, or the rest of the series: cancel one after the other."
SEATED = "Attendees take seats in this booking: book a seat for them, as a new booking of the event type at that time."
SELF_HOSTED = "Hosted Cal.com cannot remove an attendee: cancel the booking, and book it again without them."
START_PAST = "The start time is in the past: choose one in the future."
TIME_ZONE = 'An attendee needs a "timeZone".'
TOO_LATE_TO_WITHDRAW = "It is too late to withdraw this: it is %(status)s."
EVENT_TYPE = (
    "Name in exactly one way what is to be booked: event_type_id; or event_type_slug with username or with team_slug, and "
    "organization_slug where there is one."
)
HOSTED_FIELDS = "Only hosted Cal.com accepts allowConflicts, allowBookingOutOfBounds and skipBookingLimits: leave them out."
LANGUAGE = "Cal.com knows no language %(language)s: choose one of %(known)s."
METADATA = (
    "Cal.com keeps at most 50 metadata, of which 49 are yours, with names of at most 40 characters and texts of at most 500: "
    "shorten them."
)
NO_START = "A booking needs a start, unless it is an instant one: give it one."
UNKNOWN_FIELD = "Cal.com knows no field %(name)s: did you mean %(nearest)s?"

# Conflicts: the booking is no longer the one that the person saw.
CONFLICT = "The booking changed on Cal.com in the meantime: %(changes)s."
CONFLICT_ATTENDEE = (
    "An attendee who could be taken for the new host was added on Cal.com in the meantime: look at the booking, and "
    "decide again."
)
CONFLICT_RESCHEDULED = "The booking was rescheduled on Cal.com in the meantime: choose the one that took its place."
PARTLY = "Cal.com booked %(booked)d of %(wanted)d occurrences and refused the rest: cancel those, or book the rest."
PARTLY_OF_MANY = "Cal.com booked %(booked)d occurrences, and may have refused more: compare them with the event type."
SEAT_GONE = "The seat is no longer in this booking on Cal.com."

# Doubts: the effect cannot be seen, and yet it may have been there.
CHANGED_SINCE = "The booking changed since this was sent: whether it took effect is not known. Queue it again if it is still wanted."
NO_TRACE = (
    "The booking does not show this, but would not show either that somebody undid it since: whether it took effect is "
    "not known. Queue it again if it is still wanted."
)
UNSEEN = (
    "The account does not see for certain every booking of this event type, which others may host or which has seats: "
    "whether this took effect is not known. Look for the booking on Cal.com before you queue this again."
)

# Caveats and notes.
PERHAPS_PARTLY = (
    " If this is a series, its first occurrences may have been booked all the same, where the account does not see them: look "
    "for them on Cal.com."
)
MERGED = "Another booking of this event type was at that time: Cal.com moved the attendees into it."
MOVED = "This took effect, and the booking was rescheduled since."
NOTHING_LEFT = (
    "This booking was the new time of another one, which stays cancelled: nothing is left of the meeting. "
    "If it should take place, book it again."
)
PENDING = (
    "The new time waits for confirmation, and the old booking is cancelled already: if the new one is declined, nothing is "
    "left of the meeting."
)
UNDONE = "This took effect, and the booking was %(status)s since."

# What an attempt met.
COUNTED_APART = (
    "Cal.com allows five changes of this kind a minute. It is sent when its turn comes."
)
GONE = "This booking no longer exists on Cal.com."
INTERNAL = "An error in this software (%(error)s) stopped the attempt; the log names the place. It is tried again later."
INTERNAL_AT_LAST = "An error in this software (%(error)s) stopped the last of many attempts; the log names the place."
NEWER_WORKER = "A newer release wrote this action, and this worker does not understand it: update the workers."
NO_EFFECT = "Cal.com answered success but %(unchanged)s."
STALE = (
    "More time than allowed passed between reading the booking and sending this, so it was not sent: the booking may have "
    "changed. It is read again before the next attempt."
)
TOO_LATE = "It is too late to send this."
UNSUPPORTED = (
    "This Cal.com does not know this action: update it, or do it there by hand."
)
UNVERIFIED = (
    "No usable answer came, and the booking could not be read since (%(problem)s): whether this took effect is not known. "
    "Look at the booking on Cal.com."
)

# How an action ends that was sent, and whose effect is not there.
LOST = "No usable answer came (%(problem)s)"
NOT_APPLIED = LOST + " and it did not take effect."
NOT_SENT_AGAIN = (
    " It was not sent again, because both requests might take effect if the first one arrives late. "
    "Queue it again if it is still wanted."
)
OFTEN_ENOUGH = " It was tried %(attempts)d times. Queue it again if it is still wanted."
SENT_BEFORE = "This had been sent before, without a usable answer: whether it took effect is not known."
TOO_LATE_AGAIN = " By now it is too late to send it again."
WITHOUT_EFFECT = "Cal.com answered success, but does not show it."
WORKER_DIED = "the worker died"
