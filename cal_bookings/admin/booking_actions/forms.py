"""The actions of staff on bookings, and the form of each action, whose cleaned data are the intent's parameters."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cal_bookings import outbox
from cal_bookings.admin.booking_actions import host_candidates
from cal_bookings.client.timestamps import is_within_reach, read_instant
from cal_bookings.models import Attendee, Booking, Host


class ActionForm(forms.Form):
    """The form of an action on some bookings.

    Without `people` the form names no attendee and offers none to choose from.
    """

    #: The intent's parameters while the form is empty, to find out which bookings are eligible.
    trial: Mapping[str, Any] = {}

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

    def parameters(self, booking: Booking) -> Iterator[Mapping[str, Any]]:
        """Yield the intent's parameters for each action on a booking. The form must be valid."""
        yield self.cleaned_data

    def attendees_to_name(self) -> list[Attendee]:
        """Return the attendees of a single booking, for people who may see them; none for several bookings."""
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
            help_text=_("Attendees will see this."),
            **options,
        )


class ReassignForm(ActionForm):
    host = forms.ChoiceField(
        label=_("New host"),
        required=False,
        help_text=_(
            "Cal.com may refuse people who do not host this event type. It does not check availability."
        ),
    )
    reason = ReasonField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hosts = {
            candidate.key: candidate
            for candidate in host_candidates.find(self.bookings)
        }
        field: Any = self.fields["host"]
        field.choices = [
            ("", _("Automatically: Cal.com chooses")),
            *self._group(_("Hosts of the event type"), is_of_event_type=True),
            *self._group(_("Others of the team"), is_of_event_type=False),
        ]

    def _group(
        self, label: str | Promise, *, is_of_event_type: bool
    ) -> Iterator[tuple[str | Promise, list[tuple[str, str]]]]:
        """Yield the heading `label` with its choices; nothing if there are no choices."""
        choices = [
            (key, candidate.label(with_address=self.people))
            for key, candidate in self.hosts.items()
            if candidate.is_of_event_type == is_of_event_type
        ]
        if choices:
            yield label, choices

    def clean_host(self) -> Host | None:
        key = self.cleaned_data["host"]
        return self.hosts[key].host if key else None


class DeclineForm(ActionForm):
    reason = ReasonField(required=False)


class ConfirmForm(ActionForm):
    """The form of a confirmation, which has no fields."""


class RequestRescheduleForm(ActionForm):
    reason = ReasonField(required=False)


