"""The filters that an address may use on a list: the declared filters alone, for each person.

Django lets an address filter on any column, so that people can guess it letter by letter: ``payload__…__startswith=z``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.contrib.admin import FieldListFilter, ListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.widgets import url_params_from_lookup_dict
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpRequest

DATE_PARTS = ("year", "month", "day")
#: The texts that name a primary key: up to 18 digits, which a column of keys holds in any database.
PRIMARY_KEY = re.compile(r"[0-9]{1,18}")


def read_key(text: str) -> int | None:
    """Return the primary key that an address or a form names; None if it is no number, or larger than any key."""
    return int(text) if PRIMARY_KEY.fullmatch(text) else None


def is_declared(
    model_admin: Any, lookup: str, value: Any, request: HttpRequest
) -> bool:
    """Return whether a filter of the list or its date hierarchy has this parameter.

    The limit of a site's foreign key on its choices is allowed too, with exactly that value, because Django's pop-up
    uses it.
    """
    limits = (
        limit() if callable(limit) else limit
        for limit in model_admin.model._meta.related_fkey_lookups
    )
    if any(
        (lookup, value) in url_params_from_lookup_dict(limit).items()
        for limit in limits
    ):
        return True
    return lookup in set(_declared(model_admin, request))


def can_be_completed(query: Mapping[str, str]) -> bool:
    """Return whether a form of the model can have the relation that an autocompletion names.

    Django's own view fails with a reverse relation, such as the bookings of an account. Returns True for an address
    that names no relation.
    """
    try:
        model = apps.get_model(query.get("app_label", ""), query.get("model_name", ""))
        field = model._meta.get_field(query.get("field_name", ""))
    except (LookupError, FieldDoesNotExist):
        return True
    return hasattr(field, "get_limit_choices_to")


def _declared(model_admin: Any, request: HttpRequest) -> Iterator[str]:
    for item in model_admin.get_list_filter(request):
        yield from _parameters(model_admin, item, request)
    if model_admin.date_hierarchy:
        for part in DATE_PARTS:
            yield f"{model_admin.date_hierarchy}__{part}"


def _parameters(model_admin: Any, item: Any, request: HttpRequest) -> Iterator[str]:
    """Yield the parameters of an entry of `list_filter`: a class, the name of a field, or a field with its class."""
    model = model_admin.model
    if isinstance(item, type) and issubclass(item, ListFilter):
        spec: Any = item(request, {}, model, model_admin)
    else:
        path, make = (
            item if isinstance(item, (list, tuple)) else (item, FieldListFilter.create)
        )
        field = get_fields_from_path(model, path)[-1]
        spec = make(field, request, {}, model, model_admin, field_path=path)
    yield from filter(None, spec.expected_parameters())
