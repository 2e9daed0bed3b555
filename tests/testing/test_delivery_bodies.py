"""What deliveries of webhooks say: templates, versions, meetings, and every recorded body key by key."""

import json
from datetime import timedelta

from cal_bookings.testing import Person
from tests.testing.conftest import SELF_HOSTED, soon
from tests.testing.exchanges import keys
from tests.webhooks.recorded import DELIVERIES

GUEST = Person("Guest One", "guest1@example.net", "America/New_York")
TWO = [GUEST, Person("", "extra@example.net", "America/New_York")]


@SELF_HOSTED
def test_a_template_replaces_the_body(cal, receiver):
    cal.webhooks.subscribe(
        receiver.url,
        payload_template='{"t":"{{triggerEvent}}","u":"{{uid}}","who":"{{attendees.0.name}}"}',
    )
    cal.webhooks.subscribe(receiver.url + "2", payload_template="{{title}} & {{no}}")
    uid = cal.book(attendees=[GUEST])

    as_json, as_text = receiver.received
    assert as_json.json == {"t": "BOOKING_CREATED", "u": uid, "who": "Guest One"}
    assert as_text.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert as_text.body.decode() == f"{cal.payload(uid)['title']} & "


def test_the_second_version_adds_calendar_files(cal, receiver):
    cal.webhooks.subscribe(receiver.url, version="2026-07-27")
    uid = cal.book()
    cal.webhooks.flush()

    (got,) = receiver.received
    assert got.headers["X-Cal-Webhook-Version"] == "2026-07-27"
    assert f"UID:{uid}@Cal.com" in got.json["payload"]["attendeeIcsContent"]


@SELF_HOSTED
def test_meetings_are_told_when_they_begin_and_end_by_a_body_of_old(
    cal, receiver, hook
):
    uid, moved, dropped = (cal.book() for _ in range(3))
    new = cal.reschedule(moved)
    cal.cancel(dropped)
    title = cal.payload(uid)["title"]
    cal.edit(uid, title="Changed since")
    del receiver.received[:]

    cal.webhooks.send_due_meetings()
    assert receiver.received == []
    cal.clock.advance(timedelta(days=400))
    cal.webhooks.send_due_meetings()
    cal.webhooks.send_due_meetings()

    told = [(one.trigger, one.json["uid"]) for one in receiver.received]
    assert sorted(told) == sorted(
        (trigger, booking)
        for trigger in ("MEETING_STARTED", "MEETING_ENDED")
        for booking in (uid, new)
    )
    assert title in {one.json["title"] for one in receiver.received}


def deliveries_of_every_kind(cal, post):
    """Lets everything happen of which deliveries were recorded."""
    past = cal.clock.now() - timedelta(days=3)
    host = cal.users[1].email

    cal.book(event_type="consultation", attendees=[GUEST])
    cal.book(event_type="consultation", attendees=TWO)
    cal.book_series(2, attendees=[GUEST])
    cal.book(event_type="round-robin", attendees=[GUEST])
    seated = cal.book(event_type="seated", attendees=[])
    cal.book(event_type="on-request", attendees=[GUEST])
    one, two = (cal.book(event_type="on-request", attendees=[GUEST]) for _ in "12")
    cal.confirm(one)
    cal.decline(two)
    cal.decline(one, "no")
    whole = [cal.book(attendees=people) for people in ([GUEST], TWO, [GUEST])]
    cal.reschedule(whole[0])
    cal.reschedule(whole[1])
    body = {"start": soon(cal, 99), "rescheduledBy": host}
    assert post(f"/bookings/{whole[2]}/reschedule", body).status_code == 201
    for reason in ("Ill", ""):
        cal.cancel(cal.book(attendees=[GUEST]), reason)
    seats = [cal.join_seat(seated, GUEST), cal.join_seat(seated)]
    given_up = {"seatUid": seats[0], "cancellationReason": "sick"}
    post(f"/bookings/{seated}/cancel", given_up)
    cal.cancel_seat(seated, seats[1])
    seats = [cal.join_seat(seated, GUEST), cal.join_seat(seated)]
    one = {"start": soon(cal, 333), "seatUid": seats[0]}
    assert post(f"/bookings/{seated}/reschedule", one).status_code == 201
    all_of_them = {"start": soon(cal, 555), "rescheduledBy": host}
    assert post(f"/bookings/{seated}/reschedule", all_of_them).status_code == 201
    cal.cancel(seated, "Ill")
    happened = cal.book(attendees=TWO, start=past)
    for emails in ([GUEST.email], [one.email for one in TWO], ["nobody@example.net"]):
        marks = [{"email": email, "absent": True} for email in emails]
        answer = post(f"/bookings/{happened}/mark-absent", {"attendees": marks})
        assert answer.status_code == 200
    cal.webhooks.subscribe(
        cal.webhooks.journal[0].delivery.subscription.subscriber_url + "/template",
        triggers=["BOOKING_CREATED"],
        payload_template='{"t":"{{triggerEvent}}","u":"{{uid}}","who":"x"}',
    )
    cal.book(attendees=[GUEST])
    cal.clock.advance(timedelta(days=400))
    cal.webhooks.send_due_meetings()


def shape(body):
    """The trigger and the paths of all keys."""
    return body.get("triggerEvent"), frozenset(keys(body))


@SELF_HOSTED
def test_every_recorded_body_has_its_like_key_by_key(cal, receiver, hook, post):
    deliveries_of_every_kind(cal, post)
    made = {shape(one.json) for one in receiver.received}

    assert len(DELIVERIES) == 113
    missing = {
        number: min(
            (sorted(body ^ other) for trigger, other in made if trigger == told),
            key=len,
            default="no such trigger",
        )
        for number, (told, body) in (
            (one.number, shape(json.loads(one.body))) for one in DELIVERIES
        )
        if (told, body) not in made
    }
    assert missing == {}
