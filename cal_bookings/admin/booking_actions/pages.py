"""The page of a booking action, which shows the eligible bookings; a button puts the action into the outbox.

This page sends Cal.com only requests that read: free times, and bookings that are refreshed.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from cal_bookings import db
from cal_bookings.admin import (
    dates,
    formatting,
    visibility,
)
from cal_bookings.admin.booking_actions import free_slots
from cal_bookings.admin.booking_actions.forms import (
    ACTIONS,
    RescheduleForm,
    StaffAction,
)
from cal_bookings.admin.lookups import read_key
from cal_bookings.models import Booking
from cal_bookings.outbox import Decision, Refused

SELECTED = 1_000  # bookings of one action
REASONS_SHOWN = 5  # in the message; the page of the action shows them all


class BookingActionsMixin(admin.ModelAdmin):
    """A mixin with the actions of the list, and with ``admin:cal_bookings_booking_act``, to which their pages post."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.action_view))
        name = "cal_bookings_booking_act"
        return [path("act/<slug:name>/", view, name=name), *super().get_urls()]

    def actions_for(self, request: HttpRequest) -> list[StaffAction]:
        """Return the actions that this person may do on a single booking."""
        user = request.user
        return [act for act in ACTIONS.values() if user.has_perm(act.permission)]

    def action_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Show the page of an action; with `confirmed` and a valid form, enqueue the action for the bookings."""
        action = ACTIONS.get(name)
        if action is None:
            raise Http404
        if not request.user.has_perm(action.permission):
            raise PermissionDenied
        if not self.has_view_permission(request):
            raise PermissionDenied
        seen = parse_selection(request.POST.get("bookings", ""))
        bookings = self._selected(request, seen)
        if "confirmed" not in request.POST:
            return self.action_page(request, action, bookings)
        people = visibility.may_see_people(request)
        form = action.form(request.POST, bookings=bookings, people=people)
        if not form.is_valid():
            return self.action_page(request, action, bookings, form)
        unchanged = [
            booking for booking in bookings if booking.payload_hash == seen[booking.pk]
        ]
        with db.atomic():
            decisions = action.enqueue(form, unchanged, requested_by=request.user)
            self._log(request, action, decisions)
        changed = len(bookings) - len(unchanged)
        self._report(request, action, decisions, changed=changed)
        return HttpResponseRedirect(self._way_back(request, bookings))

    def action_page(
        self,
        request: HttpRequest,
        action: StaffAction,
        bookings: Sequence[Booking],
        form: Any = None,
    ) -> HttpResponse:
        """Show the form, and which of the bookings are eligible."""
        people = visibility.may_see_people(request)
        form = form or action.form(bookings=bookings, people=people)
        if isinstance(form, RescheduleForm):
            self._offer_free_times(request, form, bookings[0])
        decisions = action.examine(form)
        rows = [
            _row(booking, decision, people=people)
            for booking, decision in zip(bookings, decisions, strict=True)
        ]
        eligible = sum(decision.refusal is None for decision in decisions)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media + form.media,
            "title": action.label,
            "action": action,
            "form": form,
            "rows": rows,
            "eligible": eligible,
            "selection": format_selection(bookings),
            "filters": request.POST.get("filters", request.GET.urlencode()),
            "came_from": request.POST.get("from", ""),
            "cancel_url": self._way_back(request, bookings),
        }
        template = "admin/cal_bookings/booking/act.html"
        return TemplateResponse(request, template, context)

    def _offer_free_times(
        self, request: HttpRequest, form: RescheduleForm, booking: Booking
    ) -> None:
        day = dates.read(request.POST.get("around", ""))
        if day is None:
            day = timezone.localtime(max(booking.start, timezone.now())).date()
        form.initial["around"] = day
        try:
            form.offer(free_slots.around(request, booking, day))
        except free_slots.NotRead as error:
            message = _("Free times could not be read, so type one. %s")
            self.message_user(request, message % error, messages.WARNING)

    def choose(
        self, request: HttpRequest, action: StaffAction, queryset: Any
    ) -> HttpResponse | None:
        """Show the page of an action for the bookings that are selected in the list."""
        if queryset.order_by()[: SELECTED + 1].count() > SELECTED:
            message = _("Select at most %d bookings at a time.")
            self.message_user(request, message % SELECTED, messages.ERROR)
            return None
        bookings = list(_readable(queryset, request))
        return self.action_page(request, action, bookings)

    def _selected(self, request: HttpRequest, seen: dict[int, str]) -> list[Booking]:
        if not 0 < len(seen) <= SELECTED:
            raise Http404
        rows = _readable(self.get_queryset(request).filter(pk__in=seen), request)
        bookings = list(rows.prefetch_related("attendees").order_by("start", "pk"))
        if not bookings:
            raise Http404
        return bookings

    def _way_back(self, request: HttpRequest, bookings: Sequence[Booking]) -> str:
        """Return the address of the list as it was, or of the booking's page that led here."""
        if request.POST.get("from") == "page":
            return reverse("admin:cal_bookings_booking_change", args=[bookings[0].pk])
        filters = request.POST.get("filters", request.GET.urlencode())
        return f"{reverse('admin:cal_bookings_booking_changelist')}?{filters}"

    def _log(
        self, request: HttpRequest, action: StaffAction, decisions: list[Decision]
    ) -> None:
        keys = [decision.booking.pk for decision in decisions if decision.action]
        # The log names bookings by primary key, because people who may not view attendees may read it.
        bookings = [Booking(pk=pk) for pk in keys]
        if bookings:
            message = _("Queued: %s.") % action.label
            user: Any = request.user
            LogEntry.objects.log_actions(user.pk, bookings, CHANGE, message)

    def _report(
        self,
        request: HttpRequest,
        action: StaffAction,
        decisions: list[Decision],
        *,
        changed: int,
    ) -> None:
        actions = [decision.action for decision in decisions if decision.action]
        if actions:
            message = ngettext(
                "%(action)s: %(n)d queued.", "%(action)s: %(n)d queued.", len(actions)
            )
            text = message % {"action": action.label, "n": len(actions)}
            pks = ",".join(str(queued.pk) for queued in actions[:100])
            link = (
                f"{reverse('admin:cal_bookings_bookingaction_changelist')}?id__in={pks}"
            )
            html = format_html('{} <a href="{}">{}</a>', text, link, _("See them"))
            self.message_user(request, html, messages.SUCCESS)
        refusals = [decision.refusal for decision in decisions if decision.refusal]
        if refusals:
            people = visibility.may_see_people(request)
            html = _refused(refusals, people=people)
            self.message_user(request, html, messages.WARNING)
        if changed:
            message = ngettext(
                "%d booking has changed since you opened this page and was skipped. Review it and try again.",
                "%d bookings have changed since you opened this page and were skipped. Review them and try again.",
                changed,
            )
            self.message_user(request, message % changed, messages.WARNING)


