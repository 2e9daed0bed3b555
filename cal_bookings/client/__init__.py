"""Cal.com's API v2 for Python: plain requests, no Django. Never guesses, never leaks."""

from .actions import ActionAnswer, BookingActions
from .booking_list import Page
from .client import BOOKING_VERSION, CalClient
from .connections import is_public
from .credentials import AccessToken, ApiKey, ClientSecret, Credential
from .dialects import LIST_VERSION, Dialect, Server, UnexpectedAnswer
from .errors import (
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
from .filters import Filters, Scope
from .positions import OtherWalk, Position
from .rate_limit import RateLimit, endpoint_limit
from .remote import (
    PARSER_VERSION,
    InvalidBooking,
    RemoteAttendee,
    RemoteBooking,
    RemoteEventType,
    RemoteHost,
    parse_booking,
    without_nuls,
)
from .tokens import Tokens, refresh_managed_user_tokens, refresh_oauth_tokens

__all__ = [
    "BOOKING_VERSION",
    "LIST_VERSION",
    "PARSER_VERSION",
    "AccessToken",
    "ActionAnswer",
    "ApiKey",
    "BookingActions",
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
    "Cause",
    "ClientSecret",
    "Credential",
    "Dialect",
    "Filters",
    "InvalidBooking",
    "OtherWalk",
    "Page",
    "Position",
    "RateLimit",
    "RemoteAttendee",
    "RemoteBooking",
    "RemoteEventType",
    "RemoteHost",
    "Scope",
    "Server",
    "Tokens",
    "UnexpectedAnswer",
    "endpoint_limit",
    "is_public",
    "parse_booking",
    "refresh_managed_user_tokens",
    "refresh_oauth_tokens",
    "without_nuls",
]
