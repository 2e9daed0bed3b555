"""Every address of the admin that leads to us, and what a browser could post there."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, reverse

from cal_bookings.admin.booking_actions.forms import ACTIONS
from cal_bookings.admin.booking_actions.pages import format_selection
from tests.privacy.canaries import Rows

MODELS = [
    model
    for model in apps.get_app_config("cal_bookings").get_models()
    if admin.site.is_registered(model)
]


def names() -> set[str]:
    """The names of the addresses of our models' pages."""
    return set(_names(admin.site.get_urls()))


def _names(patterns: list[Any]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and (pattern.name or "").startswith(
            "cal_"
        ):
            yield str(pattern.name)


def urls(limit: int | None = None) -> Iterator[str]:
    """Every address, with the primary keys of the rows there are, or of this many."""
    for name in sorted(names()):
        yield from _filled_in(name, limit)
    yield reverse("admin:index")
    yield reverse("admin:app_list", args=["cal_bookings"])


def _filled_in(name: str, limit: int | None) -> Iterator[str]:
    if name == "cal_bookings_booking_act":
        yield from (reverse(f"admin:{name}", args=[act]) for act in ACTIONS)
        return
    if name.endswith(("_changelist", "_add", "_calendar", "_overview")):
        yield reverse(f"admin:{name}")
        return
    if name == "cal_bookings_sync_now":
        model: Any = apps.get_model("cal_bookings", "account")
    else:
        model = apps.get_model("cal_bookings", name.split("_")[2])
    for pk in model.objects.order_by("pk").values_list("pk", flat=True)[:limit]:
        yield reverse(f"admin:{name}", args=[pk])


def autocompletions(*terms: str) -> Iterator[str]:
    """What completes the name of a row, by every relation that could ask for it."""
    url = reverse("admin:autocomplete")
    for model in apps.get_app_config("cal_bookings").get_models():
        for field in model._meta.concrete_fields + model._meta.many_to_many:
            if field.is_relation:
                names = f"model_name={model._meta.model_name}&field_name={field.name}"
                for term in terms:
                    yield f"{url}?app_label=cal_bookings&{names}&term={term}"


def posts(rows: Rows) -> Iterator[dict[str, Any]]:
    """What a form of ours could send: the acts, asked for and confirmed, and the actions of the list."""
    selection = {"bookings": format_selection(rows.bookings)}
    yield selection
    for booking in rows.bookings:
        one = {"bookings": format_selection([booking]), "from": "page"}
        yield one
        yield one | {"confirmed": "yes"}
        typed = {"reason": "Snow", "host": "on", "everybody": "on"}
        guessed = {"attendees": "canary@example.net", "seats": "canary-seat-over"}
        yield one | {"confirmed": "yes"} | typed
        yield one | {"confirmed": "yes", "reason": "Snow"} | guessed


def actions(rows: Rows) -> Iterator[dict[str, Any]]:
    chosen = {"_selected_action": [booking.pk for booking in rows.bookings]}
    for name in ("export_csv", "export_ical", "refresh", *ACTIONS):
        yield {"action": name} | chosen


def everything_said(response: HttpResponse) -> str:
    """All that a browser gets to see: the page, its headers, and the messages of the next one."""
    said = [response.content.decode(errors="replace")]
    said += [f"{name}: {value}" for name, value in response.items()]
    request: Any = getattr(response, "wsgi_request", None)
    said += [str(message) for message in get_messages(request)] if request else []
    return "\n".join(said)
