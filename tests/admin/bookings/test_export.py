"""The selection as a file: complete, inert in a spreadsheet, and without people for those who may not see them."""

import csv
import datetime as dt
import io
import re
import sys
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.utils import timezone

from cal_bookings.admin.bookings import export
from cal_bookings.models import Account, Booking
from tests.admin.rows import list_of, make_booking, make_bookings, staff

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)  # the clocks change in Rome


@pytest.fixture
def booking():
    account = Account.objects.create(alias="default")
    fields = {"title": "=1+1", "location": "https://meet.example.com", "start": START}
    booking = make_booking(account, ics_uid="uid-1@Cal.com", **fields)
    now = timezone.now()
    host = {"account": account, "remote_id": 1, "mirrored_at": now}
    booking.hosts.create(name="Ada", email="ada@example.com", **host)
    booking.attendees.create(position=0, name="Zoë", email="zoe@example.com")
    booking.attendees.create(position=1, phone_number="+390612345")
    return booking


def exported(client, action, bookings):
    chosen = {
        "action": action,
        "_selected_action": [booking.pk for booking in bookings],
    }
    return client.post(list_of(Booking), chosen)


def rows_of(response):
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_csv_has_a_row_for_each_selected_booking(admin_client, booking):
    make_booking(booking.account, "another")

    with timezone.override(ZoneInfo("Europe/Rome")):
        response = exported(admin_client, "export_csv", [booking])

    assert response["Content-Disposition"] == 'attachment; filename="bookings.csv"'
    assert rows_of(response) == [
        {
            "booking": str(booking.pk),
            "uid": "uid-1",
            "status": "accepted",
            "start": "2026-10-25T02:30:00+02:00",
            "end": "2026-10-25T02:00:00+01:00",
            "duration": "30",
            "event type": "",
            "hosts": "Ada <ada@example.com>",
            "account": "default",
            "missing since": "",
            "title": "'=1+1",
            "attendees": "Zoë <zoe@example.com>, +390612345",
            "location": "https://meet.example.com",
        }
    ]


BLANKS = [
    "",
    " ",
    "\n",
    "\u00a0",
    "\u2003",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\x00",
    "\x1f",
]


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
@pytest.mark.parametrize("blank", BLANKS)
def test_no_cell_is_a_formula(sign, blank):
    assert export.inert(f"{blank}{sign}1") == f"'{blank}{sign}1"


@pytest.mark.parametrize("text", ["\tx", "\rx", "\nx"])
def test_no_cell_begins_with_a_break(text):
    assert export.inert(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["Tea", "a=b", "Tea - with Ben", "ben@example.com", "3-4", "", "; x"]
)
def test_plain_text_stays_as_it_is(text):
    assert export.inert(text) == text


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "title",
    [
        "Meeting;=1+1;x",
        'Meeting";=1+1',
        "Meeting; =1+1",
        "a|@b",
        "a\n=1+1",
        "a\t-1",
        "x;\u00a0+1",
        '"=1"',
        'x;"=1+1;y',
    ],
)
def test_no_cell_is_a_formula_whatever_separates_the_cells(
    admin_client, booking, separator, title
):
    """The quotes of a file with commas mean nothing to a spreadsheet that separates by semicolons."""
    Booking.objects.update(title=title)

    content = exported(admin_client, "export_csv", [booking]).content.decode(
        "utf-8-sig"
    )

    cells = re.split(rf"[{separator}\r\n]", content)
    if separator == ",":
        cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
    shown = [cell.lstrip(' \u00a0"') for cell in cells]
    assert not [cell for cell in shown if cell.startswith(("=", "+", "-", "@"))]


def test_icalendar_has_an_event_for_each_selected_booking(admin_client, booking):
    odd = make_booking(booking.account, "odd", status="levitating", start=START)

    response = exported(admin_client, "export_ical", [booking, odd])

    calendar = icalendar.Calendar.from_ical(response.content)
    events = {str(event["uid"]): event for event in calendar.walk("VEVENT")}
    event = events["uid-1@Cal.com"]
    assert event.decoded("dtstart") == START
    assert event.decoded("dtend") == START + dt.timedelta(minutes=30)
    assert str(event["summary"]) == "=1+1"
    assert event["status"] == "CONFIRMED"
    assert event["organizer"] == "mailto:ada@example.com"
    assert event["attendee"] == "mailto:zoe@example.com"
    assert "status" not in events["odd"]


def test_icalendar_is_offered_only_with_its_library(admin_client, booking, monkeypatch):
    offered = admin_client.get(list_of(Booking)).content.decode()
    assert "Export as iCalendar" in offered

    monkeypatch.setitem(sys.modules, "icalendar", None)

    page = admin_client.get(list_of(Booking)).content.decode()
    assert "Export as CSV" in page
    assert "Export as iCalendar" not in page
    chosen = {"action": "export_ical", "_selected_action": [booking.pk]}
    posted = admin_client.post(list_of(Booking), chosen, follow=True)
    assert posted["Content-Type"].startswith("text/html")
    assert "No action selected" in posted.content.decode()


@pytest.mark.parametrize("action", ["export_csv", "export_ical"])
def test_a_file_names_nobody_to_those_who_may_not_see_attendees(
    client, booking, action
):
    client.force_login(staff("view_booking"))

    content = exported(client, action, [booking]).content.decode()

    assert str(booking.pk) in content
    personal = ("zoe", "Zo", "1+1", "39061", "uid-1", "ada@example.com")
    assert [word in content for word in personal] == [False] * 6


def test_a_break_in_an_address_or_a_name_breaks_no_calendar(admin_client, booking):
    booking.attendees.create(
        position=2, name='Cy "C"\r\nX', email="cy@example.com\r\nATTENDEE:mailto:x@y"
    )
    Booking.objects.update(ics_uid="uid\r\nX:1", title="Tea\r\nX:2")

    content = exported(admin_client, "export_ical", [booking]).content

    event: Any
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert str(event["uid"]) == "uid X:1"
    assert [str(address) for address in event["attendee"]] == [
        "mailto:zoe@example.com",
        "mailto:cy@example.com ATTENDEE:mailto:x@y",
    ]
    assert not [name for name in event if name.startswith("X")]


@pytest.mark.parametrize("action", ["export_csv", "export_ical"])
def test_a_file_that_would_be_too_long_is_refused(admin_client, booking, action):
    make_bookings(booking.account, export.EXPORTED)
    chosen = {"action": action, "_selected_action": booking.pk, "select_across": 1}

    response = admin_client.post(list_of(Booking), chosen, follow=True)

    assert "at most 10000 bookings" in response.content.decode()
