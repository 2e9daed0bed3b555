"""The outbox in the admin: what became of an action, what differed, and the two buttons."""

import datetime as dt

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from cal_bookings import outbox
from cal_bookings.models import Booking, BookingAction
from tests.admin.rows import list_of, messages_of, page_of, staff


@pytest.fixture
def action(mirrored):
    return outbox.confirm(mirrored("a", status="pending"))


def end(action, status, **fields):
    BookingAction.objects.filter(pk=action.pk).update(status=status, **fields)


def html_of(client, url):
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def press(client, button, action):
    name = f"admin:cal_bookings_bookingaction_{button}"
    return client.post(reverse(name, args=[action.pk]))


def test_a_conflict_shows_both_versions(admin_client, action):
    now = action.seen | {"status": "cancelled", "active": False}
    why = "The booking changed on Cal.com in the meantime."
    end(action, "failed", found=now, error_message=why)

    html = html_of(admin_client, page_of(action))

    assert why in html
    differs = (
        '<tr class="cal-differs"><td>status</td><td>pending</td><td>cancelled</td>'
    )
    assert differs in html
    assert '<tr class=""><td>uid</td><td>a</td><td>a</td></tr>' in html


def test_attempts_are_told(admin_client, action):
    action.history.create(
        worker="w-1", outcome="lost", sent=True, http_status=504, error_message="Late"
    )

    html = html_of(admin_client, page_of(action))

    assert [text in html for text in ("no usable response", "504", "Late")] == [
        True
    ] * 3


def test_a_booking_tells_its_actions(admin_client, action):
    html = html_of(admin_client, page_of(action.booking))

    assert '<span class="cal-status cal-pending">queued</span>' in html
    assert page_of(action) in html


def test_what_is_queued_can_be_withdrawn(admin_client, action):
    assert ">Withdraw</button>" in html_of(admin_client, page_of(action))

    response = press(admin_client, "withdraw", action)

    action.refresh_from_db()
    assert action.status == "withdrawn"
    assert response["Location"] == page_of(action)
    assert messages_of(response) == ["Withdrawn."]
    assert LogEntry.objects.get().get_change_message() == "Withdrawn."


def test_what_is_being_sent_can_not(admin_client, action):
    end(action, "sending")

    assert ">Withdraw</button>" not in html_of(admin_client, page_of(action))
    [message] = messages_of(press(admin_client, "withdraw", action))
    assert message.startswith("It is too late to withdraw this")


@pytest.mark.parametrize("status", ["failed", "withdrawn"])
def test_what_failed_can_be_queued_again(admin_client, admin_user, action, status):
    end(action, status)
    assert ">Queue again</button>" in html_of(admin_client, page_of(action))

    response = press(admin_client, "requeue", action)

    again = BookingAction.objects.latest("pk")
    assert (again.kind, again.status) == ("confirm", "queued")
    assert again.requested_by == admin_user
    assert response["Location"] == page_of(again)


def test_what_is_done_can_not(admin_client, action):
    end(action, "done")

    assert "Queue again" not in html_of(admin_client, page_of(action))
    assert messages_of(press(admin_client, "requeue", action)) == [
        "Only an action that failed or was withdrawn can be queued again; this one is done."
    ]


@pytest.mark.parametrize("button", ["withdraw", "requeue"])
def test_buttons_are_for_those_who_may_do_the_same(client, action, button):
    client.force_login(staff("view_bookingaction", "view_booking", "cancel_booking"))
    status = "queued" if button == "withdraw" else "failed"
    end(action, status)

    html = html_of(client, page_of(action))

    assert 'class="cal-tools"' not in html
    assert press(client, button, action).status_code == 403
    action.refresh_from_db()
    assert action.status == status


def test_it_names_nobody_to_those_who_may_not_see_attendees(client, action):
    end(action, "failed", found=action.seen, error_message="Ben did it", note="Ben")
    action.history.create(worker="w", outcome="refused", error_message="Ben")
    client.force_login(staff("view_bookingaction", "view_booking"))

    pages = [list_of(BookingAction), page_of(action), page_of(action.booking)]
    html = "".join(html_of(client, page) for page in pages)

    assert "Ben" not in html
    assert "ben@" not in html


def test_an_action_without_a_booking_is_shown(admin_client, action):
    BookingAction.objects.filter(pk=action.pk).update(
        booking=None, kind="create", seen={}, sent_at=timezone.now()
    )

    assert "create #" in html_of(admin_client, page_of(action))


def shown(client, query):
    response = client.get(f"{list_of(Booking)}?{query}")
    return [booking.uid for booking in response.context["cl"].result_list]


def test_the_list_tells_what_is_open_and_what_failed_lately(admin_client, action):
    html = html_of(admin_client, list_of(Booking))
    assert f'href="{page_of(action)}">confirm: queued</a>' in html

    end(action, "failed", ended_at=timezone.now())
    assert ">confirm: failed</a>" in html_of(admin_client, list_of(Booking))

    end(action, "failed", ended_at=timezone.now() - dt.timedelta(days=8))
    assert ">confirm: " not in html_of(admin_client, list_of(Booking))


def test_bookings_are_found_by_what_their_actions_came_to(
    admin_client, mirrored, action
):
    mirrored("without")
    BookingAction.objects.create(
        account=action.account, kind="create", deadline=timezone.now()
    )

    assert shown(admin_client, "action_is=open") == ["a"]
    assert shown(admin_client, "action_is=failed") == []
    end(action, "failed")
    assert shown(admin_client, "action_is=failed") == ["a"]
    assert len(shown(admin_client, "action_is=x")) == 2
