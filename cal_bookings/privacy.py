"""The list of impersonal columns, by which the admin, exports, commands and the API decide what each person may see.

Cal.com shows a booking with all its people to anybody who knows its uid (`GET /bookings/{uid}` needs no credential), so
a uid is as personal as a name. People without the permission to view attendees see a booking by its primary key.

A column that `IMPERSONAL` does not name is hidden from them: a new column stays hidden until somebody judges it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from cal_bookings.models import (
    Account,
    ActionAttempt,
    AppointmentLock,
    Attendee,
    Booking,
    BookingAction,
    BookingChange,
    Derivation,
    EventType,
    Host,
    RateWindow,
    RefusalCode,
    SlotReservation,
    SyncRun,
    SyncState,
    WalkPage,
    WebhookDelivery,
    WebhookReceiver,
)

PERMISSION = "cal_bookings.view_attendee"

#: The columns, by model, that everybody who may view the model may see: they neither name an attendee of a booking,
#: nor repeat what an attendee wrote, nor open a booking on Cal.com. Hosts and owners of accounts are people of the
#: site: everybody sees a host's name, and people who may view accounts see the owner's address.
IMPERSONAL: Mapping[type[models.Model], frozenset[str]] = {
    Account: frozenset(
        {
            "id",
            "alias",
            "base_url",
            "scope",
            "is_active",
            "dialect",
            "dialect_expires_at",
            "list_version",
            "server",
            "lists_never_updated",
            "has_change_filters",
            "change_filters_checked_at",
            "mirror_began_at",
            "fully_mirrored_at",
            "remote_id",
            "email",
            "created_at",
            "credentials_revision",
            "credentials_lease_until",
            "paused_at",
            "paused_by",
            "pause_reason",
            "circuit_open_until",
            "circuit_reason",
            "circuit_reason_sentences",
            "circuit_failures",
        }
    ),
    EventType: frozenset(
        {
            "id",
            "account",
            "remote_id",
            "slug",
            "title",
            "length_minutes",
            "mirrored_at",
        }
    ),
    Host: frozenset(
        {
            "id",
            "account",
            "remote_id",
            "name",
            "username",
            "time_zone",
            "mirrored_at",
        }
    ),
    Booking: frozenset(
        {
            "id",
            "account",
            "remote_id",
            "status",
            "start",
            "end",
            "duration",
            "event_type",
            "event_type_remote_id",
            "event_type_gone_at",
            "hosts",
            "absent_host",
            "appointment",
            "rating",
            "remote_created_at",
            "remote_updated_at",
            "first_seen_at",
            "mirrored_at",
            "missing_since",
            "unlisted_check_at",
            # The digest covers the uid too, so nobody can guess its content.
            "payload_hash",
            "api_version",
        }
    ),
    Attendee: frozenset(),
    AppointmentLock: frozenset({"account"}),
    Derivation: frozenset({"account", "parser_version", "pass_version", "passed"}),
    BookingChange: frozenset({"id", "booking", "source", "changed_at"}),
    BookingAction: frozenset(
        {
            "id",
            "account",
            "booking",
            "kind",
            "status",
            "requested_by",
            "enqueued_at",
            "next_attempt_at",
            "deadline",
            "attempts",
            "sent_at",
            "settles_at",
            "ended_at",
            "error_code",
            "lease_token",
            "lease_until",
        }
    ),
    ActionAttempt: frozenset(
        {
            "id",
            "action",
            "began_at",
            "ended_at",
            "worker",
            "sent",
            "requests",
            "outcome",
            "http_status",
            "request_id",
        }
    ),
    SlotReservation: frozenset(
        {
            "id",
            "account",
            "event_type_remote_id",
            "start",
            "duration",
            "state",
            "until",
            "reserved_by",
            "action",
            "reserved_at",
            "ended_at",
            "next_attempt_at",
            "attempts",
            "last_error",
        }
    ),
    SyncState: frozenset(
        {
            "id",
            "account",
            "mode",
            "watermark",
            "lease_token",
            "lease_owner",
            "lease_until",
            "due_at",
            "last_completed_at",
            "failures",
            "last_error",
            "last_error_sentences",
        }
    ),
    SyncRun: frozenset(
        {
            "id",
            "account",
            "mode",
            "outcome",
            "started_at",
            "finished_at",
            "pages",
            "requests",
            "seen",
            "created",
            "updated",
            "unchanged",
            "stale",
            "missing",
            "failed",
            "before",
            "drift",
            "error",
            "error_sentences",
        }
    ),
    WalkPage: frozenset({"id", "state", "number", "booking_ids"}),
    # The receiver's address is not personal, but everybody who knows it can make the site compute signatures.
    WebhookReceiver: frozenset(
        {
            "id",
            "account",
            "former_accepted_until",
            "secrets_rotated_at",
            "expected_since",
            "healthy_since",
            "lease_token",
            "lease_until",
        }
    ),
    WebhookDelivery: frozenset(
        {
            "id",
            "account",
            # The digest covers the uid too, so nobody can guess its content.
            "body_hash",
            "trigger",
            "version",
            "happened_at",
            "received_at",
            "receipts",
            "last_received_at",
            "state",
            "outcome",
            "attempts",
            "next_attempt_at",
            "processed_at",
            "error",
        }
    ),
    RateWindow: frozenset(
        {
            "key",
            "began_at",
            "ends_at",
            "slots",
            "used",
            "opening_until",
            "blocked_until",
        }
    ),
}

#: The impersonal keys of an entry in the failures of a run.
FAILURE = ("place", "error")

#: The codes of `outbox.Refused` whose messages name no person and repeat no typed text.
REFUSALS = frozenset(
    {
        RefusalCode.ACCOUNT,
        RefusalCode.ANONYMOUS,
        RefusalCode.BOOKER,
        RefusalCode.CHANGED,
        RefusalCode.DELETED,
        RefusalCode.GUESTS,
        RefusalCode.HOSTED,
        RefusalCode.INACTIVE,
        RefusalCode.MISSING,
        RefusalCode.NAIVE,
        RefusalCode.NAME,
        RefusalCode.NEWER_RELEASE,
        RefusalCode.NO_NUMBER,
        RefusalCode.NO_SEAT,
        RefusalCode.NO_SERIES,
        RefusalCode.NOBODY,
        RefusalCode.NOT_FAILED,
        RefusalCode.NOT_PENDING,
        RefusalCode.NOT_ROUND_ROBIN,
        RefusalCode.NOT_STARTED,
        RefusalCode.OPEN,
        RefusalCode.OVER,
        RefusalCode.PAST,
        RefusalCode.REASON,
        RefusalCode.RESCHEDULED,
        RefusalCode.RESERVATION,
        RefusalCode.SAME_HOST,
        RefusalCode.SAME_START,
        RefusalCode.SEAT,
        RefusalCode.SEATED,
        RefusalCode.SELF_HOSTED,
        RefusalCode.TIME_ZONE,
        RefusalCode.TOO_LATE,
    }
)


def may_see_people(user: Any) -> bool:
    """Return whether this user (or AnonymousUser) may view attendees, and with them every personal column."""
    return bool(user.has_perm(PERMISSION))


def is_impersonal(model: type[models.Model], name: str) -> bool:
    """Return whether people without the permission to view attendees may see a column; "pk" names any primary key."""
    return name == "pk" or name in IMPERSONAL.get(model, ())


def hidden_columns(model: type[models.Model]) -> list[str]:
    """Return the columns of the model's own table that are not impersonal."""
    return [
        field.name
        for field in model._meta.concrete_fields
        if not (field.primary_key or is_impersonal(model, field.name))
    ]


