"""Finding bookings in the admin: filters and search."""

import datetime as dt
import re
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cal_bookings.admin import filters
from cal_bookings.models import Account, EventType, Host
from tests.admin.rows import make_booking

pytestmark = pytest.mark.django_db
LIST = "admin:cal_bookings_booking_changelist"
NOW = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)  # a Wednesday


@pytest.fixture
def account():
    return Account.objects.create(alias="default")


def shown(client, **lookups):
    """The uids of the bookings that the list shows, in its order."""
    response = client.get(f"{reverse(LIST)}?{urlencode(lookups)}")
    assert response.status_code == 200
    return [booking.uid for booking in response.context["cl"].result_list]


@pytest.fixture
def at_noon_on_wednesday(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.mark.usefixtures("at_noon_on_wednesday")
@pytest.mark.parametrize(
    ("when", "zone", "uids"),
    [
        ("upcoming", "UTC", ["sunday", "tomorrow", "tonight"]),
        ("past", "UTC", ["morning", "monday", "last sunday"]),
        ("today", "UTC", ["tonight", "off", "morning"]),
        # 23:30 UTC is the next day in Tokyo.
        ("today", "Asia/Tokyo", ["off", "morning"]),
        # Weeks begin on Sunday in American English.
        (
            "week",
            "UTC",
            ["tomorrow", "tonight", "off", "morning", "monday", "last sunday"],
        ),
        (
            "nonsense",
            "UTC",
            [
                "sunday",
                "tomorrow",
                "tonight",
                "off",
                "morning",
                "monday",
                "last sunday",
            ],
        ),
    ],
)
def test_when_follows_the_current_time_zone(admin_client, account, when, zone, uids):
    hours = {
        "last sunday": -60,
        "monday": -50,
        "morning": -3,
        "tonight": 11.5,
        "tomorrow": 24,
        "sunday": 96,
    }
    for uid, hour in hours.items():
        make_booking(account, uid, start=NOW + dt.timedelta(hours=hour))
    make_booking(account, "off", start=NOW + dt.timedelta(hours=1), status="cancelled")

    with timezone.override(ZoneInfo(zone)):
        assert shown(admin_client, when=when) == uids


def test_status_missing_and_relations_filter(admin_client, account):
    kind = EventType.objects.create(account=account, remote_id=1, mirrored_at=NOW)
    ada = Host.objects.create(account=account, remote_id=1, mirrored_at=NOW)
    other = Account.objects.create(alias="other")
    make_booking(account, "pending", status="pending")
    make_booking(account, "odd", status="levitating")
    make_booking(account, "gone", missing_since=NOW)
    make_booking(account, "typed", event_type=kind)
    make_booking(other, "elsewhere")
    make_booking(account, "hosted").hosts.add(ada)

    assert shown(admin_client, status="pending") == ["pending"]
    assert shown(admin_client, status="other") == ["odd"]
    assert shown(admin_client, missing="yes") == ["gone"]
    assert "gone" not in shown(admin_client, missing="no")
    assert shown(admin_client, event_type__id__exact=kind.pk) == ["typed"]
    assert shown(admin_client, hosts__id__exact=ada.pk) == ["hosted"]
    assert shown(admin_client, account__id__exact=other.pk) == ["elsewhere"]


def make_hosts(account, count):
    for n in range(count):
        Host.objects.create(
            account=account, remote_id=n, name=f"Ada {n}", mirrored_at=NOW
        )


def test_few_hosts_are_a_plain_choice(admin_client, account):
    make_booking(account)
    make_hosts(account, 3)
    chosen = Host.objects.get(remote_id=1)

    html = admin_client.get(
        f"{reverse(LIST)}?hosts__id__exact={chosen.pk}"
    ).content.decode()

    assert f'<option value="{chosen.pk}" selected>Ada 1</option>' in html
    assert [f">Ada {n}</option>" in html for n in range(4)] == [True] * 3 + [False]


def test_many_hosts_are_looked_up_as_one_types(admin_client, account):
    """Ten thousand hosts must not become ten thousand choices."""
    make_booking(account)
    make_hosts(account, filters.FEW + 1)
    chosen = Host.objects.get(remote_id=7)

    url = f"{reverse(LIST)}?hosts__id__exact={chosen.pk}&status=accepted"
    html = admin_client.get(url).content.decode()

    assert [f"Ada {n}" in html for n in (7, 8)] == [True, False]
    assert '<input type="hidden" name="status" value="accepted">' in html
    assert "admin/js/autocomplete.js" in html


def test_relation_filters_are_for_those_who_may_view_the_relation(client, account):
    staff = User.objects.create_user("sam", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_booking"))
    client.force_login(staff)

    assert 'name="hosts__id__exact"' not in client.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize("name", ["hosts__id__exact", "account__id__exact"])
def test_a_mistyped_filter_is_no_crash(admin_client, name):
    response = admin_client.get(f"{reverse(LIST)}?{name}=abc")

    assert response.status_code == 302


@pytest.mark.parametrize(
    ("text", "uids"),
    [
        ("ben-1", ["ben-1"]),
        ("ben@example.com", ["ben-1"]),
        ("Ben@", ["ben-1"]),
        ("ben@ex", ["ben-1"]),
        ("be", ["ben-1"]),  # the beginning of an address, without its @
        ("cy@", ["cy-1"]),
        ("@example.com", []),
        ("ben@example.com ", ["ben-1"]),
        ("bitdiddle", ["ben-1"]),
        ("BITDIDDLE ben", ["ben-1"]),
        ("ben tea", []),  # of a title and a name, not one word of each
        ("coffee", ["cy-1"]),
        ("ben coffee", []),
        ("100%", []),
    ],
)
def test_search_finds_by_uid_title_name_and_address(admin_client, account, text, uids):
    ben, cy = (
        make_booking(account, "ben-1"),
        make_booking(account, "cy-1", title="Coffee"),
    )
    for position in range(2):
        ben.attendees.create(
            position=position, name="Ben Bitdiddle", email="ben@example.com"
        )
    cy.attendees.create(position=0, name="Cy D. Fect", email="cy@example.com")

    assert shown(admin_client, q=text) == uids


def test_search_finds_by_number(admin_client, account):
    booking = make_booking(account, "ben-1", title="Room 7")

    assert shown(admin_client, q=f"#{booking.pk}") == ["ben-1"]
    assert shown(admin_client, q="#999999") == []
    assert shown(admin_client, q="7") == ["ben-1"]  # a word of the title


def test_a_search_without_a_result_says_what_to_try(admin_client, account):
    make_booking(account, "ben-1")

    def hint(query):
        html = admin_client.get(f"{reverse(LIST)}?{query}").content.decode()
        return re.findall(r'<p class="help" role="status">(.*?)</p>', html, re.DOTALL)

    assert hint("q=tea") == hint("") == hint("status=accepted") == []
    [text] = hint("q=<b>")
    assert text.startswith("Nothing was found for “&lt;b&gt;”. Check the spelling")
    [text] = hint("q=tea&status=pending")
    assert '<a href="?q=tea">Search without the filters</a>' in text
    [text] = hint("status=pending")
    assert text.startswith("Nothing matches these filters.")


def test_a_search_for_a_uid_or_an_address_scans_no_text(admin_client, account):
    make_booking(account).attendees.create(position=0, email="ben@example.com")

    for text in ["uid-1", "ben@example.com"]:
        with CaptureQueriesContext(connection) as captured:
            shown(admin_client, q=text)

        assert not [query for query in captured if "LIKE '%" in query["sql"]]


def test_attendees_are_searched_by_name_and_address(admin_client, account):
    booking = make_booking(account)
    booking.attendees.create(position=0, name="Ben Bitdiddle", email="ben@example.com")
    booking.attendees.create(position=1, name="Cy D. Fect", email="cy@example.com")
    url = reverse("admin:cal_bookings_attendee_changelist")

    for text in ["bitdiddle", "ben@", "be"]:
        rows = (
            admin_client.get(f"{url}?{urlencode({'q': text})}")
            .context["cl"]
            .result_list
        )
        assert [row.name for row in rows] == ["Ben Bitdiddle"]
