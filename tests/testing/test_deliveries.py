"""Deliveries of webhooks: real signed requests, when they are sent, how often, and what they say."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from cal_bookings.testing import FakeCal
from cal_bookings.testing.deliveries.triggers import TRIGGERS
from tests.testing.conftest import SECRET, SELF_HOSTED, creation, soon

# Signed, and inside the request


@SELF_HOSTED
def test_a_delivery_is_signed_over_its_raw_body(cal, receiver, hook):
    uid = cal.book()

    (got,) = receiver.received
    signature = hmac.new(SECRET.encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Cal-Signature-256"] == signature
    assert got.headers["X-Cal-Webhook-Version"] == "2021-10-20"
    assert got.headers["Content-Type"] == "application/json"
    assert got.json["payload"]["uid"] == uid
    sent = datetime.fromisoformat(got.json["createdAt"])
    assert abs(datetime.now(UTC) - sent) < timedelta(seconds=5)


@SELF_HOSTED
def test_without_a_secret_a_word_stands_for_the_signature(cal, receiver):
    cal.webhooks.subscribe(receiver.url)
    cal.webhooks.brand = "OtherBrand"
    cal.book()

    headers = receiver.received[0].headers
    assert headers["X-OtherBrand-Signature-256"] == "no-secret-provided"


@SELF_HOSTED
def test_a_self_hosted_server_delivers_before_it_answers_and_only_once(
    cal, receiver, hook, post
):
    receiver.statuses = [500]

    answer = post("/bookings", creation(cal))

    assert answer.status_code == 201
    assert receiver.triggers == ["BOOKING_CREATED"]
    assert [one.status for one in cal.webhooks.journal] == [500]
    assert hook.active


@SELF_HOSTED
def test_a_receiver_that_is_gone_stops_no_request(cal, receiver, hook, post):
    cal.webhooks.subscribe("http://127.0.0.1:9/dead")

    assert post("/bookings", creation(cal)).status_code == 201
    assert [one.status for one in cal.webhooks.journal] == [200, 0]


@SELF_HOSTED
def test_a_receiver_may_read_the_booking_before_it_answers(cal, receiver, hook, get):
    """Created bookings are there, cancelled ones are not cancelled yet: 60 of 60 times."""
    seen = []

    def read(got):
        booking = get(f"/bookings/{got.json['payload']['uid']}").json()["data"]
        seen.append((got.trigger, booking["status"], booking["updatedAt"]))

    receiver.on_request = read
    uid = cal.book()
    cal.cancel(uid)

    assert [one[:2] for one in seen] == [
        ("BOOKING_CREATED", "accepted"),
        ("BOOKING_CANCELLED", "accepted"),
    ]
    assert cal.payload(uid)["status"] == "cancelled"


@SELF_HOSTED
def test_updated_at_is_not_final_at_the_delivery(cal, receiver, hook, get):
    seen = []
    receiver.on_request = lambda got: seen.append(
        get(f"/bookings/{got.json['payload']['uid']}").json()["data"]["updatedAt"]
    )
    uid = cal.book()

    assert seen[0] < cal.payload(uid)["updatedAt"]


@SELF_HOSTED
def test_a_cancellation_by_request_is_told_before_it_is_committed(
    cal, receiver, hook, post
):
    uid = cal.book()
    cal.webhooks.commit_after = 0.2
    statuses = []
    receiver.on_request = lambda _: statuses.append(cal.payload(uid)["status"])

    answer = post(f"/bookings/{uid}/cancel", {"cancellationReason": "Ill"})

    assert answer.json()["data"]["status"] == "cancelled"
    assert statuses == ["accepted"]
    payload = receiver.received[-1].json["payload"]
    assert (payload["status"], payload["cancellationReason"]) == ("CANCELLED", "Ill")


@SELF_HOSTED
def test_the_answer_of_a_server_that_does_nothing_tells_nobody(
    cal, receiver, hook, post
):
    uid = cal.book()
    cal.fault("unapplied", path="cancel")
    post(f"/bookings/{uid}/cancel", {"cancellationReason": "Ill"})

    assert receiver.triggers == ["BOOKING_CREATED"]


# Queued, and retried


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_hosted_cal_com_retries_with_the_same_body(cal, receiver, hook, status):
    cal.webhooks.retry_pause = 0.01
    receiver.statuses = [status] * 2
    cal.book()
    cal.webhooks.flush()

    assert [one.status for one in cal.webhooks.journal] == [status, status, 200]
    assert [one.number for one in cal.webhooks.journal] == [1, 2, 3]
    assert len({one.body for one in receiver.received}) == 1


def test_it_gives_up_after_three_retries(cal, receiver, hook):
    cal.webhooks.retry_pause = 0.01
    receiver.statuses = [503] * 9
    cal.book()
    cal.webhooks.flush()

    assert len(receiver.received) == 4
    assert hook.active


def test_a_network_error_is_retried(cal):
    cal.webhooks.retry_pause = 0.01
    cal.webhooks.subscribe("http://127.0.0.1:9/dead")
    cal.book()
    cal.webhooks.flush()

    assert [one.status for one in cal.webhooks.journal] == [0] * 4


@pytest.mark.parametrize("status", [301, 400, 401, 404, 501])
def test_other_answers_are_final(cal, receiver, hook, status):
    receiver.statuses = [status]
    cal.book()
    cal.webhooks.flush()

    assert [one.status for one in cal.webhooks.journal] == [status]
    assert hook.active


def test_410_switches_the_subscription_off(cal, receiver, hook, post):
    receiver.statuses = [410]
    cal.book()
    cal.webhooks.flush()
    cal.book()
    cal.webhooks.flush()

    assert len(receiver.received) == 1
    shown = post(f"/webhooks/{hook.id}", method="GET").json()["data"]
    assert shown["active"] is False


def test_the_queue_builds_the_payload_from_what_the_database_holds(cal, receiver, hook):
    with cal.lock:
        uid = cal.book()
        cal.edit(uid, title="Changed meanwhile")
    cal.webhooks.flush()

    assert receiver.received[0].json["payload"]["title"] == "Changed meanwhile"


def test_the_queue_tells_of_a_cancellation_after_its_commit(cal, receiver, hook):
    uid = cal.book()
    cal.webhooks.flush()
    statuses = []
    receiver.on_request = lambda _: statuses.append(cal.payload(uid)["status"])
    cal.cancel(uid)
    cal.webhooks.flush()

    assert statuses == ["cancelled"]


def test_nothing_is_sent_after_the_end(receiver):
    with FakeCal() as cal:
        cal.webhooks.subscribe(receiver.url)
        cal.webhooks.fault("delayed", seconds=60)
        cal.book()
    cal.book()

    assert receiver.received == []


# Whatever goes wrong


@SELF_HOSTED
def test_deliveries_are_lost_doubled_held_and_delayed_as_a_test_wants(
    cal, receiver, hook
):
    cal.webhooks.fault("lost")
    cal.webhooks.fault("doubled")
    cal.webhooks.fault("held", trigger="BOOKING_CREATED")
    lost, doubled, held, after = (cal.book() for _ in range(4))

    uids = [one.json["payload"]["uid"] for one in receiver.received]
    assert uids == [doubled, doubled, after, held]
    assert receiver.received[0].body == receiver.received[1].body
    assert [one.uid for one in cal.webhooks.journal if not one.status] == [lost]
    assert len(cal.webhooks.accepted("BOOKING_CREATED")) == 4

    cal.webhooks.fault("delayed", seconds=0.05)
    cal.book()
    assert len(receiver.received) == 4
    cal.webhooks.flush()
    assert len(receiver.received) == 5
    cal.webhooks.fault("held", skip=1)
    cal.book()
    cal.book()
    cal.webhooks.release()
    assert len(receiver.received) == 7


def test_an_unknown_fault_is_refused(cal):
    with pytest.raises(ValueError, match="choose one of lost, doubled, held, delayed"):
        cal.webhooks.fault("garbled")


# Who hears of what


@SELF_HOSTED
def test_each_owner_hears_of_their_bookings(cal, receiver):
    cal.users[1].organization_id = 12
    cal.accept_client("client", "hush", cal.users[1])
    kind = cal.event_type(cal.users[1], "normal").id
    owners = {
        "userId": 1,
        "eventTypeId": kind,
        "teamId": 12,
        "oAuthClientId": "client",
    }
    for name, owner in owners.items():
        url = receiver.url + name
        cal.webhooks.subscribe(url, owner_kind=name, owner=owner)

    cal.book()
    cal.book(event_type="deep-dive")
    cal.book(user=cal.users[2])

    heard = [one.path.removeprefix("/hook") for one in receiver.received]
    assert heard == [*owners, "userId", "teamId", "oAuthClientId"]


@SELF_HOSTED
def test_what_nobody_is_told_of(cal, receiver, hook):
    """And on a self-hosted server, locations and other hosts."""
    uid = cal.book(event_type="round-robin")
    del receiver.received[:]
    cal.mark_host_absent(uid)
    cal.add_attendee(uid)
    cal.touch(uid)
    cal.set_location(uid, "Room 5")
    cal.reassign(uid, 2)

    assert receiver.received == []


def test_hosted_cal_com_tells_of_locations_and_other_hosts(cal, receiver, hook):
    uid = cal.book(event_type="round-robin")
    cal.set_location(uid, "Room 5")
    cal.webhooks.flush()
    cal.reassign(uid, 2)
    cal.webhooks.flush()

    payloads = {one.trigger: one.json["payload"] for one in receiver.received}
    moved = payloads["BOOKING_LOCATION_UPDATED"]
    assert (moved["location"], "previousLocation" in moved) == ("Room 5", True)
    given = payloads["BOOKING_REASSIGNED"]
    assert (given["addedHostUserIds"], given["removedHostUserIds"]) == ([2], [1])


@SELF_HOSTED
def test_one_delivery_for_many_changes(cal, receiver, hook, post):
    """A series is told once per occurrence when it is booked, and once when it is confirmed, declined or cancelled."""
    series = cal.book_series(3)
    assert receiver.triggers == ["BOOKING_CREATED"] * 3
    for path, body, trigger in (
        ("confirm", {}, "BOOKING_CREATED"),
        ("decline", {"reason": "No"}, "BOOKING_REJECTED"),
    ):
        for uid in series:
            cal.edit(uid, status="pending")
        del receiver.received[:]
        assert post(f"/bookings/{series[1]}/{path}", body).status_code == 200
        (got,) = receiver.received
        assert (got.trigger, got.json["payload"]["uid"]) == (trigger, series[1])
    for uid in series:
        cal.edit(uid, status="accepted")
    del receiver.received[:]
    whole = cal.payload(series[0])["recurringBookingUid"]
    post(f"/bookings/{whole}/cancel", {"cancellationReason": "Ill"})
    assert receiver.triggers == ["BOOKING_CANCELLED"]


@SELF_HOSTED
def test_the_mark_of_a_booking_comes_back_in_the_metadata(cal, receiver, hook, post):
    post("/bookings", creation(cal, metadata={"mark": "1"}))
    seat = {"metadata": {"mark": "2"}, "start": soon(cal, 99)}
    post("/bookings", creation(cal, "seated", **seat))

    marks = [one.json["payload"]["metadata"]["mark"] for one in receiver.received]
    assert marks == ["1", "2"]


def test_all_28_triggers_can_be_sent(cal, receiver):
    uid = cal.book()
    cal.webhooks.subscribe(receiver.url)
    without = {"FORM_SUBMITTED", "FORM_SUBMITTED_NO_EVENT", "OOO_CREATED"}
    without |= {"ROUTING_FORM_FALLBACK_HIT"}
    without |= {one for one in TRIGGERS if one.startswith("DELEGATION_")}
    for trigger in TRIGGERS:
        cal.webhooks.fire(trigger, "" if trigger in without else uid)
    cal.webhooks.flush()

    assert sorted(receiver.triggers) == sorted(TRIGGERS)
    for got in receiver.received:
        assert (uid in got.body.decode()) == (got.trigger not in without)
