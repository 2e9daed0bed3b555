"""The members and event types of a team."""

import pytest

from cal_bookings.client import (
    ApiKey,
    CalClient,
    CalForbidden,
    CalRateLimited,
    CalUnauthorized,
    CalUnavailable,
    CalUnexpected,
    CalUnsupported,
)
from tests.client.conftest import reply


def teams(cal, key=None):
    key = cal.api_key if key is None else key
    return CalClient(cal.url, ApiKey(key), sleep=lambda _: None).teams()


def test_members_are_those_who_have_accepted(cal):
    cal.memberships.add(cal.add_user("Invited"), 1, accepted=False)

    members = teams(cal).members(1)

    assert [one.user_id for one in members] == [1, 2, 3, 4]
    assert members[1].email == cal.users[2].email


def test_more_members_than_a_page_holds_are_read(cal):
    for _ in range(260):
        cal.memberships.add(cal.users[1], 7)
    cal.memberships.add(cal.users[3], 7)

    assert [one.user_id for one in teams(cal).members(7)] == [*[1] * 260, 3]
    assert [one.query["skip"] for one in cal.requests] == [["0"], ["250"]]


def test_a_server_that_repeats_a_page_is_found_out(client, script):
    page = [{"id": n, "userId": n, "accepted": True} for n in range(250)]
    script.answer = lambda request: reply({"status": "success", "data": page})

    with pytest.raises(CalUnexpected, match="no page showed before"):
        client.teams().members(1)
    assert len(script.requests) == 2


def test_event_types_have_their_hosts(cal):
    shown = teams(cal).event_types(1)

    assert {one["slug"] for one in shown} == {"support"}
    assert [host["userId"] for host in shown[0]["hosts"]] == [1, 2, 3]


def test_teams_of_an_organization_have_other_routes(cal):
    cal.users[1].organization_id = 5

    assert len(teams(cal).members(1, organization_id=5)) == 3
    assert cal.requests[-1].path == "/organizations/5/teams/1/memberships"


@pytest.mark.parametrize("name", ["members", "event_types"])
def test_what_goes_wrong_is_told(cal, name):
    with pytest.raises(CalForbidden):
        getattr(teams(cal, cal.users[2].api_key), name)(1)
    with pytest.raises(CalUnauthorized):
        getattr(teams(cal, "cal_live_wrong"), name)(1)
    cal.fault("429")
    with pytest.raises(CalRateLimited):
        getattr(teams(cal), name)(1)
    cal.fault("reset")
    assert getattr(teams(cal), name)(1)
    cal.fault("reset", times=9)
    with pytest.raises(CalUnavailable):
        getattr(teams(cal), name)(1)


@pytest.mark.cal(dialect="offset")
def test_a_self_hosted_server_has_no_teams(cal):
    with pytest.raises(CalUnsupported):
        teams(cal).members(1)
