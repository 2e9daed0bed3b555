"""The calendar: weeks by host or event type, months, right where clocks change, and at a constant cost."""

import datetime as dt
import re
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from cal_bookings.admin.calendar import grid
from cal_bookings.models import Account, Booking, EventType, Host
from tests.admin.rows import make_booking, new_booking, page_of, staff

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)  # a Wednesday


@pytest.fixture
def account():
    return Account.objects.create(alias="default")


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def get(client, **query):
    url = reverse("admin:cal_bookings_booking_calendar")
    return client.get(f"{url}?{urlencode(query)}")


def shown(client, **query):
    """The texts in the calendar by row and day."""
    response = get(client, **query)
    assert response.status_code == 200
    return {
        (row.heading, cell.day.isoformat()): [entry.text for entry in cell.entries]
        for row in response.context["calendar"].rows
        for cell in row.cells
        if cell.entries
    }


def make_host(account, n, name):
    return Host.objects.create(account=account, remote_id=n, name=name, mirrored_at=NOW)


def test_a_week_has_a_row_for_each_host_and_one_for_none(admin_client, account):
    ada, grace = make_host(account, 1, "Ada"), make_host(account, 2, "Grace")
    make_booking(account, "1", title="Both", start=NOW).hosts.add(ada, grace)
    later = NOW + dt.timedelta(days=1)
    make_booking(account, "2", title="Ada's", start=later).hosts.add(ada)
    make_booking(account, "3", title="Nobody's", start=NOW)
    make_booking(account, "4", title="Next week", start=NOW + dt.timedelta(days=7))

    assert shown(admin_client) == {
        ("Ada", "2026-11-18"): ["Both"],
        ("Ada", "2026-11-19"): ["Ada's"],
        ("Grace", "2026-11-18"): ["Both"],
        ("No host", "2026-11-18"): ["Nobody's"],
    }


def test_a_week_by_event_type(admin_client, account):
    kind = EventType.objects.create(
        account=account, remote_id=1, title="Consultation", mirrored_at=NOW
    )
    make_booking(account, "1", title="Typed", start=NOW, event_type=kind)
    make_booking(account, "2", title="Untyped", start=NOW)

    assert shown(admin_client, by="event_type") == {
        ("Consultation", "2026-11-18"): ["Typed"],
        ("No event type", "2026-11-18"): ["Untyped"],
    }


def test_a_month_is_whole_weeks(admin_client, account):
    make_booking(account, "1", title="Midmonth", start=NOW)
    make_booking(account, "2", title="Sunday before", start=NOW.replace(day=1))
    make_booking(account, "3", title="December", start=NOW.replace(month=12, day=5))
    make_booking(account, "4", title="Too late", start=NOW.replace(month=12, day=6))

    assert list(shown(admin_client, view="month").values()) == [
        ["Sunday before"],
        ["Midmonth"],
        ["December"],
    ]


def test_weeks_begin_on_the_day_of_the_language(admin_client, account):
    make_booking(account, title="Sunday", start=NOW.replace(day=22))

    assert shown(admin_client, date="2026-11-18") == {}
    with translation.override("de"):
        days = [day for _row, day in shown(admin_client, date="2026-11-18")]
        assert days == ["2026-11-22"]


@pytest.mark.parametrize(
    ("zone", "start", "day"),
    [
        pytest.param("UTC", "2026-11-18T23:30Z", "2026-11-18", id="utc"),
        pytest.param("Asia/Tokyo", "2026-11-18T23:30Z", "2026-11-19", id="east"),
        pytest.param("Europe/Rome", "2026-10-24T21:59Z", "2026-10-24", id="day before"),
        pytest.param("Europe/Rome", "2026-10-24T22:00Z", "2026-10-25", id="25 hours"),
        pytest.param("Europe/Rome", "2026-10-25T22:59Z", "2026-10-25", id="its end"),
        pytest.param("Europe/Rome", "2026-10-25T23:00Z", "2026-10-26", id="day after"),
        pytest.param("Europe/Rome", "2026-03-29T21:59Z", "2026-03-29", id="23 hours"),
        pytest.param("Europe/Rome", "2026-03-29T22:00Z", "2026-03-30", id="short over"),
        # Midnight does not exist on this day: clocks go from 23:59 to 1:00.
        pytest.param("America/Santiago", "2026-09-06T03:59Z", "2026-09-05", id="eve"),
        pytest.param("America/Santiago", "2026-09-06T04:00Z", "2026-09-06", id="gap"),
    ],
)
@pytest.mark.parametrize("view", ["week", "month"])
def test_a_booking_stands_on_its_day_here(
    admin_client, account, view, zone, start, day
):
    make_booking(account, start=dt.datetime.fromisoformat(start))

    with timezone.override(ZoneInfo(zone)):
        assert [on for _row, on in shown(admin_client, view=view, date=day)] == [day]


