"""The visibility of the admin's content. `cal_bookings.privacy` judges columns; the list here judges displays."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext as _

from cal_bookings import outbox, privacy
from cal_bookings.budget import advice
from cal_bookings.models import (
    Account,
    Booking,
    BookingAction,
    BookingChange,
    EventType,
    Host,
    SyncRun,
    SyncState,
)

#: The impersonal computed displays, by model. `str` of a row is one of them: it holds only columns that were read.
DISPLAYS: Mapping[type[models.Model], frozenset[str]] = {
    Account: frozenset(
        {"credential_from", "paused_until", "why_paused", "webhooks", "its_bookings"}
    ),
    EventType: frozenset({"__str__", "its_bookings"}),
    Host: frozenset({"__str__", "its_bookings"}),
    Booking: frozenset(
        {
            "name",
            "status_and_actions",
            "status_badge",
            "when",
            "host_names",
            "host_links",
            "other_bookings",
            "series",
        }
    ),
    BookingChange: frozenset({"__str__", "booking_name", "impersonal"}),
    BookingAction: frozenset({"name", "badge", "booking_link"}),
    SyncState: frozenset({"paused_until", "paused_because", "error_text"}),
    SyncRun: frozenset({"took", "error_text", "impersonal_failures"}),
}


def may_see_people(request: HttpRequest) -> bool:
    return privacy.may_see_people(request.user)


def is_visible(model: type[models.Model], name: Any, request: HttpRequest) -> bool:
    """Return whether this person may see the column or the computed display `name`."""
    return (
        may_see_people(request)
        or privacy.is_impersonal(model, name)
        or name in DISPLAYS.get(model, ())
    )


def visible(
    model: type[models.Model], names: Iterable[Any], request: HttpRequest
) -> list[Any]:
    """Return the names that this person may see; a tuple holds names that share a line. An empty line is left out."""
    shown: list[Any] = []
    for name in names:
        if isinstance(name, (list, tuple)):
            line = tuple(visible(model, name, request))
            shown += [line] if line else []
        elif is_visible(model, name, request):
            shown.append(name)
    return shown


def visible_fieldsets(
    model: type[models.Model], fieldsets: Iterable[Any], request: HttpRequest
) -> list[Any]:
    """Return the fieldsets with the fields that this person may see. An empty fieldset is left out."""
    shown = [
        (heading, {**options, "fields": visible(model, options["fields"], request)})
        for heading, options in fieldsets
    ]
    return [(heading, options) for heading, options in shown if options["fields"]]


def narrowed(rows: Any, request: HttpRequest, *relations: str) -> Any:
    """Return the queryset without the columns that this person may not see; see `privacy.narrowed`."""
    return rows if may_see_people(request) else privacy.narrowed(rows, *relations)


def refusal_text(refusal: outbox.Refused, *, people: bool) -> str:
    """Return the reason of a refusal in words; without `people`, in words that name nobody."""
    if people or refusal.code in privacy.REFUSALS:
        return str(refusal.message)
    return _("This cannot be done. People who may view attendees see why.")


def explain(account: Account, error: Exception, request: HttpRequest) -> str:
    """Return why a person's request failed, and the cure; with Cal.com's own words if the person may see people."""
    quoting = may_see_people(request)
    question = advice.Operation.QUESTION
    return str(advice.explain(account, error, question, quoting=quoting))
