"""What all our admin pages share: they show and never write, and they never read a credential."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import HttpRequest

from cal_bookings.admin.filters import NamedBox
from cal_bookings.admin.listing import DatedList
from cal_bookings.admin.pagination import BoundedPaginator


class ReadOnly:
    """No add, no change, no delete; who may see is Django's view permission."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):
    #: Facets count every choice of every filter, each a query over the whole table.
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    paginator = BoundedPaginator

    @property
    def media(self) -> forms.Media:
        return super().media + forms.Media(css={"all": ["cal_bookings/admin.css"]})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DatedList


class ReadOnlyInline(ReadOnly, admin.TabularInline):
    template = "admin/cal_bookings/tabular.html"
    extra = 0
    can_delete = False


class OfAccountAdmin(ReadOnlyAdmin):
    """For models with an `account`, which every page of theirs shows."""

    @property
    def media(self) -> forms.Media:
        """With what the box of a `RelationFilter` needs: a list has no form of its own that would bring it."""
        account = self.opts.get_field("account")
        return super().media + NamedBox(account, self.admin_site).media

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        queryset = super().get_queryset(request).select_related("account")
        # Reading a credential decrypts it: needless, and an error where its key is gone.
        return queryset.defer("account__credentials")
