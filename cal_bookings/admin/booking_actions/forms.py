"""What staff can do to bookings: for each act its form, and what the form asks of the outbox."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cal_bookings.admin.booking_actions import host_candidates
from cal_bookings.client.timestamps import (
    is_within_reach,
    read_instant,
    write_instant,
)
from cal_bookings.models import Attendee, Booking, Host
from cal_bookings.outbox import kinds

Wish = tuple[kinds.Kind, Booking]


class ActForm(forms.Form):
    """The form of one act on some bookings: `trial` says what could be done, `wishes` what a valid form asks for.

    Without `people` it names no attendee and offers none to choose from.
    """

    def __init__(
        self,
        *args: Any,
        bookings: Sequence[Booking],
        people: bool,
        **kwargs: Any,
    ) -> None:
        self.bookings = bookings
        self.people = people
        super().__init__(*args, **kwargs)

    def trial(self) -> Iterator[Wish]:
        """The wishes by which it is judged which bookings are eligible, before anything is typed."""
        raise NotImplementedError

    def wishes(self, bookings: Sequence[Booking]) -> Iterator[Wish]:
        """What a valid form asks for these of the bookings."""
        raise NotImplementedError

    def attendees_to_name(self) -> list[Attendee]:
        """The attendees of a single booking, for people who may see them; of several nobody can be chosen alone."""
        if not self.people or len(self.bookings) != 1:
            return []
        return list(self.bookings[0].attendees.all())


class ReasonField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        rows = forms.Textarea(attrs={"rows": 3, "cols": 60})
        super().__init__(
            label=_("Reason"),
            max_length=2000,
            widget=rows,
            help_text=_("The attendees get to read it."),
            **options,
        )


class ReassignForm(ActForm):
    host = forms.ChoiceField(
        label=_("New host"),
        required=False,
        help_text=_(
            "Cal.com may refuse those who are no hosts of the event type. It does not ask whether anybody is free."
        ),
    )
    reason = ReasonField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hosts = {one.key: one for one in host_candidates.find(self.bookings)}
        field: Any = self.fields["host"]
        field.choices = [
            ("", _("Automatically: Cal.com chooses")),
            *self._group(_("Hosts of the event type"), is_of_event_type=True),
            *self._group(_("Others of the team"), is_of_event_type=False),
        ]

    def _group(
        self, label: str | Promise, *, is_of_event_type: bool
    ) -> Iterator[tuple[str | Promise, list[tuple[str, str]]]]:
        """What a list shows under one heading; nothing if nobody is there."""
        chosen = [
            (key, one.label(with_address=self.people))
            for key, one in self.hosts.items()
            if one.is_of_event_type == is_of_event_type
        ]
        if chosen:
            yield label, chosen

    def trial(self) -> Iterator[Wish]:
        return ((kinds.Reassign(), booking) for booking in self.bookings)

    def wishes(self, bookings: Sequence[Booking]) -> Iterator[Wish]:
        host: Host | None = None
        if key := self.cleaned_data["host"]:
            host = self.hosts[key].host
        kind = kinds.Reassign(
            host_id=host.remote_id if host else None,
            host_email=host.email if host else "",
            reason=self.cleaned_data["reason"],
        )
        return ((kind, booking) for booking in bookings)


class DeclineForm(ActForm):
    reason = ReasonField(required=False)

    def trial(self) -> Iterator[Wish]:
        return ((kinds.Decline(), booking) for booking in self.bookings)

    def wishes(self, bookings: Sequence[Booking]) -> Iterator[Wish]:
        kind = kinds.Decline(reason=self.cleaned_data["reason"])
        return ((kind, booking) for booking in bookings)


class ConfirmForm(ActForm):
    def trial(self) -> Iterator[Wish]:
        return self.wishes(self.bookings)

    def wishes(self, bookings: Sequence[Booking]) -> Iterator[Wish]:
        return ((kinds.Confirm(), booking) for booking in bookings)


class RequestRescheduleForm(ActForm):
    reason = ReasonField(required=False)

    def trial(self) -> Iterator[Wish]:
        return ((kinds.RequestReschedule(), booking) for booking in self.bookings)

    def wishes(self, bookings: Sequence[Booking]) -> Iterator[Wish]:
        kind = kinds.RequestReschedule(reason=self.cleaned_data["reason"])
        return ((kind, booking) for booking in bookings)


class CancelForm(ActForm):
    reason = ReasonField()
    subsequent = forms.BooleanField(
        label=_("And all later ones of the series"), required=False
    )
    seats = forms.MultipleChoiceField(
        label=_("Only these seats"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without any, the whole booking is cancelled."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not any(one.recurring_booking_uid for one in self.bookings):
            del self.fields["subsequent"]
        seats = [one for one in self.attendees_to_name() if one.seat_uid]
        if seats:
            field: Any = self.fields["seats"]
            field.choices = [(one.seat_uid, str(one)) for one in seats]
        else:
            del self.fields["seats"]

    def trial(self) -> Iterator[Wish]:
        return ((kinds.Cancel(reason="?"), booking) for booking in self.bookings)

    def wishes(self, bookings: Sequence[Booking]) -> Iterator[Wish]:
        reason = self.cleaned_data["reason"]
        subsequent = self.cleaned_data.get("subsequent", False)
        for booking in bookings:
            for seat in self.cleaned_data.get("seats") or [""]:
                later = subsequent and bool(booking.recurring_booking_uid) and not seat
                yield (
                    kinds.Cancel(reason=reason, subsequent=later, seat_uid=seat),
                    booking,
                )


class MarkAbsentForm(ActForm):
    host = forms.BooleanField(label=_("The host"), required=False)
    everybody = forms.BooleanField(label=_("All attendees"), required=False)
    attendees = forms.MultipleChoiceField(
        label=_("Attendees"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [one for one in self.attendees_to_name() if one.email]
        if known:
            field: Any = self.fields["attendees"]
            field.choices = [(one.email, str(one)) for one in known]
        else:
            del self.fields["attendees"]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not any(cleaned.get(name) for name in self.fields):
            raise forms.ValidationError(_("Say who was absent."))
        return cleaned

    def trial(self) -> Iterator[Wish]:
        return ((kinds.MarkAbsent(host=True), booking) for booking in self.bookings)

    def wishes(self, bookings: Sequence[Booking]) -> Iterator[Wish]:
        host = True if self.cleaned_data["host"] else None
        for booking in bookings:
            absent = self.cleaned_data.get("attendees", [])
            if self.cleaned_data["everybody"]:
                absent = [one.email for one in booking.attendees.all() if one.email]
            kind = kinds.MarkAbsent(host=host, attendees=dict.fromkeys(absent, True))
            yield kind, booking


class FreeTimeField(forms.ChoiceField):
    """Takes any moment: what is free changes while people choose, and Cal.com has the last word."""

    def valid_value(self, value: Any) -> bool:
        return read_instant(value) is not None


class RescheduleForm(ActForm):
    """Of one booking. `around` asks the page for the free times of other days."""

    around = forms.DateField(
        label=_("Free times around"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    slot = FreeTimeField(
        label=_("Free times"), required=False, widget=forms.RadioSelect
    )
    start = forms.DateTimeField(
        label=_("Or another time"),
        required=False,
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
        help_text=_("In the current time zone."),
    )
    reason = ReasonField(required=False)
    rescheduled_by = forms.EmailField(
        label=_("Who reschedules"),
        required=False,
        help_text=_(
            "An e-mail address; without one it is the host's, and nobody is asked for confirmation."
        ),
    )

    def trial(self) -> Iterator[Wish]:
        for booking in self.bookings:
            day_after = max(booking.start, timezone.now()) + dt.timedelta(days=1)
            yield kinds.Reschedule(start=write_instant(day_after)), booking

    def offer(self, slots: Sequence[dt.datetime]) -> None:
        """Shows these free times, by day."""
        field: Any = self.fields["slot"]
        local = [timezone.localtime(slot) for slot in slots]
        field.choices = [
            (
                date_format(day, "l, j F Y"),
                [(one.isoformat(), date_format(one, "TIME_FORMAT")) for one in times],
            )
            for day, times in groupby(local, lambda one: one.date())
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        start = cleaned.get("start")
        if start and not is_within_reach(start):
            self.add_error("start", _("No booking can be made that far away."))
        elif not cleaned.get("slot") and not start:
            raise forms.ValidationError(_("Pick a free time, or type another."))
        return cleaned

    def wishes(self, bookings: Sequence[Booking]) -> Iterator[Wish]:
        cleaned = self.cleaned_data
        moment: Any = cleaned.get("start") or read_instant(cleaned["slot"])
        for booking in bookings:
            host = next(iter(booking.hosts.all()), None)
            kind = kinds.Reschedule(
                start=write_instant(moment),
                reason=cleaned["reason"],
                rescheduled_by=cleaned["rescheduled_by"]
                or (host.email if host else ""),
            )
            yield kind, booking


@dataclass(frozen=True, slots=True)
class Act:
    """`name` is that of the admin's action; with ``_booking`` it is the permission."""

    name: str
    label: str | Promise
    explanation: str | Promise
    form: type[ActForm]
    #: Only from a booking's own page.
    is_single: bool = False

    @property
    def permission(self) -> str:
        return f"cal_bookings.{self.name}_booking"


