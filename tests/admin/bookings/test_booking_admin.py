"""The list of bookings: what it says of each, how it is narrowed, and what it costs."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from cal_bookings.admin import long_lists
from cal_bookings.models import Account, Booking
from tests.admin.rows import list_of, make_booking, make_bookings, page_of, staff

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)


@pytest.fixture
def account():
    return Account.objects.create(alias="default")


@pytest.fixture
def at_noon(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def html_of(client, url):
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def uids(client, query):
    response = client.get(f"{list_of(Booking)}?{query}")
    assert response.status_code == 200
    return [booking.uid for booking in response.context["cl"].result_list]


@pytest.mark.usefixtures("at_noon")
def test_when_is_told_here_and_from_now(admin_client, account):
    make_booking(account, start=NOW + dt.timedelta(hours=3))

    with timezone.override(ZoneInfo("Asia/Tokyo")):
        html = html_of(admin_client, list_of(Booking))

    assert 'datetime="2026-11-19T00:00:00+09:00"' in html
    assert "Thu Nov. 19, 2026, midnight \N{EN DASH} 12:30 a.m." in html
    assert "in 3\N{NO-BREAK SPACE}hours" in html


def test_the_day_of_the_end_is_told_where_it_is_another(admin_client, account):
    make_booking(account, start=NOW.replace(hour=23, minute=45))

    html = html_of(admin_client, list_of(Booking))

    assert "11:45 p.m. \N{EN DASH} Nov. 19, 2026, 12:15 a.m." in html


def test_a_status_is_a_word_and_a_colour(admin_client, account):
    make_booking(account, "a", status="pending")
    make_booking(account, "b", status="levitating")

    html = html_of(admin_client, list_of(Booking))

    assert '<span class="cal-status cal-pending">pending</span>' in html
    assert '<span class="cal-status cal-unknown">levitating</span>' in html


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("pending_for=4", ["yesterday", "morning"]),
        ("pending_for=24", ["yesterday"]),
        ("pending_for=72", []),
        ("pending_for=99999999999", []),
        ("pending_for=x", ["accepted", "yesterday", "morning", "noon"]),
    ],
)
def test_requests_are_found_by_how_long_they_wait(admin_client, account, query, found):
    for hours, uid in enumerate(["noon", "morning", "yesterday"]):
        made = NOW - dt.timedelta(hours=hours * 13)
        make_booking(account, uid, status="pending", remote_created_at=made)
    make_booking(account, "accepted", remote_created_at=NOW - dt.timedelta(days=9))

    assert sorted(uids(admin_client, query)) == sorted(found)


def test_absence_is_found_by_who_did_not_come(admin_client, account):
    make_booking(account, "no host", absent_host=True)
    alone = make_booking(account, "nobody")
    for position in range(2):
        alone.attendees.create(position=position, absent=True)
    make_booking(account, "all there").attendees.create(position=0)

    assert uids(admin_client, "absent=host") == ["no host"]
    assert uids(admin_client, "absent=attendee") == ["nobody"]


def test_dates_lead_from_years_to_days(admin_client, account):
    make_booking(account, "old", start=NOW.replace(year=2024))
    make_booking(account, "new", start=NOW)

    years = html_of(admin_client, list_of(Booking))
    months = html_of(admin_client, f"{list_of(Booking)}?start__year=2026")
    query = "start__month=11&start__year=2026"
    days = html_of(admin_client, f"{list_of(Booking)}?{query}")

    assert [f">{year}</a>" in years for year in (2023, 2024, 2025, 2026)] == [
        False,
        True,
        True,
        True,
    ]
    assert "?start__month=2&amp;start__year=2026" in months
    assert f"?start__day=30&amp;{query.replace('&', '&amp;')}" in days
    assert "start__day=31" not in days
    assert uids(admin_client, f"start__day=18&{query}") == ["new"]


@pytest.mark.parametrize("query", ["start__year=x", "start__year=2026&start__month=13"])
def test_a_mistyped_date_is_no_crash(admin_client, query):
    assert admin_client.get(f"{list_of(Booking)}?{query}").status_code == 302


def test_dates_are_named_in_the_language_of_the_reader(admin_client, account):
    make_booking(account)

    with translation.override("de"):
        html = html_of(admin_client, f"{list_of(Booking)}?start__year=2026")

    assert "Dezember" in html


def test_a_list_is_counted_only_so_far(admin_client, account):
    make_bookings(account, long_lists.COUNTED + 1)

    html = html_of(admin_client, list_of(Booking))

    assert "Only the first 10000 are counted" in html
    assert "Only the first" not in html_of(admin_client, f"{list_of(Booking)}?q=many-1")


def test_nothing_personal_is_shown_without_the_permission_to_see_attendees(
    client, account
):
    personal = {
        "title": "Tea with Ben Bitdiddle",
        "description": "Bitdiddle wants milk",
        "location": "Bitdiddle's house",
        "cancellation_reason": "Bitdiddle is ill",
        "cancelled_by_email": "bitdiddle@example.com",
        "rescheduled_by_email": "bitdiddle@example.com",
        "rescheduling_reason": "Bitdiddle is late",
        "guests": ["bitdiddle@example.org"],
        "metadata": {"who": "Bitdiddle"},
        "booking_fields_responses": {"name": "Bitdiddle"},
        "payload": {"title": "Bitdiddle"},
    }
    booking = make_booking(account, **personal)
    booking.attendees.create(position=0, name="Bitdiddle", email="bitdiddle@x.org")
    change = booking.changes.create(
        source="walk",
        changes={"title": ["", "Bitdiddle"], "status": ["pending", "accepted"]},
        changed_at=NOW,
    )
    client.force_login(staff("view_booking", "view_bookingchange"))

    urls = [list_of(Booking), page_of(booking), list_of(type(change)), page_of(change)]
    pages = [html_of(client, url) for url in urls]

    assert "bitdiddle" not in "".join(pages).lower()
    assert "<td>status</td><td>pending</td><td>accepted</td>" in pages[1]
    assert "<td>status</td><td>pending</td><td>accepted</td>" in pages[3]


def test_a_search_tells_nobody_who_attends_without_the_permission(client, account):
    booking = make_booking(account, title="Tea with Ben")
    booking.attendees.create(position=0, name="Ben", email="ben@example.com")
    client.force_login(staff("view_booking"))

    assert uids(client, "q=ben@example.com") == []
    assert uids(client, "q=ben") == []
    assert uids(client, f"q={booking.uid}") == []
    assert uids(client, f"q=%23{booking.pk}") == [booking.uid]
    assert uids(client, f"q={booking.pk}") == [booking.uid]


def test_filters_cost_the_same_at_10_and_at_10_000_bookings(admin_client, account):
    queries = [
        *("", "when=upcoming", "when=today", "when=week", "when=past"),
        *("status=pending", "status=other", "pending_for=24", "missing=yes"),
        *("absent=host", "absent=attendee", "q=ben@example.com", "start__year=2026"),
    ]

    def costs():
        for query in queries:
            with CaptureQueriesContext(connection) as captured:
                uids(admin_client, query)
            yield len(captured)

    admin_client.get(list_of(Booking))  # the session and the content types
    for n in range(10):
        make_booking(account, f"uid-{n}")
    few = list(costs())
    make_bookings(account, 10_000)

    assert list(costs()) == few


def test_a_booking_leads_to_its_page_on_cal_com(admin_client, account):
    account.base_url = "https://api.cal.eu/v2"
    account.save()

    html = html_of(admin_client, page_of(make_booking(account, "uid/1")))

    assert 'href="https://app.cal.eu/booking/uid%2F1"' in html


def test_a_booking_tells_its_start_where_each_attendee_is(admin_client, account):
    booking = make_booking(account, start=NOW)
    for position, zone in enumerate(["America/New_York", "", "../odd", "Mars/Olympus"]):
        booking.attendees.create(position=position, time_zone=zone)

    html = html_of(admin_client, page_of(booking))

    assert "Wed Nov. 18, 2026, 7 a.m." in html
