"""What people have judged to be personal. Whatever is neither here nor in the allow-lists, nobody has judged yet."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.db import models

from cal_bookings import privacy
from cal_bookings.admin.bookings.export import COLUMNS
from cal_bookings.admin.visibility import DISPLAYS
from cal_bookings.models import (
    Account,
    ActionAttempt,
    Attendee,
    Booking,
    BookingAction,
    BookingChange,
    EventType,
    Host,
    SlotReservation,
    SyncRun,
    SyncState,
    WebhookDelivery,
    WebhookReceiver,
)
from tests.privacy.addresses import names

PERSONAL: dict[type[models.Model], set[str]] = {
    Account: {
        "credentials",
        "webhook_secrets",
        "circuit_key",
        "owner_key",
        "source_key",
    },
    EventType: {"payload"},
    Host: {"email"},
    Booking: {
        "uid",
        "title",
        "description",
        "location",
        "cancellation_reason",
        "cancelled_by_email",
        "rescheduling_reason",
        "rescheduled_by_email",
        "rescheduled_from_uid",
        "rescheduled_to_uid",
        "recurring_booking_uid",
        "ics_uid",
        "guests",
        "metadata",
        "booking_fields_responses",
        "payload",
    },
    Attendee: {
        "id",
        "booking",
        "position",
        "name",
        "email",
        "display_email",
        "time_zone",
        "language",
        "phone_number",
        "absent",
        "seat_uid",
        "metadata",
        "booking_fields_responses",
    },
    BookingChange: {"changes"},
    BookingAction: {
        "parameters",
        "seen",
        "found",
        "lane",
        "result_uid",
        "note",
        "note_sentences",
        "error_message",
        "error_message_sentences",
    },
    ActionAttempt: {"error_code", "error_message", "error_message_sentences"},
    # Whoever knows it may release the slot.
    SlotReservation: {"uid"},
    SyncState: {"checkpoint"},
    SyncRun: {"failures"},
    WebhookReceiver: {"path_id", "former_path_id"},
    WebhookDelivery: {"uid", "old_uid", "seat_uid", "mark", "rejection_reason"},
}

#: What pages compute from personal columns.
PERSONAL_DISPLAYS: dict[type[models.Model], set[str]] = {
    EventType: {"pretty_payload"},
    Booking: {
        "attendees",
        "attendee_names",
        "location_link",
        "on_cal_com",
        "pretty_responses",
        "pretty_guests",
        "pretty_metadata",
        "pretty_payload",
    },
    Attendee: {"who", "start", "time_there", "pretty_responses", "pretty_metadata"},
    BookingChange: {"what"},
    BookingAction: {
        "pretty_parameters",
        "seen_and_found",
        "short_error",
        "error_text",
        "note_text",
    },
    ActionAttempt: {"error_text"},
    SyncState: {"short_error", "pretty_checkpoint"},
    SyncRun: {"what_failed"},
}

#: The addresses that were walked with canaries. Those that Django gives to every model are judged with it.
ADDRESSES = {
    "cal_bookings_account_pause",
    "cal_bookings_account_replace_key",
    "cal_bookings_account_resume",
    "cal_bookings_account_test",
    "cal_bookings_account_webhooks",
    "cal_bookings_booking_act",
    "cal_bookings_booking_calendar",
    "cal_bookings_booking_refresh",
    "cal_bookings_bookingaction_requeue",
    "cal_bookings_bookingaction_withdraw",
    "cal_bookings_overview",
    "cal_bookings_sync_now",
}
OF_DJANGO = ("add", "change", "changelist", "delete", "history")
JUDGED_MODELS = {
    *(Account, Attendee, Booking, BookingAction, BookingChange),
    *(EventType, Host, SlotReservation, SyncRun, SyncState, WebhookDelivery),
}


def unjudged() -> list[str]:
    """What is new: columns, displays, search fields, columns of the export and addresses that nobody has judged."""
    return sorted({*_columns(), *_displays(), *_exported(), *_addresses()})


def _columns() -> Iterator[str]:
    for model in apps.get_app_config("cal_bookings").get_models():
        fields = {
            field.name
            for field in [*model._meta.concrete_fields, *model._meta.many_to_many]
        }
        judged = privacy.IMPERSONAL.get(model, frozenset()) | PERSONAL.get(model, set())
        yield from (f"column {model.__name__}.{name}" for name in fields - judged)


def _displays() -> Iterator[str]:
    for model, model_admin in _admins():
        shown = {*_shown(model_admin)}
        known = privacy.IMPERSONAL.get(model, frozenset()) | PERSONAL.get(model, set())
        known |= DISPLAYS.get(model, frozenset()) | PERSONAL_DISPLAYS.get(model, set())
        yield from (f"display {model.__name__}.{name}" for name in shown - known)


def _admins() -> Iterator[tuple[Any, Any]]:
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label == "cal_bookings":
            yield model, model_admin
            for inline in model_admin.inlines:
                yield inline.model, inline


def _shown(model_admin: Any) -> Iterator[str]:
    yield from getattr(model_admin, "list_display", ())
    yield from flatten(model_admin.fields or ())
    yield from model_admin.readonly_fields or ()
    for _heading, options in model_admin.fieldsets or ():
        yield from flatten(options["fields"])


def _exported() -> Iterator[str]:
    judged = (
        privacy.IMPERSONAL[Booking] | PERSONAL[Booking] | PERSONAL_DISPLAYS[Booking]
    )
    yield from (f"export {name}" for name in COLUMNS.keys() - judged)


def _addresses() -> Iterator[str]:
    standard = {
        f"cal_bookings_{model._meta.model_name}_{page}"
        for model in JUDGED_MODELS
        for page in OF_DJANGO
    }
    yield from (f"address {name}" for name in names() - ADDRESSES - standard)


def judged_twice() -> list[str]:
    """What stands in both lists, or in one although it is gone."""
    names = []
    for model, personal in PERSONAL.items():
        impersonal = privacy.IMPERSONAL.get(model, frozenset())
        names += [f"{model.__name__}.{name}: both" for name in personal & impersonal]
    for model, listed in privacy.IMPERSONAL.items():
        fields = {field.name for field in model._meta.get_fields()}
        gone = (listed | PERSONAL.get(model, set())) - fields
        names += [f"{model.__name__}.{name}: gone" for name in gone]
    return sorted(names)