def _readable(bookings: Any, request: HttpRequest) -> Any:
    """Return the bookings with the columns that an action needs, such as the uid of their series, which no page shows.

    People who may not see titles get bookings without them, named by primary key.
    """
    unread = [*Booking.BULKY, "account__credentials", "event_type__payload"]
    unread += [] if visibility.may_see_people(request) else ["title"]
    return bookings.defer(None).defer(*unread)


def format_selection(bookings: Sequence[Booking]) -> str:
    """Return bookings and their hashes as the text of one field, because Django accepts at most a thousand fields."""
    return ",".join(f"{booking.pk}:{booking.payload_hash}" for booking in bookings)


def parse_selection(text: str) -> dict[int, str]:
    """Return the hashes of a selection by primary key. Malformed parts are left out."""
    pairs = (part.partition(":") for part in text.split(","))
    return {pk: seen for text, _, seen in pairs if (pk := read_key(text)) is not None}


def _row(booking: Booking, decision: Decision, *, people: bool) -> tuple[Any, ...]:
    """Return the page's cells of a booking; the reason is empty if the booking is eligible."""
    refusal = decision.refusal
    reason = visibility.refusal_text(refusal, people=people) if refusal else ""
    badge = formatting.status_badge(booking.status)
    return booking, formatting.start_and_end(booking), badge, refusal, reason


def _of_list(
    action: StaffAction,
) -> Callable[[BookingActionsMixin, HttpRequest, Any], HttpResponse | None]:
    @admin.action(permissions=[action.name], description=action.label)  # type: ignore[arg-type]  # lazy text
    def choose(
        model_admin: BookingActionsMixin, request: HttpRequest, queryset: Any
    ) -> HttpResponse | None:
        return model_admin.choose(request, action, queryset)

    choose.__name__ = action.name  # the name by which the list's form calls it
    return choose


def _permission_check(
    action: StaffAction,
) -> Callable[[BookingActionsMixin, HttpRequest], bool]:
    return lambda model_admin, request: request.user.has_perm(action.permission)


for _action in ACTIONS.values():
    setattr(
        BookingActionsMixin,
        f"has_{_action.name}_permission",
        _permission_check(_action),
    )

#: The actions that a selection allows, for `ModelAdmin.actions`.
LIST_ACTIONS = [_of_list(action) for action in ACTIONS.values() if not action.is_single]


def _refused(refusals: list[Refused], *, people: bool) -> SafeString:
    count = len(refusals)
    heading = ngettext("%d booking was skipped:", "%d bookings were skipped:", count)
    reasons = dict.fromkeys(
        visibility.refusal_text(refusal, people=people) for refusal in refusals
    )
    shown = format_html_join(
        "", "<li>{}</li>", ((reason,) for reason in list(reasons)[:REASONS_SHOWN])
    )
    return format_html("{}<ul>{}</ul>", heading % count, shown)
