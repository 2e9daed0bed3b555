"""Filters that several lists share. None of them loads or scans a table: choices are few, or looked up on typing."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from cal_bookings.admin.lookups import read_key

FEW = 100  # choices in a list that people scroll
MOST_CHOSEN = 1_000  # primary keys in an address


class ChosenFilter(admin.SimpleListFilter):
    """A filter for rows by primary key, to which messages link."""

    title = _("chosen")
    parameter_name = "id__in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.value() or "", _("The chosen ones"))] if self._keys else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        return queryset.filter(pk__in=self._keys) if self._keys else None

    @property
    def _keys(self) -> list[int]:
        texts = (self.value() or "").split(",")[:MOST_CHOSEN]
        return [pk for text in texts if (pk := read_key(text)) is not None]


class NamedBox(AutocompleteSelect):
    """An autocompletion box that shows the field's name while it is empty; relation_filter.js labels the box so."""

    @property
    def media(self) -> forms.Media:
        # Django keeps the order of these two scripts when it merges media.
        ours = ["admin/js/autocomplete.js", "cal_bookings/relation_filter.js"]
        return super().media + forms.Media(js=ours)

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        attrs = super().build_attrs(base_attrs, extra_attrs)
        return {**attrs, "data-placeholder": str(self.field.verbose_name)}


class RelationFilter(admin.ListFilter):
    """A filter by related row: a plain choice without a script if the rows are few, else the admin's autocompletion.

    Django's own filter of relations joins tables, so that rows come several times, and the database must compare all
    columns of all rows to find the duplicates.
    """

    template = "admin/cal_bookings/relation_filter.html"
    name: str

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, Any],
        model: Any,
        model_admin: Any,
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.request = request
        self.field: Any = model._meta.get_field(self.name)
        self.site = model_admin.admin_site
        self.related = self.field.remote_field.model
        self.parameter_name = f"{self.name}__id__exact"
        #: The parameter that is "True" for rows without a related row; the calendar links to them.
        self.none_name = f"{self.name}__isnull"
        for name in (self.parameter_name, self.none_name):
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name, self.none_name]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.used_parameters.get(self.none_name) == "True":
            queryset = queryset.filter(**{self.none_name: True})
        chosen: Any = self.used_parameters.get(self.parameter_name)
        if not chosen:
            return queryset
        pk = read_key(chosen)
        if pk is None:
            raise IncorrectLookupParameters(f"{chosen!r} is no primary key.")
        if not self.field.many_to_many:
            return queryset.filter(**{self.name: pk})
        through = self.field.remote_field.through._default_manager
        own, other = self.field.m2m_field_name(), self.field.m2m_reverse_field_name()
        return queryset.filter(pk__in=through.filter(**{other: pk}).values(own))

    def has_output(self) -> bool:
        if not self.site.is_registered(self.related):
            return False
        related_admin = self.site.get_model_admin(self.related)
        return bool(related_admin.has_view_permission(self.request))

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        yield {
            "box": self._form()[self.parameter_name],
            "others": [
                (name, value)
                for name, values in self.request.GET.lists()
                if name not in {self.parameter_name, self.none_name, "p"}
                for value in values
            ],
            "chosen": bool(self.used_parameters),
            "without": changelist.get_query_string(
                remove=[self.parameter_name, self.none_name]
            ),
        }

    def _form(self) -> forms.Form:
        form = forms.Form(self.request.GET)
        form.fields[self.parameter_name] = self._field()
        return form

    def _field(self) -> forms.Field:
        related_admin = self.site.get_model_admin(self.related)
        rows: Any = related_admin.get_queryset(self.request)
        few = rows.order_by(*related_admin.get_ordering(self.request) or ["pk"])
        first = list(few[: FEW + 1])
        if len(first) <= FEW:
            choices = [("", _("All")), *((str(row.pk), str(row)) for row in first)]
            return forms.ChoiceField(choices=choices, label=self.title, required=False)
        box = NamedBox(self.field, self.site)
        return forms.ModelChoiceField(
            rows, label=self.title, required=False, widget=box
        )


class AccountFilter(RelationFilter):
    name, title = "account", _("account")
