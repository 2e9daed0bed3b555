"""Who may do what: every page and every act, for everybody from nobody to a superuser."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cal_bookings import outbox
from cal_bookings.admin.booking_actions.forms import ACTIONS
from cal_bookings.admin.booking_actions.pages import format_selection
from cal_bookings.models import Account, Booking, BookingAction
from tests.admin.rows import list_of, page_of, staff

LOOKS = {
    "booking list": "view_booking",
    "booking": "view_booking",
    "calendar": "view_booking",
    "export": "view_booking",
    "overview": "view_syncstate",
    "account list": "view_account",
    "account add": "add_account",
    "replace key": "change_account",
    "action list": "view_bookingaction",
    "action": "view_bookingaction",
}
DEEDS = {
    **{act.name: act.permission.partition(".")[2] for act in ACTIONS.values()},
    "withdraw": "confirm_booking",
    "requeue": "confirm_booking",
    "sync now": "sync_account",
    "test": "sync_account",
    "pause": "pause_account",
    "resume": "pause_account",
    "replace key": "change_account",
}
PEOPLE = [
    "anonymous",
    "visitor",
    "staff",
    "viewer",
    *sorted({*DEEDS.values(), *LOOKS.values()}),
    "superuser",
]
VIEWS = {"view_booking", "view_bookingaction", "view_account", "view_syncstate"}


@pytest.fixture
def action(mirrored):
    return outbox.confirm(mirrored("a", status="pending"))


def permissions_of(person):
    """A permission to act comes with those to see: nobody acts blindly."""
    if person == "viewer":
        return VIEWS
    return VIEWS | {person} if person in DEEDS.values() else {person}


def sign_in(client, person):
    """Signs the person in and says which permissions they have; None: all."""
    if person == "anonymous":
        return set()
    if person == "visitor":
        client.force_login(User.objects.create_user("vic"))
        return set()
    if person == "superuser":
        client.force_login(User.objects.create_superuser("sue"))
        return None
    codenames = set() if person == "staff" else permissions_of(person)
    client.force_login(staff(*codenames))
    return codenames


def replace_key(account):
    return reverse("admin:cal_bookings_account_replace_key", args=[account.pk])


def look(client, name, action):
    booking_list = list_of(Booking)
    if name == "export":
        chosen = {"action": "export_csv", "_selected_action": action.booking.pk}
        return client.post(booking_list, chosen)
    addresses = {
        "booking list": booking_list,
        "booking": page_of(action.booking),
        "calendar": reverse("admin:cal_bookings_booking_calendar"),
        "overview": reverse("admin:cal_bookings_overview"),
        "account list": list_of(Account),
        "account add": reverse("admin:cal_bookings_account_add"),
        "replace key": replace_key(action.account),
        "action list": list_of(BookingAction),
        "action": page_of(action),
    }
    return client.get(addresses[name])


def do(client, name, action):
    match name:
        case "withdraw" | "requeue":
            url = reverse(f"admin:cal_bookings_bookingaction_{name}", args=[action.pk])
        case "sync now":
            url = reverse("admin:cal_bookings_sync_now", args=[action.account_id])
        case "replace key":
            url = replace_key(action.account)
        case "test" | "pause" | "resume":
            url = reverse(
                f"admin:cal_bookings_account_{name}", args=[action.account_id]
            )
        case _:
            url = reverse("admin:cal_bookings_booking_act", args=[name])
    selection = format_selection([action.booking])
    return client.post(url, {"bookings": selection, "confirmed": "yes"})


def outcome(response):
    if response.status_code == 302 and "/login/" in response["Location"]:
        return "sign in"
    return "forbidden" if response.status_code == 403 else "allowed"


@pytest.mark.parametrize("person", PEOPLE)
def test_each_page_is_for_those_who_may_see_it(client, action, person):
    has = sign_in(client, person)

    outcomes = {name: outcome(look(client, name, action)) for name in LOOKS}

    if person in ("anonymous", "visitor"):
        assert set(outcomes.values()) == {"sign in"}
        return
    assert outcomes == {
        name: "allowed" if has is None or needed in has else "forbidden"
        for name, needed in LOOKS.items()
    }


@pytest.mark.parametrize("person", PEOPLE)
def test_each_deed_is_for_those_who_may_do_it(client, action, person):
    has = sign_in(client, person)

    outcomes = {name: outcome(do(client, name, action)) for name in DEEDS}

    if person in ("anonymous", "visitor"):
        assert set(outcomes.values()) == {"sign in"}
    else:
        assert outcomes == {
            name: "allowed" if has is None or needed in has else "forbidden"
            for name, needed in DEEDS.items()
        }


@pytest.mark.parametrize("person", ["anonymous", "visitor", "staff", "viewer"])
def test_a_forged_post_changes_nothing(client, action, person):
    sign_in(client, person)

    for name in DEEDS:
        do(client, name, action)

    assert list(BookingAction.objects.values_list("pk", "status")) == [
        (action.pk, "queued")
    ]
    assert not Account.objects.get(pk=action.account_id).is_paused_by_hand


def test_a_post_from_another_site_changes_nothing(action):
    client = Client(enforce_csrf_checks=True)
    sign_in(client, "superuser")

    codes = {name: do(client, name, action).status_code for name in DEEDS}

    assert codes == dict.fromkeys(DEEDS, 403)
    assert not Account.objects.get(pk=action.account_id).is_paused_by_hand
    action.refresh_from_db()
    assert action.status == "queued"


@pytest.mark.parametrize("person", [*PEOPLE[3:-1]])
def test_buttons_and_actions_are_those_that_one_may_press(client, action, person):
    has = sign_in(client, person)
    if "view_booking" not in has:
        return

    overview = client.get(reverse("admin:cal_bookings_overview")).content.decode()
    account = client.get(page_of(action.account)).content.decode()
    for html in [overview, account]:
        assert ("/pause/" in html) == ("pause_account" in has)
        assert ("/replace-key/" in account) == ("change_account" in has)
        assert ("/test/" in html) == ("sync_account" in has)
    assert ("/sync-now/" in overview) == ("sync_account" in has)

    page = client.get(page_of(action.booking)).content.decode()
    listed = client.get(list_of(Booking)).content.decode()

    for act in ACTIONS.values():
        may = act.permission.partition(".")[2] in has
        assert (f"/act/{act.name}/" in page) == may
        assert (f'<option value="{act.name}">' in listed) == (may and not act.is_single)


def test_to_act_one_must_be_allowed_to_see(client, action):
    client.force_login(staff("confirm_booking", "cancel_booking"))

    assert do(client, "cancel", action).status_code == 403
    assert do(client, "withdraw", action).status_code == 403
