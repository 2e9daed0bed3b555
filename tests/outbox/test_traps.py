"""The traps of Cal.com, each against the fake and against what a running server was recorded to answer."""

import json
import socket
import struct
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.utils import timezone

from cal_bookings import mirror, outbox
from cal_bookings.models import Account, Booking, BookingAction, BookingChange
from cal_bookings.outbox import kinds
from cal_bookings.outbox.queue import new_action
from tests.outbox.conftest import pass_time
from tests.quiet_server import QuietServer

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"
LOST = object()  # instead of an answer


def recorded(name):
    return json.loads((RECORDINGS / f"{name}.json").read_text())["response"]


def booking_in(name, **edited):
    return recorded(name)["body"]["data"] | edited


class Replay(QuietServer):
    """Answers each method and path with its recorded answers, one after the other; the last one again and again."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[tuple[str, str], list[Any]] = defaultdict(list)
        self.asked: list[str] = []

    def on(self, method, path, *answers):
        for one in answers:
            answer = recorded(one) if isinstance(one, str) else one
            self.answers[method, f"/v2/bookings/{path}"].append(answer)

    def next(self, method, path):
        self.asked.append(method)
        left = self.answers[method, path]
        return left.pop(0) if len(left) > 1 else left[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    server: Replay

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = self.server.next(self.command, self.path)
        if told is LOST:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return
        body = json.dumps(told["body"]).encode()
        self.send_response(told["status"])
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 - the names http.server looks for

    def log_message(self, *_):
        """Tests read answers, not logs."""


@pytest.fixture
def replay(db, settings):
    with Replay() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v2"
        account = {"API_KEY": "cal_x", "BASE_URL": url}
        settings.CAL_BOOKINGS = {"ACCOUNTS": {"default": account}}
        Account.objects.configured().update(dialect="offset", server="self-hosted")
        yield server
        server.shutdown()


def wanted(kind, payload):
    """An action on the recorded booking, enqueued as if it were the day of the recording."""
    account = Account.objects.get()
    mirror.upsert(
        account,
        [payload],
        asked_at=datetime(2026, 11, 20, tzinfo=UTC),
        api_version="2024-08-13",
        source=BookingChange.Source.WALK,
    )
    booking = Booking.objects.get(uid=payload["uid"])
    action = new_action(kind, booking, timezone.now(), requested_by=None)
    action.deadline = timezone.now() + timedelta(days=1)
    action.save()
    return action


def until_ended(action):
    for _ in range(40):
        action.refresh_from_db()
        if not action.is_open:
            return action
        pass_time(max(action.next_attempt_at - timezone.now(), timedelta(0)))
        outbox.deliver(action.pk)
    raise AssertionError("stuck")


def test_a_cancelled_booking_is_not_confirmed_for_that_would_revive_it(desk):
    booking = desk.book("confirm")
    action = outbox.confirm(booking)
    desk.cal.cancel(booking.uid, "changed mind")

    action = desk.deliver(action)

    assert (action.status, action.error_code) == ("failed", "conflict")
    assert "Its status was pending and is cancelled" in action.error_message
    assert desk.cal.payload(booking.uid)["status"] == "cancelled"
    assert desk.writes == 0


def test_a_cancelled_booking_is_not_confirmed_replayed(replay):
    pending = booking_in("173-book-confirm-4")
    action = wanted(kinds.Confirm(), pending)
    replay.on("GET", pending["uid"], "174-cancel-pending")
    replay.on("POST", f"{pending['uid']}/confirm", "175-confirm-cancelled-pending")

    action = until_ended(action)

    assert (action.status, action.error_code) == ("failed", "conflict")
    assert replay.asked == ["GET"]


def test_a_second_reschedule_while_one_is_open_is_refused(desk):
    booking = desk.book()
    first = outbox.reschedule(booking, start=desk.later(booking))

    with pytest.raises(outbox.Refused, match=f"reschedule #{first.pk} is still open"):
        outbox.reschedule(booking, start=desk.later(booking, 72))

    desk.deliver(first)
    assert len(desk.effects("reschedule")) == 1


def test_a_second_reschedule_while_one_is_open_is_refused_replayed(replay):
    normal = booking_in("482-y-book", start="2099-01-01T09:00:00.000Z")
    wanted(kinds.Reschedule(start="2026-12-29T13:00:00Z"), normal)
    booking = Booking.objects.get()

    with pytest.raises(outbox.Refused, match="still open"):
        outbox.reschedule(booking, start=datetime(2099, 1, 2, tzinfo=UTC))


def test_a_reschedule_without_an_answer_is_recognised_and_not_repeated(desk):
    booking = desk.book()
    action = outbox.reschedule(booking, start=desk.later(booking))
    desk.cal.fault("reset", method="POST")

    action = desk.deliver_until_ended(action)

    assert action.status == "done"
    assert action.result_uid == desk.cal.payload(booking.uid)["rescheduledToUid"]
    assert desk.writes == 1
    new = Booking.objects.get(uid=action.result_uid)
    booking.refresh_from_db()
    assert new.appointment == booking.appointment


def test_a_reschedule_without_an_answer_is_recognised_replayed(replay):
    normal = booking_in("038-book-normal")
    action = wanted(kinds.Reschedule(start="2026-11-24T09:00:00Z"), normal)
    before = {"status": 200, "body": {"status": "success", "data": normal}}
    replay.on("GET", normal["uid"], before, "135-resch-normal-old-after")
    replay.on("GET", "i6LuDV1hiyB9eUizpsWcDJ", "136-resch-normal-new-after")
    replay.on("POST", f"{normal['uid']}/reschedule", LOST)

    action = until_ended(action)

    assert (action.status, action.result_uid) == ("done", "i6LuDV1hiyB9eUizpsWcDJ")
    assert replay.asked.count("POST") == 1


def test_cancelled_already_after_a_lost_answer_is_done(desk):
    """The request was lost on the way; the one that took its place found the booking cancelled."""
    booking = desk.book()
    action = outbox.cancel(booking, reason="Fell ill")
    desk.cal.fault("dropped", method="POST")
    desk.deliver(action)

    def cancel_at_the_last_moment(request):
        if request.method == "POST":
            desk.cal.cancel(booking.uid, "Fell ill")

    desk.cal.on_request = cancel_at_the_last_moment
    action = desk.deliver_until_ended(action)

    assert action.status == "done"
    assert desk.cal.requests[-2].status == 400


def test_cancelled_already_after_a_lost_answer_is_done_replayed(replay):
    accepted = booking_in("218-cancel-normal-after", status="accepted")
    action = wanted(kinds.Cancel(reason="Client asked"), accepted)
    lagging = {"status": 200, "body": {"status": "success", "data": accepted}}
    replay.on("GET", accepted["uid"], *[lagging] * 10, "218-cancel-normal-after")
    replay.on("POST", f"{accepted['uid']}/cancel", LOST, "217-cancel-again")

    action = until_ended(action)

    assert action.status == "done"
    assert replay.asked[-1] == "GET"
    assert action.history.last().outcome == "verified"


def test_a_reassign_that_does_nothing_fails_and_says_so(desk):
    desk.cal.actions.reassign_is_stub = True
    action = outbox.reassign(desk.book("round-robin"), host=desk.host(2))

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "no_effect")
    assert action.error_message == (
        "Cal.com reported success, but the host did not change."
    )
    assert desk.writes == 1


def test_a_reassign_that_does_nothing_fails_replayed(replay):
    round_robin = booking_in("301-reassign-rr-after")
    action = wanted(kinds.Reassign(host_id=2), round_robin)
    uid = round_robin["uid"]
    replay.on("GET", uid, "301-reassign-rr-after", "303-reassign-rr-user-after")
    replay.on("POST", f"{uid}/reassign/2", "302-reassign-rr-user")

    action = until_ended(action)

    assert (action.status, action.error_code) == ("failed", "no_effect")
    assert replay.asked.count("POST") == 1


def test_declining_the_new_time_of_a_reschedule_tells_that_nothing_is_left(desk):
    old = desk.book("confirm", status="accepted")
    new = desk.mirrored(desk.cal.reschedule(old.uid, status="pending"))

    action = desk.deliver(outbox.decline(new, reason="No room"))

    assert action.status == "done"
    assert "nothing is left of the meeting" in action.note


def test_declining_the_new_time_of_a_reschedule_tells_it_replayed(replay):
    pending = booking_in("544-r-cresch-noauth")
    action = wanted(kinds.Decline(reason="No room"), pending)
    declined = pending | {"status": "rejected"}
    shown = [
        {"status": 200, "body": {"status": "success", "data": one}}
        for one in (pending, declined)
    ]
    replay.on("GET", pending["uid"], *shown)
    replay.on("POST", f"{pending['uid']}/decline", shown[1])

    action = until_ended(action)

    assert action.status == "done"
    assert "nothing is left of the meeting" in action.note


def test_a_reschedule_that_waits_for_confirmation_tells_that_too(desk):
    booking = desk.book("confirm", status="accepted")
    desk.cal.rows[booking.uid].users = {2}  # ours is not the host
    action = outbox.reschedule(
        booking, start=desk.later(booking), rescheduled_by="guest@example.net"
    )

    action = desk.deliver(action)

    assert action.status == "done"
    assert "waits for confirmation" in action.note


def test_a_meeting_that_was_moved_meanwhile_is_not_taken_for_cancelled(desk):
    occurrence = desk.series()[1]
    action = outbox.cancel(occurrence, reason="Fell ill")
    desk.cal.reschedule(occurrence.uid)

    action = desk.deliver(action)

    assert (action.status, desk.writes) == ("failed", 0)


def test_a_series_of_which_only_the_first_ones_were_booked_fails_and_says_so(desk):
    event_type = desk.cal.event_type(desk.cal.users[1], "recurring")
    start = desk.cal._some_start()
    desk.cal.book(event_type="consultation", start=start + timedelta(weeks=2))
    action = outbox.create(
        desk.account,
        event_type_id=event_type.id,
        start=start,
        attendee={"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"},
        recurrenceCount=4,
    )

    action = desk.deliver(action)

    assert (action.status, action.error_code) == ("failed", "partly")
    assert "2 of 4 occurrences" in action.error_message
    assert Booking.objects.filter(recurring_booking_uid__gt="").count() == 2


def test_two_reschedules_at_once_each_find_their_own_booking(desk):
    """Somebody moves it while our answer is lost: the old booking names theirs only [rec 483-485]."""
    booking = desk.book()
    action = outbox.reschedule(booking, start=desk.later(booking))
    desk.cal.fault("reset", method="POST")
    desk.deliver(action)
    ours = desk.cal.payload(booking.uid)["rescheduledToUid"]
    desk.cal.edit(booking.uid, rescheduledToUid=desk.cal.book())

    action = desk.deliver_until_ended(action)

    assert (action.status, action.result_uid) == ("done", ours)


def test_a_booking_made_without_an_answer_is_found_by_its_mark(desk):
    event_type = desk.cal.event_type(desk.cal.users[1], "confirm")
    action = outbox.create(
        desk.account,
        event_type_id=event_type.id,
        start=desk.cal._some_start(),
        attendee={"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"},
    )
    desk.cal.fault("reset", method="POST")

    action = desk.deliver_until_ended(action)

    assert action.status == "done"
    booking = Booking.objects.get(uid=action.result_uid)
    assert BookingAction.objects.get().booking == booking
    assert booking.status == "pending"