ACTS = {
    act.name: act
    for act in (
        Act(
            "reassign",
            _("Reassign"),
            _(
                "Gives the bookings to another host. Only bookings of round-robin event types can be reassigned."
            ),
            ReassignForm,
        ),
        Act(
            "decline",
            _("Decline"),
            _(
                "Rejects bookings that wait for confirmation; of a series, all that wait."
            ),
            DeclineForm,
        ),
        Act(
            "confirm",
            _("Confirm"),
            _(
                "Accepts bookings that wait for confirmation; of a series, all that wait."
            ),
            ConfirmForm,
        ),
        Act(
            "cancel",
            _("Cancel"),
            _("Cancels bookings; their attendees are told, with the reason."),
            CancelForm,
        ),
        Act(
            "mark_absent",
            _("Mark absent"),
            _("Records who did not come, once a booking has started."),
            MarkAbsentForm,
        ),
        Act(
            "request_reschedule",
            _("Request reschedule"),
            _(
                "Cancels the bookings and asks their attendees to pick another time. Hosted Cal.com only."
            ),
            RequestRescheduleForm,
        ),
        Act(
            "reschedule",
            _("Reschedule"),
            _("Moves the booking to another time; Cal.com makes a new booking of it."),
            RescheduleForm,
            is_single=True,
        ),
    )
}