class CancelForm(ActionForm):
    trial = {"reason": "?"}

    reason = ReasonField()
    subsequent = forms.BooleanField(
        label=_("Also cancel all later bookings in the series"), required=False
    )
    seats = forms.MultipleChoiceField(
        label=_("Only these seats"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without any, the whole booking is cancelled."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not any(booking.recurring_booking_uid for booking in self.bookings):
            del self.fields["subsequent"]
        seats = [attendee for attendee in self.attendees_to_name() if attendee.seat_uid]
        if seats:
            field: Any = self.fields["seats"]
            field.choices = [(seat.seat_uid, str(seat)) for seat in seats]
        else:
            del self.fields["seats"]

    def parameters(self, booking: Booking) -> Iterator[Mapping[str, Any]]:
        is_of_series = bool(booking.recurring_booking_uid)
        for seat in self.cleaned_data.get("seats") or [""]:
            wants_rest = self.cleaned_data.get("subsequent", False)
            yield {
                "reason": self.cleaned_data["reason"],
                "subsequent": wants_rest and is_of_series and not seat,
                "seat_uid": seat,
            }


class MarkAbsentForm(ActionForm):
    trial = {"host": True}

    host = forms.BooleanField(label=_("The host"), required=False)
    everybody = forms.BooleanField(label=_("All attendees"), required=False)
    attendees = forms.MultipleChoiceField(
        label=_("Attendees"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [attendee for attendee in self.attendees_to_name() if attendee.email]
        if known:
            field: Any = self.fields["attendees"]
            field.choices = [(person.email, str(person)) for person in known]
        else:
            del self.fields["attendees"]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not any(cleaned.get(name) for name in self.fields):
            raise forms.ValidationError(_("Say who was absent."))
        return cleaned

    def parameters(self, booking: Booking) -> Iterator[Mapping[str, Any]]:
        absent = self.cleaned_data.get("attendees", [])
        if self.cleaned_data["everybody"]:
            attendees = booking.attendees.all()
            absent = [attendee.email for attendee in attendees if attendee.email]
        yield {"host": self.cleaned_data["host"] or None, "attendees": absent}


class FreeTimeField(forms.ChoiceField):
    """A field that accepts any moment: free times change while people choose, and Cal.com decides."""

    def valid_value(self, value: Any) -> bool:
        return read_instant(value) is not None


class RescheduleForm(ActionForm):
    """The form that reschedules a single booking. `around` requests the free times of other days."""

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        latest = max([timezone.now(), *(booking.start for booking in self.bookings)])
        self.trial = {"start": latest + dt.timedelta(days=1)}

    def offer(self, slots: Sequence[dt.datetime]) -> None:
        """Show these free times as choices, by day."""
        field: Any = self.fields["slot"]
        local = [timezone.localtime(slot) for slot in slots]
        field.choices = [
            (
                date_format(day, "l, j F Y"),
                [
                    (time.isoformat(), date_format(time, "TIME_FORMAT"))
                    for time in times
                ],
            )
            for day, times in groupby(local, dt.datetime.date)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        start = cleaned.get("start")
        if start and not is_within_reach(start):
            self.add_error("start", _("No booking can be made that far away."))
        elif not cleaned.get("slot") and not start:
            raise forms.ValidationError(_("Pick a free time, or type another."))
        return cleaned

    def parameters(self, booking: Booking) -> Iterator[Mapping[str, Any]]:
        cleaned = self.cleaned_data
        yield {
            "start": cleaned.get("start") or read_instant(cleaned["slot"]),
            "reason": cleaned["reason"],
            "rescheduled_by": cleaned["rescheduled_by"],
        }


@dataclass(frozen=True, slots=True)
class StaffAction:
    """An action that staff can choose. `name` is the intent's name; `name` with ``_booking`` is the permission."""

    name: str
    label: str | Promise
    explanation: str | Promise
    form: type[ActionForm]
    #: True if only a booking's own page offers the action.
    is_single: bool = False

    @property
    def permission(self) -> str:
        return f"cal_bookings.{self.name}_booking"

    def examine(self, form: ActionForm) -> list[outbox.Decision]:
        """Return which of the form's bookings are eligible, before people fill in the form."""
        propose = outbox.INTENTS[self.name].propose
        return outbox.examine(
            propose(booking, **form.trial) for booking in form.bookings
        )

    def enqueue(
        self, form: ActionForm, bookings: Sequence[Booking], *, requested_by: Any
    ) -> list[outbox.Decision]:
        """Enqueue the actions of a valid form for `bookings`, which are some of its bookings."""
        propose = outbox.INTENTS[self.name].propose
        return outbox.enqueue_many(
            propose(booking, **parameters, requested_by=requested_by)
            for booking in bookings
            for parameters in form.parameters(booking)
        )


ACTIONS = {
    action.name: action
    for action in (
        StaffAction(
            "reassign",
            _("Reassign"),
            _(
                "Gives the bookings to another host. Only bookings of round-robin event types can be reassigned."
            ),
            ReassignForm,
        ),
        StaffAction(
            "decline",
            _("Decline"),
            _(
                "Rejects bookings that wait for confirmation; of a series, all that wait."
            ),
            DeclineForm,
        ),
        StaffAction(
            "confirm",
            _("Confirm"),
            _(
                "Accepts bookings that wait for confirmation; of a series, all that wait."
            ),
            ConfirmForm,
        ),
        StaffAction(
            "cancel",
            _("Cancel"),
            _("Cancels bookings; their attendees are told, with the reason."),
            CancelForm,
        ),
        StaffAction(
            "mark_absent",
            _("Mark absent"),
            _("Records who did not come, once a booking has started."),
            MarkAbsentForm,
        ),
        StaffAction(
            "request_reschedule",
            _("Request reschedule"),
            _(
                "Cancels the bookings and asks their attendees to pick another time. Hosted Cal.com only."
            ),
            RequestRescheduleForm,
        ),
        StaffAction(
            "reschedule",
            _("Reschedule"),
            _("Moves the booking to another time; Cal.com makes a new booking of it."),
            RescheduleForm,
            is_single=True,
        ),
    )
}
