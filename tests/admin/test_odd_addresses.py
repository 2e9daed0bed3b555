"""Addresses, lookups and forms that no page of ours links to: refused or read as nothing, and never an error 500."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from cal_bookings.admin.booking_actions.pages import format_selection
from cal_bookings.models import (
    Booking,
    BookingAction,
    BookingChange,
    Host,
    SyncRun,
)
from tests.admin.rows import list_of, page_of
from tests.builders import attendee_payload

HUGE = "9" * 25
ODD = ["", "0", "-1", "abc", "\0", "1,\0", HUGE, "9" * 5000, "1e9", "\u0663", "'", "🫖"]
DAYS = ["9999-12-31", "0001-01-01", "0000-00-00", "2026-02-30", "\0", "9" * 5000]


def get(client, url, **query):
    return client.get(f"{url}?{urlencode(query)}").status_code


@pytest.fixture
def booking(mirrored):
    return mirrored("a", recurringBookingUid="series")


PARAMETERS = {
    Booking: [
        *("when", "status", "pending_for", "action_is", "absent", "missing", "series"),
        *("event_type__id__exact", "event_type__isnull", "hosts__id__exact"),
        *("hosts__isnull", "account__id__exact", "q", "p", "o", "e", "all", "_facets"),
        *("start__year", "start__month", "start__day", "_popup", "_to_field"),
    ],
    BookingAction: ["status__exact", "kind__exact", "account__id__exact", "id__in"],
    BookingChange: ["source__exact", "changed_at__year", "changed_at__month"],
    SyncRun: ["outcome__exact", "mode__exact", "started_at__year", "started_at__day"],
    Host: ["account__id__exact", "q"],
}
CASES = [(model, name) for model, names in PARAMETERS.items() for name in names]


@pytest.mark.parametrize(("model", "name"), CASES)
def test_an_odd_value_of_a_parameter_is_no_error_of_ours(
    admin_client, booking, model, name
):
    for value in ODD:
        assert get(admin_client, list_of(model), **{name: value}) < 500, value[:30]
        if model is Booking:
            calendar = reverse("admin:cal_bookings_booking_calendar")
            assert get(admin_client, calendar, **{name: value}) < 500, value[:30]


@pytest.mark.parametrize("year", ["0", "1", "9999", "10000", "99999", "999999999999"])
@pytest.mark.parametrize("rest", [{}, {"month": "12"}, {"month": "12", "day": "31"}])
def test_a_year_at_the_ends_of_the_calendar_leads_back_to_the_list(
    admin_client, booking, year, rest
):
    query = {f"start__{part}": text for part, text in {"year": year, **rest}.items()}

    assert get(admin_client, list_of(Booking), **query) == 302
    calendar = reverse("admin:cal_bookings_booking_calendar")
    assert get(admin_client, calendar, **query) == 200


@pytest.mark.parametrize(
    "rest", [{"month": "13"}, {"month": "2", "day": "30"}, {"day": "0"}]
)
def test_a_day_that_does_not_exist_leads_back_to_the_list(admin_client, booking, rest):
    query = {f"start__{part}": text for part, text in {"year": "2026", **rest}.items()}

    assert get(admin_client, list_of(Booking), **query) == 302


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("view", ["week", "month"])
def test_the_calendar_shows_today_for_a_day_out_of_reach(
    admin_client, booking, day, view
):
    url = reverse("admin:cal_bookings_booking_calendar")

    assert get(admin_client, url, date=day, view=view, by="x", p=HUGE) == 200


@pytest.mark.parametrize("day", DAYS)
def test_free_times_around_a_day_out_of_reach_are_those_around_the_booking(
    admin_client, booking, day
):
    url = reverse("admin:cal_bookings_booking_act", args=["reschedule"])
    posted = {"bookings": format_selection([booking]), "around": day}

    response = admin_client.post(url, posted)

    assert response.status_code == 200
    assert response.context["form"].initial["around"] == booking.start.date()


@pytest.mark.parametrize("field", ["slot", "start"])
@pytest.mark.parametrize(
    "moment",
    [
        *("9999-12-31T23:59", "0001-01-01T00:00", "9999-12-31T23:59:59-12:00"),
        *("0001-01-01T00:00:00+14:00", "\0", HUGE, "2026-11-24"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_new_time_out_of_reach_is_refused(
    admin_client, booking, settings, field, moment, zone
):
    settings.TIME_ZONE = zone
    url = reverse("admin:cal_bookings_booking_act", args=["reschedule"])
    posted = {"bookings": format_selection([booking]), "confirmed": "yes"}

    response = admin_client.post(url, posted | {field: moment, "reason": "\0"})

    assert response.status_code == 200
    assert response.context["form"].errors


@pytest.mark.parametrize("moment", ["9999-12-31T23:59", "0001-01-01T00:00"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_new_time_out_of_reach_is_never_queued(
    admin_client, booking, settings, moment, zone
):
    settings.TIME_ZONE = zone
    url = reverse("admin:cal_bookings_booking_act", args=["reschedule"])
    posted = {"bookings": format_selection([booking]), "confirmed": "yes"}

    response = admin_client.post(url, posted | {"start": moment})

    assert "start" in response.context["form"].errors
    assert not BookingAction.objects.exists()


@pytest.mark.parametrize(
    "action", ["export_csv", "confirm", "refresh", "nothing", "\0"]
)
def test_an_odd_selection_is_no_selection(admin_client, booking, action):
    for chosen in ODD:
        posted = {"action": action, "_selected_action": chosen, "index": chosen}
        assert admin_client.post(list_of(Booking), posted).status_code < 500, chosen[
            :30
        ]


def test_odd_keys_find_nothing(admin_client, booking):
    for key in [HUGE, "0", "9" * 5000, "a", "%00", "_5F", "__"]:
        for model in (Booking, BookingAction, Host):
            url = page_of(model(pk=1)).replace("/1/", f"/{key}/")
            assert admin_client.get(url).status_code in (302, 404), key[:30]
    for name in ("bookingaction_withdraw", "bookingaction_requeue", "booking_refresh"):
        url = reverse(f"admin:cal_bookings_{name}", args=[int(HUGE)])
        assert admin_client.post(url).status_code == 404


@pytest.mark.parametrize("term", ODD)
def test_an_odd_term_completes_nothing(admin_client, booking, term):
    url = reverse("admin:autocomplete")
    for model, field in [
        ("attendee", "booking"),
        ("booking", "hosts"),
        ("host", "account"),
    ]:
        query = {"app_label": "cal_bookings", "model_name": model, "field_name": field}
        assert get(admin_client, url, term=term, page=term, **query) < 500


@pytest.mark.parametrize(
    ("model", "field"),
    [
        *(("account", "bookings"), ("host", "bookings"), ("booking", "attendees")),
        *(("booking", "nothing"), ("booking", "title"), ("nothing", "booking")),
    ],
)
def test_only_a_relation_that_a_form_can_have_is_completed(
    admin_client, booking, model, field
):
    query = {"app_label": "cal_bookings", "model_name": model, "field_name": field}

    assert get(admin_client, reverse("admin:autocomplete"), term="x", **query) == 403


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    "start", [datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, tzinfo=UTC)]
)
def test_a_booking_at_the_ends_of_the_calendar_is_shown(
    admin_client, mirrored, settings, zone, start
):
    settings.TIME_ZONE = zone
    person = attendee_payload(email="ben@example.com\r\nBcc: x@y", timeZone="Mars/Base")
    booking = mirrored("far", start=start, attendees=[person])
    act = reverse("admin:cal_bookings_booking_act", args=["reschedule"])
    calendar = reverse("admin:cal_bookings_booking_calendar")
    chosen = {"_selected_action": booking.pk}

    answers = [
        admin_client.get(list_of(Booking)),
        admin_client.get(page_of(booking)),
        admin_client.get(f"{calendar}?date={start:%Y-%m-%d}"),
        admin_client.post(act, {"bookings": format_selection([booking])}),
        admin_client.post(list_of(Booking), chosen | {"action": "export_csv"}),
        admin_client.post(list_of(Booking), chosen | {"action": "export_ical"}),
        admin_client.post(list_of(Booking), chosen | {"action": "reassign"}),
    ]

    assert [answer.status_code for answer in answers] == [200] * 7
