"""Acting on bookings: a page that says what would happen to each, and a button that puts it into the outbox.

Nothing is sent to Cal.com from here, except to look: at free times, and at bookings that are refreshed.
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

from cal_bookings import db, outbox
from cal_bookings.admin import (
    dates,
    formatting,
    visibility,
)
from cal_bookings.admin.booking_actions import free_slots
from cal_bookings.admin.booking_actions.forms import (
    ACTS,
    Act,
    RescheduleForm,
)
from cal_bookings.admin.lookups import read_key
from cal_bookings.models import Booking
from cal_bookings.outbox import Verdict

SELECTED = 1_000  # bookings of one act
REASONS_TOLD = 5  # in the message; the page before it told them all


class BookingActionsMixin(admin.ModelAdmin):
    """The acts as actions of the list, and ``admin:cal_bookings_booking_act`` to which their pages post."""

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(require_POST(self.act_view))
        name = "cal_bookings_booking_act"
        return [path("act/<slug:name>/", act, name=name), *super().get_urls()]

    def acts_for(self, request: HttpRequest) -> list[Act]:
        """What this person may do to a single booking."""
        return [act for act in ACTS.values() if request.user.has_perm(act.permission)]

    def act_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """The page, or with `confirmed` the deed."""
        act = ACTS.get(name)
        if act is None:
            raise Http404
        if not request.user.has_perm(act.permission):
            raise PermissionDenied
        if not self.has_view_permission(request):
            raise PermissionDenied
        seen = parse_selection(request.POST.get("bookings", ""))
        bookings = self._selected(request, seen)
        if "confirmed" not in request.POST:
            return self.act_page(request, act, bookings)
        people = visibility.may_see_people(request)
        form = act.form(request.POST, bookings=bookings, people=people)
        if not form.is_valid():
            return self.act_page(request, act, bookings, form)
        unchanged = [one for one in bookings if one.payload_hash == seen[one.pk]]
        with db.atomic():
            verdicts = outbox.enqueue_many(
                list(form.wishes(unchanged)), requested_by=request.user
            )
            self._log(request, act, verdicts)
        self._tell(request, act, verdicts, changed=len(bookings) - len(unchanged))
        return HttpResponseRedirect(self._way_back(request, bookings))

    def act_page(
        self,
        request: HttpRequest,
        act: Act,
        bookings: Sequence[Booking],
        form: Any = None,
    ) -> HttpResponse:
        """What would happen to each of the bookings, and the form."""
        people = visibility.may_see_people(request)
        form = form or act.form(bookings=bookings, people=people)
        if isinstance(form, RescheduleForm):
            self._offer_free_times(request, form, bookings[0])
        verdicts = outbox.examine(list(form.trial()))
        shown = {booking.pk: booking for booking in bookings}
        rows = [_row(shown[one.booking.pk], one, people=people) for one in verdicts]
        eligible = sum(one.refusal is None for one in verdicts)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media + form.media,
            "title": act.label,
            "act": act,
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
            told = _("Free times could not be read, so type one. %s")
            self.message_user(request, told % error, messages.WARNING)

    def choose(
        self, request: HttpRequest, act: Act, queryset: Any
    ) -> HttpResponse | None:
        """From the list: the page for the selected bookings."""
        if queryset.order_by()[: SELECTED + 1].count() > SELECTED:
            told = _("One act takes at most %d bookings: select fewer.")
            self.message_user(request, told % SELECTED, messages.ERROR)
            return None
        bookings = list(_readable(queryset, request))
        return self.act_page(request, act, bookings)

    def _selected(self, request: HttpRequest, seen: dict[int, str]) -> list[Booking]:
        if not 0 < len(seen) <= SELECTED:
            raise Http404
        rows = _readable(self.get_queryset(request).filter(pk__in=seen), request)
        bookings = list(rows.prefetch_related("attendees").order_by("start", "pk"))
        if not bookings:
            raise Http404
        return bookings

    def _way_back(self, request: HttpRequest, bookings: Sequence[Booking]) -> str:
        """To the list as it was, or to the page of the one booking it came from."""
        if request.POST.get("from") == "page":
            return reverse("admin:cal_bookings_booking_change", args=[bookings[0].pk])
        filters = request.POST.get("filters", request.GET.urlencode())
        return f"{reverse('admin:cal_bookings_booking_changelist')}?{filters}"

    def _log(self, request: HttpRequest, act: Act, verdicts: list[Verdict]) -> None:
        keys = [verdict.booking.pk for verdict in verdicts if verdict.action]
        # By primary key, whoever acts: those who may not see people may read the log.
        done = [Booking(pk=pk) for pk in keys]
        if done:
            told = _("Queued: %s.") % act.label
            user: Any = request.user
            LogEntry.objects.log_actions(user.pk, done, CHANGE, told)

    def _tell(
        self, request: HttpRequest, act: Act, verdicts: list[Verdict], *, changed: int
    ) -> None:
        actions = [verdict.action for verdict in verdicts if verdict.action]
        if actions:
            told = ngettext(
                "%(act)s: %(n)d queued.", "%(act)s: %(n)d queued.", len(actions)
            )
            text = told % {"act": act.label, "n": len(actions)}
            pks = ",".join(str(action.pk) for action in actions[:100])
            link = (
                f"{reverse('admin:cal_bookings_bookingaction_changelist')}?id__in={pks}"
            )
            html = format_html('{} <a href="{}">{}</a>', text, link, _("See them"))
            self.message_user(request, html, messages.SUCCESS)
        refusals = [verdict for verdict in verdicts if verdict.refusal]
        if refusals:
            people = visibility.may_see_people(request)
            message = _refused(refusals, people=people)
            self.message_user(request, message, messages.WARNING)
        if changed:
            told = ngettext(
                "%d booking changed since you looked, and was left alone: look again.",
                "%d bookings changed since you looked, and were left alone: look again.",
                changed,
            )
            self.message_user(request, told % changed, messages.WARNING)


def _readable(bookings: Any, request: HttpRequest) -> Any:
    """The bookings with what an act needs of them, such as the uid of their series, which no page shows.

    Without the title for people who may not see it, so that they are named by primary key.
    """
    unread = [*Booking.BULKY, "account__credentials", "event_type__payload"]
    unread += [] if visibility.may_see_people(request) else ["title"]
    return bookings.defer(None).defer(*unread)


def format_selection(bookings: Sequence[Booking]) -> str:
    """Which bookings, and what they looked like, in one field: Django takes no more than a thousand fields."""
    return ",".join(f"{booking.pk}:{booking.payload_hash}" for booking in bookings)


def parse_selection(text: str) -> dict[int, str]:
    """Hashes by primary key; what is no selection is left out."""
    pairs = (part.partition(":") for part in text.split(","))
    return {pk: seen for text, _, seen in pairs if (pk := read_key(text)) is not None}


def _row(booking: Booking, verdict: Verdict, *, people: bool) -> tuple[Any, ...]:
    """What the page shows of one booking; the reason is empty where nothing stands in the way."""
    refusal = verdict.refusal
    reason = visibility.refusal_text(refusal, people=people) if refusal else ""
    badge = formatting.status_badge(booking.status)
    return booking, formatting.start_and_end(booking), badge, refusal, reason


def _as_action(
    act: Act,
) -> Callable[[BookingActionsMixin, HttpRequest, Any], HttpResponse | None]:
    @admin.action(permissions=[act.name], description=act.label)  # type: ignore[arg-type]  # lazy text
    def action(
        model_admin: BookingActionsMixin, request: HttpRequest, queryset: Any
    ) -> HttpResponse | None:
        return model_admin.choose(request, act, queryset)

    action.__name__ = act.name  # by which the list's form calls it
    return action


def _permission_check(act: Act) -> Callable[[BookingActionsMixin, HttpRequest], bool]:
    return lambda model_admin, request: request.user.has_perm(act.permission)


for _act in ACTS.values():
    setattr(BookingActionsMixin, f"has_{_act.name}_permission", _permission_check(_act))

#: Those that can be done to a selection, for `ModelAdmin.actions`.
ACTIONS = [_as_action(act) for act in ACTS.values() if not act.is_single]


def _refused(refusals: list[Verdict], *, people: bool) -> SafeString:
    count = len(refusals)
    told = ngettext("%d was left out:", "%d were left out:", count) % count
    reasons = list(
        dict.fromkeys(
            visibility.refusal_text(one.refusal, people=people)
            for one in refusals
            if one.refusal
        )
    )
    shown = format_html_join(
        "", "<li>{}</li>", ((one,) for one in reasons[:REASONS_TOLD])
    )
    return format_html("{}<ul>{}</ul>", told, shown)
