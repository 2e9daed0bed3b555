"""Filters of the admin lists. None loads a table, none scans one: choices are fixed, few, or looked up as one types."""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from cal_bookings.admin import dates
from cal_bookings.admin.lookups import read_key
from cal_bookings.models import Attendee, Booking, BookingAction, Status

FEW = 100  # choices in a list that people scroll
MOST_CHOSEN = 1_000  # primary keys in an address


class WhenFilter(admin.SimpleListFilter):
    """Days and weeks are those of the current time zone and language."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("upcoming", _("Upcoming")),
            ("today", _("Today")),
            ("week", _("This week")),
            ("past", _("Past")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        today = timezone.localdate()
        match self.value():
            case "upcoming":
                return queryset.upcoming()
            case "today":
                return _starting_within(queryset, today, days=1)
            case "week":
                return _starting_within(
                    queryset, dates.first_day_of_week(today), days=7
                )
            case "past":
                return queryset.past()
            case _:
                return queryset


class StatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Status.choices, ("other", _("Other"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        value = self.value()
        if value == "other":
            return queryset.filter(_between(Status.values))
        return queryset.filter(status=value) if value else None


class MissingFilter(admin.SimpleListFilter):
    title = _("on Cal.com")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Still there")), ("yes", _("Missing"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        if self.value() not in {"yes", "no"}:
            return None
        return queryset.filter(missing_since__isnull=self.value() == "no")


class PendingFilter(admin.SimpleListFilter):
    """Requests that nobody has answered yet, by how long they have waited."""

    title = _("waiting for an answer")
    parameter_name = "pending_for"
    HOURS = (4, 24, 72)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        text = ngettext_lazy("Over %(hours)d hour", "Over %(hours)d hours", "hours")
        return [(str(hours), text % {"hours": hours}) for hours in self.HOURS]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        hours = read_key(self.value() or "")
        if hours is None:
            return None
        # Longer than anybody waits, shorter than what a date can hold.
        waited = dt.timedelta(hours=min(hours, 100_000))
        return queryset.filter(
            status=Status.PENDING, remote_created_at__lt=timezone.now() - waited
        )


class AbsentFilter(admin.SimpleListFilter):
    title = _("absent")
    parameter_name = "absent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("host", _("Host")), ("attendee", _("Attendee"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        match self.value():
            case "host":
                return queryset.filter(absent_host=True)
            case "attendee":
                absent = Attendee.objects.filter(absent=True).order_by()
                return queryset.filter(pk__in=absent.values("booking"))
            case _:
                return None


class ActionFilter(admin.SimpleListFilter):
    title = _("action")
    parameter_name = "action_is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Open")), ("failed", _("Failed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        match self.value():
            case "open":
                actions = BookingAction.objects.open()
            case "failed":
                actions = BookingAction.objects.filter(
                    status=BookingAction.Status.FAILED
                )
            case _:
                return None
        named = actions.filter(booking__isnull=False).order_by()
        return queryset.filter(pk__in=named.values("booking"))


class SeriesFilter(admin.SimpleListFilter):
    """The bookings of one series, named by one of them: the uid of a series is for who may see people."""

    title = _("series")
    parameter_name = "series"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        pk = read_key(self.value() or "")
        return [] if pk is None else [(str(pk), _("Of booking %s") % pk)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        pk = read_key(self.value() or "")
        if pk is None:
            return None
        one = Booking.objects.exclude(recurring_booking_uid="").filter(pk=pk).first()
        if one is None:
            return queryset.none()
        return queryset.filter(
            account=one.account_id, recurring_booking_uid=one.recurring_booking_uid
        )


class ChosenFilter(admin.SimpleListFilter):
    """The rows with these primary keys, to which a message links."""

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
    """Says what it is for while it is empty; relation_filter.js calls it by that."""

    @property
    def media(self) -> forms.Media:
        # The order of two names is kept wherever media are put together.
        ours = ["admin/js/autocomplete.js", "cal_bookings/relation_filter.js"]
        return super().media + forms.Media(js=ours)

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        attrs = super().build_attrs(base_attrs, extra_attrs)
        return {**attrs, "data-placeholder": str(self.field.verbose_name)}


class RelationFilter(admin.ListFilter):
    """Few rows are a plain choice, which needs no script; many are looked up as one types, by the admin's own box.

    Django's own filter of relations joins, so that rows come several times, and has the database compare all columns
    of all of them to tell which are the same.
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
        #: "True" for the rows without any; the calendar links to them.
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
        found = list(few[: FEW + 1])
        if len(found) <= FEW:
            choices = [("", _("All")), *((str(one.pk), str(one)) for one in found)]
            return forms.ChoiceField(choices=choices, label=self.title, required=False)
        box = NamedBox(self.field, self.site)
        return forms.ModelChoiceField(
            rows, label=self.title, required=False, widget=box
        )


class AccountFilter(RelationFilter):
    name, title = "account", _("account")


class EventTypeFilter(RelationFilter):
    name, title = "event_type", _("event type")


class HostFilter(RelationFilter):
    name, title = "hosts", _("host")


def _between(values: list[str]) -> Q:
    """All statuses but `values`, as the ranges between them: NOT IN cannot use an index, and there are few others."""
    first, *_, last = ordered = sorted(values)
    ranges = Q(status__lt=first) | Q(status__gt=last)
    for low, high in pairwise(ordered):
        ranges |= Q(status__gt=low, status__lt=high)
    return ranges


def _starting_within(queryset: QuerySet, first: dt.date, *, days: int) -> QuerySet:
    return queryset.filter(
        start__gte=dates.midnight(first),
        start__lt=dates.midnight(first + days * dates.DAY),
    )