def narrowed(rows: Any, *relations: str) -> Any:
    """Return the queryset without the personal columns of its own rows and of the joined `relations`.

    The `str` of a row holds no column that was not read. Makes no query.
    """
    hidden = hidden_columns(rows.model)
    for name in relations:
        related = rows.model._meta.get_field(name).related_model
        hidden += [f"{name}__{column}" for column in hidden_columns(related)]
    return rows.defer(*hidden)


def impersonal_changes(changes: Any) -> dict[str, Any]:
    """Return the part of a `BookingChange.changes` that names no attendee."""
    if not isinstance(changes, Mapping):
        return {}
    kept = {
        name: pair for name, pair in changes.items() if is_impersonal(Booking, name)
    }
    if "hosts" in kept:
        kept["hosts"] = _without_hidden_keys(kept["hosts"])
    return kept


def impersonal_failures(failures: Any) -> list[dict[str, Any]]:
    """Return the failures of a run without the uids."""
    entries = failures if isinstance(failures, Iterable) else []
    return [
        {name: entry[name] for name in FAILURE if name in entry}
        for entry in entries
        if isinstance(entry, Mapping)
    ]


def _without_hidden_keys(pair: Any) -> Any:
    """Return the old and the new hosts of a booking, each with its impersonal columns only."""
    if isinstance(pair, Mapping):
        return {name: pair[name] for name in pair if is_impersonal(Host, name)}
    return (
        [_without_hidden_keys(hosts) for hosts in pair]
        if isinstance(pair, list)
        else ""
    )
