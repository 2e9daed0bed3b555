"""Another time for a booking: free ones from Cal.com to pick from, or one that is typed."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from cal_bookings.admin.booking_actions.pages import format_selection
from cal_bookings.models import BookingAction
from tests.client.conftest import Script, reply
from tests.client.conftest import script as script

TOMORROW = timezone.now().replace(hour=9, minute=0, second=0, microsecond=0) + (
    dt.timedelta(days=1)
)
FREE = TOMORROW + dt.timedelta(hours=2)


@pytest.fixture
def booking(mirrored, script, settings):
    """A booking of tomorrow at nine, whose account asks the scripted server."""
    account = {"API_KEY": "cal_sesame", "BASE_URL": script.url}
    settings.CAL_BOOKINGS = {"ACCOUNTS": {"mirrored": account}}
    booking = mirrored("a", start=TOMORROW)
    booking.account.base_url = script.url
    booking.account.save()
    return booking


def post(client, booking, **typed):
    url = reverse("admin:cal_bookings_booking_act", args=["reschedule"])
    return client.post(url, {"bookings": format_selection([booking])} | typed)


def free(script: Script, *moments):
    half_an_hour = dt.timedelta(minutes=30)
    slots = [
        {"start": one.isoformat(), "end": (one + half_an_hour).isoformat()}
        for one in moments
    ]
    script.will(reply({"status": "success", "data": {"any": slots}}))


def told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def wanted():
    action = BookingAction.objects.get()
    return action.kind, dt.datetime.fromisoformat(action.parameters["start"])


def test_free_times_around_the_booking_are_offered(admin_client, booking, script):
    free(script, FREE)

    with timezone.override(ZoneInfo("Asia/Tokyo")):
        html = post(admin_client, booking).content.decode()

    there = FREE.astimezone(ZoneInfo("Asia/Tokyo"))
    assert f'value="{there.isoformat()}"' in html
    [asked] = script.requests
    assert asked.query["eventTypeId"] == "2"
    assert asked.query["bookingUidToReschedule"] == "a"


def test_a_free_time_is_picked(admin_client, booking, script):
    response = post(admin_client, booking, confirmed="yes", slot=FREE.isoformat())

    assert response.status_code == 302
    assert wanted() == ("reschedule", FREE)
    assert BookingAction.objects.get().parameters["rescheduled_by"] == "ada@example.com"
    assert not script.requests


def test_a_time_is_typed_in_the_current_time_zone(admin_client, booking):
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        typed = FREE.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%dT%H:%M")
        post(admin_client, booking, confirmed="yes", start=typed)

    assert wanted() == ("reschedule", FREE)


def test_other_days_can_be_looked_at(admin_client, booking, script):
    day = TOMORROW.date() + dt.timedelta(days=30)
    free(script, FREE + dt.timedelta(days=30))

    html = post(admin_client, booking, around=day.isoformat()).content.decode()

    assert f'name="around" value="{day}"' in html
    begin = (day - dt.timedelta(days=3)).isoformat()
    assert script.requests[0].query["start"].startswith(begin)


def test_without_free_times_one_can_be_typed(admin_client, booking, script):
    script.will(reply({"status": "error", "error": {}}, 404))

    response = post(admin_client, booking)

    assert response.status_code == 200
    [message] = told(response)
    assert message.startswith("Free times could not be read, so type one.")
    assert 'name="start"' in response.content.decode()


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({}, "Pick a free time, or type another."),
        ({"slot": "soon"}, "Select a valid choice"),
        ({"start": "soon"}, "Enter a valid date/time."),
        ({"start": "2026-01-01T10:00", "rescheduled_by": "Ada"}, "valid email"),
    ],
)
def test_a_mistake_is_told(admin_client, booking, script, typed, problem):
    free(script)

    response = post(admin_client, booking, confirmed="yes", **typed)

    assert problem in response.content.decode()
    assert not BookingAction.objects.exists()


def test_the_past_is_refused(admin_client, booking):
    response = post(admin_client, booking, confirmed="yes", start="2026-01-01T10:00")

    [message] = told(response)
    assert "The start time is in the past: choose one in the future." in message
    assert not BookingAction.objects.exists()
