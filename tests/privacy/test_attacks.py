"""Ways in which somebody without the permission to view attendees could learn who attends."""

import json
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.urls import reverse

from cal_bookings.admin.booking_actions.pages import format_selection
from cal_bookings.models import Booking, BookingAction, BookingChange, Host
from tests.admin.rows import list_of, page_of
from tests.privacy.addresses import MODELS, autocompletions, everything_said
from tests.privacy.canaries import ADDRESS, all_but_people, holds_canary, person

#: Each of them told a whole address letter by letter.
LOOKUPS = [
    (Booking, "payload__attendees__0__email__startswith"),
    (Booking, "title__contains"),
    (Booking, "title__regex"),
    (Booking, "title"),
    (Booking, "uid__startswith"),
    (Booking, "guests__icontains"),
    (Booking, "booking_fields_responses__email__startswith"),
    (Booking, "description__startswith"),
    (Booking, "cancellation_reason__isnull"),
    (Booking, "recurring_booking_uid"),
    (Booking, "attendees__email__startswith"),
    (Booking, "status__startswith"),
    (BookingAction, "seen__attendees__0__email__startswith"),
    (BookingAction, "parameters__reason__startswith"),
    (BookingAction, "error_message__contains"),
    (BookingAction, "lane__startswith"),
    (BookingAction, "booking__title__startswith"),
    (BookingChange, "changes__title__0__startswith"),
    (BookingChange, "booking__title__startswith"),
    (Host, "email__startswith"),
]


#: Filters that are named like a lookup.
FILTERS = {(Booking, "status"), (BookingAction, "id__in")}


@pytest.mark.parametrize(("model", "lookup"), LOOKUPS)
@pytest.mark.parametrize("value", ["c", "x"])
def test_an_address_asks_declared_filters_only(
    clerk, admin_client, model, lookup, value
):
    query = urlencode({lookup: value})
    answers = {
        person.get(f"{list_of(model)}?{query}").status_code
        for person in (clerk, admin_client)
    }
    assert answers == {400}
    if model is Booking:
        calendar = reverse("admin:cal_bookings_booking_calendar")
        assert clerk.get(f"{calendar}?{query}").status_code == 400


@pytest.mark.parametrize("model", MODELS)
def test_no_column_can_be_read_letter_by_letter(clerk, model):
    if model._meta.model_name == "attendee":
        return  # whose list is for people who may view attendees
    for field in model._meta.get_fields():
        for transform in ("", "__startswith", "__contains", "__regex", "__gt", "__in"):
            lookup = f"{field.name}{transform}"
            response = clerk.get(f"{list_of(model)}?{lookup}=1")
            is_filter = (model, lookup) in FILTERS
            assert response.status_code == (200 if is_filter else 400), lookup


def test_no_list_is_ordered_by_what_is_hidden(clerk, rows):
    def order(model, column):
        response = clerk.get(f"{list_of(model)}?o={column}")
        return [row.pk for row in response.context["cl"].result_list]

    for model in (Booking, Host):
        columns = admin.site._registry[model].list_display
        queries = [
            clerk.get(f"{list_of(model)}?o={n}").context["cl"].queryset.query
            for n in range(len(columns) + 2)
        ]
        orders = {str(part) for query in queries for part in query.order_by}
        assert not [order for order in orders if "email" in order or "title" in order]
        assert order(model, 1)


def test_completing_the_name_of_a_booking_names_it_by_number(clerk, viewer, rows):
    url = reverse("admin:autocomplete")
    query = "app_label=cal_bookings&model_name=attendee&field_name=booking"
    results = json.loads(viewer.get(f"{url}?{query}&term=").content)["results"]

    texts = {result["text"] for result in results}
    assert texts == {f"Booking {booking.pk}" for booking in rows.bookings}
    for address in autocompletions("", "canary", "t"):
        assert not holds_canary(clerk.get(address).content.decode()), address


