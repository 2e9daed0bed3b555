"""Who is offered as the new host: hosts of the event type, others of its team, from the mirror alone."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cal_bookings.admin.booking_actions import host_candidates
from cal_bookings.admin.booking_actions.forms import ReassignForm
from cal_bookings.models import Account, BookingAction, EventType
from tests.admin.booking_actions.test_pages import (
    act,
    choose,
)
from tests.builders import host_payload

pytestmark = pytest.mark.django_db
OTHER = {"id": 9, "slug": "other"}
STRANGE = {"id": 11, "slug": "strange"}


def event_type(number, **payload):
    EventType.objects.filter(remote_id=number).update(payload=payload)


def team_host(number, name, **fields):
    """As the event types of a team name their hosts."""
    return {"userId": number, "name": name, "username": name.lower()} | fields


def offered(booking):
    """Names by heading."""
    field: Any = ReassignForm(bookings=[booking], people=True).fields["host"]
    return {
        str(heading): [label.partition(",")[0] for _key, label in hosts]
        for heading, hosts in field.choices
        if heading
    }


@pytest.fixture
def booking(mirrored):
    """Of event type 2, hosted by Ada."""
    return mirrored("a")


def test_whom_the_event_type_names_is_offered_without_having_hosted(booking):
    event_type(2, hosts=[team_host(1, "Ada"), team_host(5, "Grace")], teamId=7)

    assert offered(booking) == {
        "Hosts of the event type": ["Ada <ada@example.com>", "Grace"]
    }


def test_so_are_the_users_that_other_servers_name(booking):
    event_type(2, users=[{"id": 5, "name": None, "username": "grace"}])

    assert offered(booking)["Hosts of the event type"][-1:] == ["grace"]


def test_others_of_the_team_are_told_apart(booking, mirrored):
    mirrored("b", eventType=OTHER, hosts=[host_payload("Joan", id=3)])
    mirrored("c", eventType=STRANGE, hosts=[host_payload("Mary", id=4)])
    event_type(2, teamId=7)
    event_type(9, teamId=7, hosts=[team_host(1, "Ada"), team_host(6, "Hedy")])
    event_type(11, teamId=8, hosts=[team_host(8, "Rosa")])

    assert offered(booking) == {
        "Hosts of the event type": ["Ada <ada@example.com>"],
        "Others of the team": ["Hedy", "Joan <joan@example.com>"],
    }


def test_all_event_types_of_an_account_that_mirrors_a_team_are_of_that_team(
    booking, mirrored
):
    mirrored("b", eventType=OTHER, hosts=[host_payload("Joan", id=3)])
    assert "Others of the team" not in offered(booking)

    Account.objects.update(scope={"team": 7})

    assert offered(booking)["Others of the team"] == ["Joan <joan@example.com>"]


def test_a_fixed_host_has_no_place_to_take(booking, mirrored):
    mirrored("b", hosts=[host_payload(), host_payload("Joan", id=3)])
    event_type(2, hosts=[team_host(3, "Joan", mandatory=True), team_host(1, "Ada")])

    assert offered(booking) == {"Hosts of the event type": ["Ada <ada@example.com>"]}


def test_each_is_told_with_the_bookings_of_that_day(booking, mirrored):
    joan = [host_payload("Joan", id=3)]
    for uid in ["b", "c"]:
        mirrored(uid, eventType=OTHER, hosts=joan)
    mirrored("d", eventType=OTHER, hosts=joan, status="cancelled")
    event_type(2, teamId=7, hosts=[team_host(5, "Grace")])
    event_type(9, teamId=7)

    assert [
        one.label(with_address=True) for one in host_candidates.find([booking])
    ] == [
        "Ada <ada@example.com>, 1 booking then",
        "Grace, 0 bookings then",
        "Joan <joan@example.com>, 2 bookings then",
    ]


def test_a_booking_goes_to_one_whom_no_booking_showed_yet(admin_client, booking):
    event_type(2, hosts=[team_host(5, "Grace")])
    html = choose(admin_client, "reassign", booking).content.decode()
    assert '<optgroup label="Hosts of the event type">' in html

    act(admin_client, "reassign", booking, host="cal-5", reason="")

    parameters = BookingAction.objects.get().parameters
    assert (parameters["host_id"], parameters["host_email"]) == (5, "")


@pytest.mark.parametrize(
    "payload",
    [
        {"hosts": None, "users": "odd", "teamId": "7"},
        {"hosts": [None, {"userId": "x"}, {}], "users": [3, {"id": True}]},
        {"hosts": {"userId": 5}},
    ],
)
def test_odd_event_types_are_no_obstacle(booking, payload):
    event_type(2, **payload)

    assert offered(booking) == {"Hosts of the event type": ["Ada <ada@example.com>"]}


def test_people_of_other_accounts_are_not_offered(booking, mirrored):
    stranger = Account.objects.create(alias="stranger")
    now = timezone.now()
    EventType.objects.create(
        account=stranger,
        remote_id=9,
        mirrored_at=now,
        payload={"teamId": 7, "hosts": [team_host(9, "Eve")]},
    )
    event_type(2, teamId=7)

    assert offered(booking) == {"Hosts of the event type": ["Ada <ada@example.com>"]}


def test_it_costs_the_same_for_any_number_of_bookings(booking, mirrored):
    event_type(2, teamId=7)

    def cost(chosen):
        with CaptureQueriesContext(connection) as captured:
            host_candidates.find(chosen)
        return len(captured)

    mirrored("x", eventType=OTHER, hosts=[host_payload("Joan", id=3)])
    event_type(9, teamId=7, hosts=[team_host(n, f"N {n}") for n in range(20, 60)])
    more = [
        mirrored(f"b-{n}", hosts=[host_payload(f"H{n}", id=n)]) for n in range(100, 120)
    ]

    assert cost([booking]) == cost([booking, *more]) <= 6
