"""The filters of bookings, which list and calendar share. Choices are fixed, so that no filter scans a table."""

import datetime as dt
from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from cal_bookings.admin import dates
from cal_bookings.admin.filters import RelationFilter
from cal_bookings.admin.lookups import read_key
from cal_bookings.models import Attendee, Booking, BookingAction, Status


def is_about_dates(item: Any) -> bool:
    """Return whether an entry of `list_filter` chooses dates; the calendar, with dates of its own, leaves it out."""
    return getattr(item, "is_about_dates", False)


class WhenFilter(admin.SimpleListFilter):
    """A filter by start, with days and weeks in the current time zone and language."""

    title = _("time")
    parameter_name = "when"
    is_about_dates = True

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
    title = _("presence on Cal.com")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Still there")), ("yes", _("Missing"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        if self.value() not in {"yes", "no"}:
            return None
        return queryset.filter(missing_since__isnull=self.value() == "no")


class PendingFilter(admin.SimpleListFilter):
    """A filter of requests that wait for confirmation, by the time that they have waited."""

    title = _("time without an answer")
    parameter_name = "pending_for"
    HOURS = (4, 24, 72)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        text = ngettext_lazy("Over %(hours)d hour", "Over %(hours)d hours", "hours")
        return [(str(hours), text % {"hours": hours}) for hours in self.HOURS]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        hours = read_key(self.value() or "")
        if hours is None:
            return None
        # A time longer than any wait, and short enough for a date.
        waited = dt.timedelta(hours=min(hours, 100_000))
        return queryset.filter(
            status=Status.PENDING, remote_created_at__lt=timezone.now() - waited
        )


class AbsentFilter(admin.SimpleListFilter):
    title = _("absence")
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
    """A filter by series. The address names a booking of it, because the uid of a series is personal."""

    title = _("series")
    parameter_name = "series"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        pk = read_key(self.value() or "")
        return [] if pk is None else [(str(pk), _("Of booking %s") % pk)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        pk = read_key(self.value() or "")
        if pk is None:
            return None
        named = Booking.objects.exclude(recurring_booking_uid="").filter(pk=pk).first()
        if named is None:
            return queryset.none()
        return queryset.filter(
            account=named.account_id, recurring_booking_uid=named.recurring_booking_uid
        )


class EventTypeFilter(RelationFilter):
    name, title = "event_type", _("event type")


class HostFilter(RelationFilter):
    name, title = "hosts", _("host")


def _between(values: list[str]) -> Q:
    """Return the condition for all statuses but `values`, as the ranges between them, because NOT IN uses no index."""
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