@pytest.mark.parametrize(
    "text", ["Canary", "canary-uid-over", ADDRESS, "canary@", "Tea"]
)
def test_a_search_finds_nothing_personal(clerk, rows, text):
    for model in (Booking, Host):
        response = clerk.get(f"{list_of(model)}?{urlencode({'q': text})}")
        assert list(response.context["cl"].result_list) == []


def test_a_search_by_number_finds_the_booking(viewer, rows):
    for text in (str(rows.over.pk), f"#{rows.over.pk}"):
        response = viewer.get(f"{list_of(Booking)}?{urlencode({'q': text})}")
        assert list(response.context["cl"].result_list) == [rows.over]


@pytest.mark.parametrize("name", ["mark_absent", "cancel"])
def test_a_form_offers_no_attendee_to_choose_from(client, rows, name):
    url = reverse("admin:cal_bookings_booking_act", args=[name])
    posted = {"bookings": format_selection([rows.over])}

    fields = {}
    for codenames in (all_but_people(), [*all_but_people(), "view_attendee"]):
        client.force_login(person(*codenames))
        response = client.post(url, posted)
        html = response.content.decode()
        fields[holds_canary(html)] = set(response.context["form"].fields)

    assert fields[True] - fields[False] <= {"attendees", "seats"}
    assert not {"attendees", "seats"} & fields[False]


@pytest.mark.parametrize("guess", [ADDRESS, "nobody@example.net"])
def test_a_guess_at_an_address_is_neither_confirmed_nor_denied(client, rows, guess):
    client.force_login(person("view_booking", "mark_absent_booking"))
    url = reverse("admin:cal_bookings_booking_act", args=["mark_absent"])
    posted = {"bookings": format_selection([rows.over]), "confirmed": "yes"}

    response = client.post(url, posted | {"attendees": guess})

    assert response.context["form"].non_field_errors() == ["Say who was absent."]


def test_queue_again_names_nobody(clerk, rows):
    for action in rows.actions:
        url = reverse("admin:cal_bookings_bookingaction_requeue", args=[action.pk])
        assert not holds_canary(everything_said(clerk.post(url))), action.kind


def test_queue_again_says_why_to_people_who_may_see_attendees(admin_client, rows):
    action = rows.actions[1]
    url = reverse("admin:cal_bookings_bookingaction_requeue", args=[action.pk])

    said = everything_said(admin_client.post(url))

    assert "Not among the attendees: canary-gone@example.net." in said


@pytest.mark.parametrize("button", ["withdraw", "requeue"])
def test_the_buttons_of_an_action_need_the_view_of_bookings_too(client, rows, button):
    waiting, failed = rows.actions[0], rows.actions[1]
    action = waiting if button == "withdraw" else failed
    names = ["view_bookingaction", "confirm_booking", "mark_absent_booking"]
    client.force_login(person(*names))
    url = reverse(f"admin:cal_bookings_bookingaction_{button}", args=[action.pk])

    assert client.post(url).status_code == 403
    assert f"/{button}/" not in client.get(page_of(action)).content.decode()

    client.force_login(person(*names, "view_booking"))
    assert client.post(url).status_code == 302


def test_the_series_of_a_booking_is_found_without_its_uid(clerk, rows):
    html = clerk.get(page_of(rows.over)).content.decode()
    assert f"?series={rows.over.pk}" in html

    page = clerk.get(f"{list_of(Booking)}?series={rows.over.pk}")
    assert set(page.context["cl"].result_list) == set(rows.bookings)


def test_a_run_says_what_failed_without_the_uid(client, rows):
    run = rows.account.sync_runs.get()
    client.force_login(person("view_syncrun"))
    html = client.get(page_of(run)).content.decode()
    assert "<td>page 1, booking 2</td><td>no start</td>" in html
    assert not holds_canary(html)

    client.force_login(person("view_syncrun", "view_attendee"))
    html = client.get(page_of(run)).content.decode()
    assert "<td>page 1, booking 2</td><td>canary-uid</td><td>no start</td>" in html
