"""Every address of the admin, GET and POST, with every single permission: who is let in, and what they get to see."""

from itertools import islice

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.urls import reverse

from cal_bookings.admin.booking_actions.forms import ACTIONS
from cal_bookings.models import Account, Booking
from tests.admin.rows import list_of, page_of
from tests.privacy.addresses import (
    actions,
    autocompletions,
    everything_said,
    posts,
    urls,
)
from tests.privacy.canaries import all_but_people, holds_canary, person

MODELS = apps.get_app_config("cal_bookings").get_models
CODENAMES = sorted(
    {
        *(
            f"{verb}_{model._meta.model_name}"
            for model in MODELS()
            for verb in model._meta.default_permissions
        ),
        *(
            codename
            for model in MODELS()
            for codename, _name in model._meta.permissions
        ),
    }
)


def test_the_permissions_are_all_there_are(db):
    ours = Permission.objects.filter(content_type__app_label="cal_bookings")
    assert sorted(ours.values_list("codename", flat=True)) == CODENAMES


def answers(client, rows, limit=None):
    """Each request of a browser, and its answer; with a `limit`, for this many rows of a model."""
    for url in urls(limit):
        yield f"GET {url}", client.get(url)
        yield f"POST {url}", client.post(url)
    for url in autocompletions(""):
        yield f"GET {url}", client.get(url)
    for act in ACTIONS:
        url = reverse("admin:cal_bookings_booking_act", args=[act])
        for data in islice(posts(rows), limit and limit + 1):
            yield f"POST {url} {data}", client.post(url, data)
    for data in actions(rows):
        yield f"POST {list_of(Booking)} {data}", client.post(list_of(Booking), data)


@pytest.mark.parametrize("codename", CODENAMES)
def test_a_single_permission_shows_nobody_and_lets_nobody_in_elsewhere(
    client, rows, codename
):
    client.force_login(person(codename))
    let_in = set()
    for asked, answer in answers(client, rows, limit=1):
        assert answer.status_code < 500, asked
        if codename != "view_attendee":
            assert not holds_canary(everything_said(answer)), asked
        if answer.status_code == 200:
            let_in.add(asked.split("?")[0])

    everybody = {f"GET {reverse('admin:index')}", f"POST {reverse('admin:index')}"}
    assert {
        asked for asked in let_in - everybody if not leads_to(asked, codename)
    } == set()


def leads_to(asked, codename):
    """Whether the permission is about this address."""
    verb, _, model = codename.partition("_")
    if "/autocomplete/" in asked:
        return verb in ("view", "change")
    if asked.endswith("/cal_bookings/"):  # the index of the app
        return verb in ("view", "add", "change", "delete")
    if codename == "add_account":
        return asked.endswith("/account/add/")
    sees = {"view"} if model == "attendee" else {"view", "change"}  # Django's rule
    return verb in sees and f"/{model}/" in asked and "/add/" not in asked


def test_all_other_permissions_together_show_nobody(clerk, rows):
    for asked, answer in answers(clerk, rows):
        assert answer.status_code < 500, asked
        assert not holds_canary(everything_said(answer)), asked


def test_what_others_did_names_nobody(client, admin_client, rows):
    """The log of the admin is written by people who may see attendees, too."""
    for data in posts(rows):
        url = reverse("admin:cal_bookings_booking_act", args=["confirm"])
        admin_client.post(url, data)
    client.force_login(person(*all_but_people()))

    for booking in (*rows.bookings, *rows.actions, Account.objects.get()):
        history = page_of(booking).replace("/change/", "/history/")
        assert not holds_canary(everything_said(client.get(history)))


@pytest.mark.parametrize("name", ["export_csv", "export_ical"])
def test_an_export_names_nobody_and_opens_no_booking(viewer, rows, name):
    chosen = {
        "action": name,
        "_selected_action": [booking.pk for booking in rows.bookings],
    }
    said = everything_said(viewer.post(list_of(Booking), chosen))

    assert not holds_canary(said)
    assert str(rows.over.pk) in said


def test_people_who_may_see_attendees_find_the_canaries(admin_client, rows):
    """The pages show what they hide from others."""
    for row in (rows.over, rows.actions[0], rows.over.changes.first() or rows.over):
        assert holds_canary(everything_said(admin_client.get(page_of(row))))