def test_a_full_cell_leads_to_the_rest_with_the_filters_kept(admin_client, account):
    ada = make_host(account, 1, "Ada")
    for n in range(grid.SHOWN + 3):
        make_booking(account, f"{n}", start=NOW, status="pending").hosts.add(ada)
        make_booking(account, f"not {n}", start=NOW).hosts.add(ada)

    html = get(admin_client, status="pending").content.decode()
    [link] = re.findall(r'href="([^"]*)">3 more<', html)
    listed = admin_client.get(link.replace("&amp;", "&"))

    uids = {booking.uid for booking in listed.context["cl"].result_list}
    assert uids == {f"{n}" for n in range(grid.SHOWN + 3)}


def test_those_without_a_host_can_be_listed_too(admin_client, account):
    for n in range(grid.SHOWN + 1):
        make_booking(account, f"{n}", start=NOW)

    html = get(admin_client).content.decode()
    [link] = re.findall(r'href="([^"]*)">1 more<', html)

    listed = admin_client.get(link.replace("&amp;", "&"))
    assert len(listed.context["cl"].result_list) == grid.SHOWN + 1


def test_filters_hold_and_every_link_keeps_them(admin_client, account):
    make_booking(account, "1", title="Pending", start=NOW, status="pending")
    make_booking(account, "2", title="Accepted", start=NOW)

    response = get(admin_client, status="pending")

    assert shown(admin_client, status="pending") == {
        ("No host", "2026-11-18"): ["Pending"]
    }
    urls = [link["url"] for link in response.context["links"]]
    assert ["status=pending" in url for url in urls] == [True] * 7
    assert "date=2026-11-25" in urls[2]


def test_many_hosts_are_paged(admin_client, account):
    for n in range(grid.ROWS + 1):
        host = make_host(account, n, f"Host {n:02}")
        make_booking(account, f"{n}", start=NOW).hosts.add(host)

    assert len(shown(admin_client)) == grid.ROWS
    assert list(shown(admin_client, p=2)) == [("Host 25", "2026-11-18")]
    assert next(iter(shown(admin_client, p="x"))) == ("Host 00", "2026-11-18")


@pytest.mark.parametrize(
    "date", ["", "x", "2026-02-30", "0001-01-01", "9999-12-31", "2026-W47"]
)
@pytest.mark.parametrize("view", ["week", "month", "x"])
def test_any_date_is_answered(admin_client, account, date, view):
    make_booking(account)

    assert get(admin_client, date=date, view=view).status_code == 200


def test_a_mistyped_filter_leads_to_the_plain_calendar(admin_client):
    response = get(admin_client, account__id__exact="x")

    assert response.status_code == 302
    assert response["Location"] == reverse("admin:cal_bookings_booking_calendar")


def test_an_entry_opens_its_booking_and_says_its_status(admin_client, account):
    booking = make_booking(account, start=NOW, status="pending", title="<b>Tea</b>")

    html = get(admin_client).content.decode()

    assert f'class="cal-entry cal-pending" href="{page_of(booking)}"' in html
    assert "&lt;b&gt;Tea&lt;/b&gt; <em>pending</em>" in html


def test_it_names_nobody_to_those_who_may_not_see_attendees(client, account):
    booking = make_booking(account, title="Tea with Ben", start=NOW)
    client.force_login(staff("view_booking"))

    assert shown(client) == {("No host", "2026-11-18"): [f"Booking {booking.pk}"]}


def test_it_is_for_those_who_may_view_bookings(client):
    client.force_login(staff("view_account"))

    assert get(client).status_code == 403


@pytest.mark.parametrize("query", [{}, {"by": "event_type"}, {"view": "month"}])
def test_it_costs_the_same_at_10_and_at_10_000_bookings(admin_client, account, query):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert get(admin_client, **query).status_code == 200
        return len(captured)

    def add(numbers):
        hosts = [make_host(account, n, f"Host {n}") for n in list(numbers)[:30]]
        bookings = Booking.objects.bulk_create(
            new_booking(account, f"uid-{n}", start=NOW + dt.timedelta(minutes=n))
            for n in numbers
        )
        through = Booking.hosts.through
        through.objects.bulk_create(
            through(booking=booking, host=hosts[n % len(hosts)])
            for n, booking in enumerate(bookings)
        )

    add(range(10))
    cost()  # the session and the content types
    few = cost()
    add(range(10, 10_000))

    assert cost() == few
