"""What a person reads who asked Cal.com something and got no answer: what is wrong, why, and what this person can do."""

import pytest
from django.contrib.messages import get_messages
from django.db.models import F
from django.urls import reverse

from cal_bookings import budget, sync
from cal_bookings.admin.booking_actions.pages import format_selection
from cal_bookings.models import Account, Booking, RateWindow

pytestmark = [pytest.mark.django_db, pytest.mark.cal(bookings=3)]


@pytest.fixture
def booking(cal):
    account = Account.objects.configured().get()
    sync.walk(account)
    live = Booking.objects.filter(status="accepted", recurring_booking_uid="")
    return live.filter(event_type__isnull=False).latest("start")


@pytest.fixture
def used_up(booking):
    """The booking of an account whose budget other processes have used up for the rest of the minute."""
    RateWindow.objects.update(used=F("slots"))
    return booking


def messages_after(response):
    return [str(one) for one in get_messages(response.wsgi_request)]


def press_test(client, booking):
    url = reverse("admin:cal_bookings_account_test", args=[booking.account_id])
    return messages_after(client.post(url))


def refresh(client, booking):
    url = reverse("admin:cal_bookings_booking_refresh", args=[booking.pk])
    return messages_after(client.post(url))


def free_slots(client, booking):
    url = reverse("admin:cal_bookings_booking_act", args=["reschedule"])
    page = client.post(url, {"bookings": format_selection([booking])})
    return messages_after(page)


QUESTIONS = pytest.mark.parametrize("ask", [press_test, refresh, free_slots])
#: What only somebody who walks, or writes programs, can make sense of.
OF_OTHERS = ("walk", "checkpoint", "come back", "PAGE_SIZE", "such list")


def assert_advice(text, *parts):
    for part in parts:
        assert part in text
    assert [word for word in OF_OTHERS if word in text] == []


@QUESTIONS
@pytest.mark.parametrize("fault", ["502", "reset"])
def test_a_server_that_is_down(admin_client, cal, booking, ask, fault):
    cal.fault(fault, times=100)

    [text] = ask(admin_client, booking)

    assert_advice(text, "cannot be reached", "Try again")


@QUESTIONS
def test_a_server_that_does_not_answer_in_time(
    admin_client, cal, booking, ask, settings
):
    settings.CAL_BOOKINGS["TIMEOUT"] = (0.5, 0.1)
    cal.fault("slow", times=100, seconds=0.4)

    [text] = ask(admin_client, booking)

    assert_advice(text, "in time", "ry again")


@QUESTIONS
def test_a_budget_that_is_used_up(admin_client, cal, used_up, ask):
    asked = len(cal.requests)

    [text] = ask(admin_client, used_up)

    assert_advice(text, "rate limit is used up", "Try again in ", " seconds.")
    assert len(cal.requests) == asked


@pytest.mark.parametrize("ask", [refresh, free_slots])
def test_an_account_that_a_person_paused(admin_client, cal, booking, ask):
    budget.pause(booking.account, "Paused by hand by sam.")

    [text] = ask(admin_client, booking)

    assert_advice(text, "paused until resumed", "by sam", "Resume the account")


@pytest.mark.parametrize("ask", [refresh, free_slots])
def test_an_account_that_is_paused_because_its_key_was_refused(
    admin_client, cal, booking, ask
):
    cal.fault("401", times=100)
    ask(admin_client, booking)

    *_, text = ask(admin_client, booking)

    assert_advice(text, "paused until 20", "does not accept", "replace the credential")


def test_free_slots_of_an_event_type_that_is_gone(admin_client, cal, booking):
    del cal.event_types[booking.event_type_remote_id]

    [text] = free_slots(admin_client, booking)

    assert_advice(text, "may have been deleted there")
