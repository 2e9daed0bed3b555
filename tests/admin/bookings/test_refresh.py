"""Reading bookings again: at once, few at a time, and with the cure when Cal.com does not answer."""

import pytest
from django.urls import reverse

from cal_bookings import sync
from cal_bookings.models import Account, Booking
from tests.admin.rows import list_of, messages_of, page_of, staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.cal(bookings=12)]


@pytest.fixture
def booking(cal):
    account = Account.objects.configured().get()
    sync.walk(account)
    return Booking.objects.exclude(status="cancelled").filter(recurring_booking_uid="")[
        0
    ]


def press(client, booking):
    url = reverse("admin:cal_bookings_booking_refresh", args=[booking.pk])
    return client.post(url)


def test_a_booking_is_read_again_with_a_button(admin_client, cal, booking):
    cal.edit(booking.uid, title="Another title")
    assert "/refresh/" in admin_client.get(page_of(booking)).content.decode()

    response = press(admin_client, booking)

    assert messages_of(response) == ["1 booking was read again."]
    assert response["Location"] == page_of(booking)
    booking.refresh_from_db()
    assert booking.title == "Another title"


def test_several_are_read_again_from_the_list(admin_client, cal, booking):
    pks = list(Booking.objects.values_list("pk", flat=True)[:3])
    chosen = {"action": "refresh", "_selected_action": pks}

    response = admin_client.post(list_of(Booking), chosen)

    assert messages_of(response) == ["3 bookings were read again."]


def test_many_are_refused(admin_client, cal, booking):
    before = len(cal.requests)
    pks = list(Booking.objects.values_list("pk", flat=True))
    chosen = {"action": "refresh", "_selected_action": pks}

    [message] = messages_of(admin_client.post(list_of(Booking), chosen))

    assert message.startswith("At most 10 bookings")
    assert len(cal.requests) == before


def test_a_refusal_says_what_helps(admin_client, cal, booking, settings):
    settings.CAL_BOOKINGS["ACCOUNTS"]["default"]["API_KEY"] = "cal_wrong_sesame"

    [message] = messages_of(press(admin_client, booking))

    assert "Cal.com does not accept" in message
    assert "sesame" not in message


def test_it_is_for_those_who_may(client, cal, booking):
    client.force_login(staff("view_booking", "cancel_booking"))
    before = len(cal.requests)

    assert "/refresh/" not in client.get(page_of(booking)).content.decode()
    assert press(client, booking).status_code == 403
    assert len(cal.requests) == before
    client.force_login(staff("refresh_booking"))
    assert press(client, booking).status_code == 403


def test_a_booking_that_is_not_there_is_not_found(admin_client, cal, booking):
    booking.pk = 12345

    assert press(admin_client, booking).status_code == 404
