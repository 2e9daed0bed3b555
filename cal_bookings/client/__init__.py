"""The client of Cal.com's API v2 for Python, which needs no Django. It never guesses, and no secret leaves it."""

from cal_bookings.client.booking_actions import (
    ActionAnswer,
    BookingActions,
)
from cal_bookings.client.booking_details import (
    REFERENCE_TYPES,
    BookingDetails,
    BookingReference,
    CalendarLink,
    ConferencingSession,
    Participant,
    Recording,
    Transcript,
)
from cal_bookings.client.booking_list import Page
from cal_bookings.client.client import (
    BOOKING_VERSION,
    CalClient,
)
from cal_bookings.client.connections import is_public
from cal_bookings.client.credentials import (
    AccessToken,
    Anonymous,
    ApiKey,
    ClientSecret,
    Credential,
)
from cal_bookings.client.dialects import (
    LIST_VERSION,
    Dialect,
    Server,
    UnexpectedAnswer,
)
from cal_bookings.client.email_verification import EmailVerification
from cal_bookings.client.errors import (
    CalDialectChanged,
    CalError,
    CalForbidden,
    CalNotFound,
    CalRateLimited,
    CalRefused,
    CalTokenExpired,
    CalUnauthorized,
    CalUnavailable,
    CalUnexpected,
    CalUnsupported,
    Cause,
)
from cal_bookings.client.filters import (
    Filters,
    Scope,
)
from cal_bookings.client.identification import EventTypeIdentification
from cal_bookings.client.oauth import (
    Tokens,
    refresh_managed_user_tokens,
    refresh_oauth_tokens,
)
from cal_bookings.client.parsing import (
    PARSER_VERSION,
    InvalidBooking,
    RemoteAttendee,
    RemoteBooking,
    RemoteEventType,
    RemoteHost,
    parse_booking,
    without_nuls,
)
from cal_bookings.client.positions import (
    OtherWalk,
    Position,
)
from cal_bookings.client.rate_limit import (
    RateLimit,
    endpoint_limit,
)
from cal_bookings.client.slots import (
    RemoteReservation,
    Slot,
    Slots,
)
from cal_bookings.client.teams import (
    Member,
    Teams,
)
from cal_bookings.client.trial_delivery import deliver_trial
from cal_bookings.client.webhook_signatures import (
    SIGNATURE_HEADER,
    VERSION_HEADER,
    is_signed,
    sign,
)
from cal_bookings.client.webhooks import (
    PAYLOAD_VERSION,
    RemoteWebhook,
    WebhookOwner,
    Webhooks,
)

__all__ = [
    "BOOKING_VERSION",
    "LIST_VERSION",
    "PARSER_VERSION",
    "PAYLOAD_VERSION",
    "REFERENCE_TYPES",
    "SIGNATURE_HEADER",
    "VERSION_HEADER",
    "AccessToken",
    "ActionAnswer",
    "Anonymous",
    "ApiKey",
    "BookingActions",
    "BookingDetails",
    "BookingReference",
    "CalClient",
    "CalDialectChanged",
    "CalError",
    "CalForbidden",
    "CalNotFound",
    "CalRateLimited",
    "CalRefused",
    "CalTokenExpired",
    "CalUnauthorized",
    "CalUnavailable",
    "CalUnexpected",
    "CalUnsupported",
    "CalendarLink",
    "Cause",
    "ClientSecret",
    "ConferencingSession",
    "Credential",
    "Dialect",
    "EmailVerification",
    "EventTypeIdentification",
    "Filters",
    "InvalidBooking",
    "Member",
    "OtherWalk",
    "Page",
    "Participant",
    "Position",
    "RateLimit",
    "Recording",
    "RemoteAttendee",
    "RemoteBooking",
    "RemoteEventType",
    "RemoteHost",
    "RemoteReservation",
    "RemoteWebhook",
    "Scope",
    "Server",
    "Slot",
    "Slots",
    "Teams",
    "Tokens",
    "Transcript",
    "UnexpectedAnswer",
    "WebhookOwner",
    "Webhooks",
    "deliver_trial",
    "endpoint_limit",
    "is_public",
    "is_signed",
    "parse_booking",
    "refresh_managed_user_tokens",
    "refresh_oauth_tokens",
    "sign",
    "without_nuls",
]
