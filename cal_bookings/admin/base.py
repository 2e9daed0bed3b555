"""The base of the app's admin pages, which never write, and show each person only what that person may see."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import HttpRequest, HttpResponse

from cal_bookings.admin import (
    lookups,
    visibility,
)
from cal_bookings.admin.filters import NamedBox
from cal_bookings.admin.long_lists import BoundedPaginator, DatedList


class ReadOnlyMixin:
    """A mixin without add, change and delete. Django's view permission decides who may see the pages.

    Only people who may view attendees see the fields that are not impersonal (`cal_bookings.privacy`).
    """

    model: type[models.Model]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        declared: Any = super().get_fieldsets(request, obj)  # type: ignore[misc]  # a method of ModelAdmin
        return visibility.visible_fieldsets(self.model, declared, request)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rows without the columns that this person may not see."""
        rows: Any = super().get_queryset(request)  # type: ignore[misc]
        return visibility.narrowed(rows, request)


class ReadOnlyAdmin(ReadOnlyMixin, admin.ModelAdmin):
    #: Facets are off: they count each choice of each filter with a query over the whole table.
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    paginator = BoundedPaginator

    @property
    def media(self) -> forms.Media:
        return super().media + forms.Media(css={"all": ["cal_bookings/admin.css"]})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DatedList

    def get_list_display(self, request: HttpRequest) -> Any:
        return visibility.visible(
            self.model, super().get_list_display(request), request
        )

    def get_search_fields(self, request: HttpRequest) -> Any:
        return visibility.visible(
            self.model, super().get_search_fields(request), request
        )

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Return the rows that `search` finds; none for a text with a NUL, which no database accepts.

        Django's search box refuses such a text, but its autocompletion does not.
        """
        if "\0" in search_term:
            return queryset.none(), False
        return self.search(request, queryset, search_term.strip())

    def search(
        self, request: HttpRequest, queryset: Any, text: str
    ) -> tuple[Any, bool]:
        """Return the rows that `text` finds, and whether a row may come several times."""
        return super().get_search_results(request, queryset, text)

    def lookup_allowed(
        self, lookup: str, value: Any, request: HttpRequest | None = None
    ) -> bool:
        return request is not None and lookups.is_declared(self, lookup, value, request)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Return whether a pop-up or an autocompletion may refer to rows by this field."""
        allowed = super().to_field_allowed(request, to_field)
        return allowed and lookups.can_be_completed(request.GET)

    def response_action(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run the chosen action without the selected keys that are no numbers, with which Django fails."""
        posted = request.POST.copy()
        chosen = posted.getlist(ACTION_CHECKBOX_NAME)
        keys = [text for text in chosen if lookups.read_key(text) is not None]
        posted.setlist(ACTION_CHECKBOX_NAME, keys)
        request.POST = posted  # type: ignore[assignment]
        return super().response_action(request, *args, **kwargs)


class ReadOnlyInline(ReadOnlyMixin, admin.TabularInline):
    template = "admin/cal_bookings/tabular.html"
    extra = 0
    can_delete = False


class OfAccountAdmin(ReadOnlyAdmin):
    """The base of admins whose model has an `account`, which each of their pages shows."""

    @property
    def media(self) -> forms.Media:
        """The media, with the scripts of a `RelationFilter`'s box: a list has no form that would add them."""
        account = self.opts.get_field("account")
        return super().media + NamedBox(account, self.admin_site).media

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("account")
