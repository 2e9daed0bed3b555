"""The rows of the list of bookings, with only the data that its columns show."""

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest

from cal_bookings.admin import visibility
from cal_bookings.admin.bookings.booking_filters import is_about_dates
from cal_bookings.admin.long_lists import DatedList
from cal_bookings.models import Attendee, Booking, BookingAction


class BookingList(DatedList):
    """A list that loads only the data it shows; the booking's page loads everything."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet:
        """Return the bookings of the page with the data of the columns that this person may see."""
        queryset = super().get_queryset(request, *args, **kwargs)
        queryset = queryset.defer(*Booking.BULKY).prefetch_related(
            Prefetch("actions", _unfinished_and_failed(), to_attr="shown_actions")
        )
        if not visibility.may_see_people(request):
            return queryset
        shown = ["booking", "position", "name", "email", "display_email"]
        attendees = Attendee.objects.only(*shown, "phone_number")
        return queryset.prefetch_related(Prefetch("attendees", attendees))

    @property
    def calendar_query(self) -> str:
        """Return the query of the filters that the calendar has too."""
        declared: Any = self.list_filter
        dates = [item.parameter_name for item in declared if is_about_dates(item)]
        return self.get_query_string(remove=[*dates, "start__", "q", "o"])


def _unfinished_and_failed() -> QuerySet:
    """Return the open actions and those that failed in the last week."""
    shown = Q(status__in=BookingAction.OPEN) | BookingAction.failed_lately()
    actions = BookingAction.objects.filter(shown).order_by("pk")
    return actions.only("booking", "kind", "status")
