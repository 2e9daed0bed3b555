"""Subscriptions to webhooks: who may have them, and what is refused."""

import pytest

from cal_bookings.testing.deliveries.triggers import (
    SELF_HOSTED_TRIGGERS,
    TRIGGERS,
)
from tests.testing.conftest import SELF_HOSTED

URL = "https://site.example.com/webhooks/1/"
PRIVATE = pytest.mark.cal(private_webhooks=True)
TEAM = 1


def wanted(**fields):
    return {
        "active": True,
        "subscriberUrl": URL,
        "triggers": ["BOOKING_CREATED"],
        "secret": "s",
    } | fields


def event_type(cal, slug="normal", user=1):
    return cal.event_type(cal.users[user], slug).id


def paths(cal):
    """The collection of each kind of owner, with the column that names the owner."""
    cal.users[1].organization_id = 12
    cal.accept_client("client", "hush", cal.users[1])
    own, team = event_type(cal), event_type(cal, "round-robin")
    return {
        "/webhooks": ("userId", 1),
        f"/event-types/{own}/webhooks": ("eventTypeId", own),
        f"/teams/{TEAM}/event-types/{team}/webhooks": ("eventTypeId", team),
        "/organizations/12/webhooks": ("teamId", 12),
        "/oauth-clients/client/webhooks": ("oAuthClientId", "client"),
    }


def test_each_owner_makes_reads_changes_and_removes_webhooks(cal, post):
    for path, (column, owner) in paths(cal).items():
        made = post(path, wanted())
        shown = made.json()["data"]
        one = f"{path}/{shown['id']}"

        assert made.status_code == 201
        assert shown[column] == owner
        assert post(path, method="GET").json()["data"] == [shown]
        assert post(one, method="GET").json()["data"]["subscriberUrl"] == URL
        changed = post(one, {"active": False, "secret": "t"}, method="PATCH")
        assert changed.json()["data"] == shown | {"active": False, "secret": "t"}
        assert post(one, method="DELETE").json()["data"]["id"] == shown["id"]
        assert post(one, method="GET").status_code == 404
        assert post(path, method="GET").json()["data"] == []


def test_the_same_address_twice_is_a_conflict_for_one_owner_alone(cal, post):
    for path in paths(cal):
        assert post(path, wanted()).status_code == 201
        assert post(path, wanted()).status_code == 409


def test_some_owners_delete_all_webhooks_at_once(cal, post):
    for path in paths(cal):
        post(path, wanted())
        post(path, wanted(subscriberUrl=f"{URL}2"))
        answer = post(path, method="DELETE")
        if path in ("/webhooks", "/organizations/12/webhooks"):
            assert answer.status_code == 404
        else:
            assert answer.json()["data"] == "2 webhooks deleted"


def test_webhooks_of_others_are_forbidden(cal, post, refused):
    identity = post("/webhooks", wanted()).json()["data"]["id"]
    stranger = cal.users[2].api_key
    own, other = event_type(cal), event_type(cal, user=2)
    team = event_type(cal, "round-robin")

    assert refused(f"/webhooks/{identity}", method="GET", key=stranger)[0] == 403
    assert refused(f"/event-types/{own}/webhooks/{identity}", method="GET")[0] == 400
    assert refused(f"/event-types/{other}/webhooks", wanted())[0] == 403
    # An event type of a team has a route of its own.
    assert refused(f"/event-types/{team}/webhooks", wanted())[0] == 403
    assert refused("/event-types/999/webhooks", wanted())[0] == 404
    assert refused(f"/teams/2/event-types/{team}/webhooks", wanted())[0] == 404
    assert refused("/organizations/12/webhooks", wanted())[0] == 403
    assert refused("/oauth-clients/other/webhooks", wanted())[0] == 403
    assert refused("/webhooks", wanted(), key="")[0] == 401


@pytest.mark.parametrize(
    ("url", "problem"),
    {
        "notaurl": "Invalid URL format",
        "http://site.example.com/": "Only HTTPS URLs are allowed",
        "https://127.0.0.1/": "Blocked hostname",
        "https://localhost/": "Blocked hostname",
        "https://10.1.2.3/": "Private IP address",
        "https://192.168.1.1/": "Private IP address",
        "https://[::ffff:10.0.0.1]/": "Private IP address",
        "https://[fd00::1]/": "Private IP address",
        "https://169.254.169.254/": "Blocked hostname",
    }.items(),
)
def test_hosted_cal_com_sends_to_https_and_public_addresses_alone(
    refused, post, url, problem
):
    told = f"Webhook URL is not allowed: {problem}"
    assert refused("/webhooks", wanted(subscriberUrl=url)) == (400, told)

    identity = post("/webhooks", wanted()).json()["data"]["id"]
    one = f"/webhooks/{identity}"
    assert refused(one, {"subscriberUrl": url}, method="PATCH") == (400, told)


@SELF_HOSTED
def test_a_self_hosted_server_sends_to_http_and_private_addresses_too(post, refused):
    for url in ("http://10.1.2.3/", "http://127.0.0.1:8000/"):
        assert post("/webhooks", wanted(subscriberUrl=url)).status_code == 201
    for url in ("http://169.254.169.254/", "ftp://site.example.com/", "notaurl"):
        assert refused("/webhooks", wanted(subscriberUrl=url))[0] == 400


@PRIVATE
def test_a_switch_lets_hosted_cal_com_send_to_private_addresses(post, refused):
    url = "http://127.0.0.1:8000/"
    assert post("/webhooks", wanted(subscriberUrl=url)).status_code == 201
    metadata = "http://169.254.169.254/"
    assert refused("/webhooks", wanted(subscriberUrl=metadata))[0] == 400


def test_hosted_cal_com_knows_28_triggers_and_two_versions(post, refused):
    assert len(set(TRIGGERS)) == 28
    assert len(set(SELF_HOSTED_TRIGGERS)) == 19
    mine = [one for one in TRIGGERS if not one.startswith("DELEGATION_")]
    timed = {"time": 5, "timeUnit": "MINUTE", "version": "2026-07-27"}
    made = post("/webhooks", wanted(triggers=mine, **timed)).json()["data"]

    assert {key: made[key] for key in timed} == timed
    assert refused("/webhooks", wanted(triggers=list(TRIGGERS)))[1].endswith(
        "trigger is only available for organization webhooks"
    )
    assert refused("/webhooks", wanted(triggers=mine))[0] == 400
    assert refused("/webhooks", wanted(version="2026-05-01"))[0] == 400


@SELF_HOSTED
def test_a_self_hosted_server_knows_fewer(post, refused):
    assert refused("/webhooks", wanted(triggers=["BOOKING_REASSIGNED"]))[0] == 400
    assert refused("/webhooks", wanted(version="2026-07-27"))[0] == 400
    shown = post("/webhooks", wanted()).json()["data"]
    assert "version" not in shown


def test_lists_are_cut_into_pages(post, refused):
    for number in range(3):
        post("/webhooks", wanted(subscriberUrl=f"{URL}{number}"))

    shown = post("/webhooks?take=2&skip=1", method="GET").json()["data"]

    assert [one["subscriberUrl"] for one in shown] == [f"{URL}1", f"{URL}2"]
    assert refused("/webhooks?take=251", method="GET")[0] == 400
