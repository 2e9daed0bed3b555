"""Every kind of action at every place where something can go wrong: the right end, and the effect once or not at all."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from cal_bookings import outbox
from cal_bookings.client import parse_booking
from cal_bookings.models import ActionAttempt, Booking, BookingAction
from cal_bookings.outbox.claims import claim
from cal_bookings.outbox.snapshots import facts
from tests.comparison import actual, expected
from tests.outbox.conftest import pass_time
from tests.outbox.scenarios import SCENARIOS

KINDS = pytest.mark.parametrize("it", SCENARIOS, ids=[one.name for one in SCENARIOS])
DISTURBED = [one for one in SCENARIOS if one.disturb]


@pytest.fixture
def wanted(desk, it):
    """The booking, and the action on it, enqueued; no request has been made yet."""
    if desk.cal.dialect not in it.dialects:
        desk.speak(it.dialects[0])
    booking = it.prepare(desk)
    action = it.want(desk, booking)
    desk.cal.requests.clear()
    return booking, action


def fault(desk, kind, **options):
    """Strikes the request that acts, whatever it is."""
    for method in ("POST", "PATCH", "DELETE"):
        desk.cal.fault(kind, method=method, **options)


def assert_done_once(desk, it, booking, action):
    assert action.status == "done", action.error_message
    assert it.is_there(desk.cal, booking, action)
    effects = [(one.kind, one.uid, one.details.get("email")) for one in desk.effects()]
    assert effects
    assert len(set(effects)) == len(effects)
    assert {one[0] for one in effects} <= {it.effect, "cancel"}
    for uid in {action.result_uid, *([booking.uid] if booking else [])}:
        row = Booking.objects.get(uid=uid)
        assert actual(row) == expected(desk.cal.payload(uid))


def assert_failed_without_effect(desk, it, booking, action, code):
    assert (action.status, action.error_code) == ("failed", code)
    assert not desk.effects(it.effect)
    assert action.error_message


@KINDS
@pytest.mark.parametrize("dialect", ["cursor", "offset"])
def test_without_a_fault_it_is_done_and_mirrored(desk, it, wanted, ended, dialect):
    booking, action = wanted
    if dialect not in it.dialects:
        pytest.skip("not on this server")
    desk.speak(dialect)
    action.account.refresh_from_db()

    action = desk.deliver(action)

    assert_done_once(desk, it, booking, action)
    assert ended(action) == ["answered"]
    assert desk.writes == 1


@KINDS
@pytest.mark.parametrize("kind", ["reset", "truncated", "500-applied", "garbled"])
def test_done_but_the_answer_lost_it_is_recognised_and_not_repeated(
    desk, it, wanted, ended, kind
):
    booking, action = wanted
    fault(desk, kind)

    action = desk.deliver(action)
    assert action.status == "unknown"
    action = desk.deliver_until_ended(action)

    assert_done_once(desk, it, booking, action)
    assert ended(action) == ["lost", "verified"]
    assert desk.writes == 1


@KINDS
@pytest.mark.parametrize("kind", ["dropped", "500"])
def test_not_done_and_the_answer_lost_it_is_sent_again_only_if_cal_com_refuses_a_second(
    desk, it, wanted, kind
):
    booking, action = wanted
    fault(desk, kind)

    action = desk.deliver_until_ended(action)

    if it.again:
        assert_done_once(desk, it, booking, action)
        assert desk.writes == 2
    else:
        assert_failed_without_effect(desk, it, booking, action, it.unseen)
        assert "Queue it again" in action.error_message
        assert desk.writes == 1


@KINDS
def test_done_late_it_is_waited_for(desk, it, wanted, ended):
    booking, action = wanted
    fault(desk, "late")
    desk.deliver(action)
    pass_time(timedelta(minutes=2))
    action = desk.deliver(action)
    assert (action.status, ended(action)[-1]) == ("unknown", "not yet")

    desk.cal.carry_out_late()
    action = desk.deliver_until_ended(action)

    assert_done_once(desk, it, booking, action)
    assert desk.writes == 1


@KINDS
def test_answered_and_not_done_it_fails_and_says_so(desk, it, wanted):
    booking, action = wanted
    fault(desk, "unapplied")

    action = desk.deliver_until_ended(action)

    if it.name == "create":  # an answer without a booking is no answer
        assert_failed_without_effect(desk, it, booking, action, "not_applied")
    else:
        assert_failed_without_effect(desk, it, booking, action, "no_effect")
        assert action.error_message.startswith("Cal.com reported success, but")
    assert desk.writes == 1


@KINDS
def test_too_many_requests_is_no_fault_of_the_action(desk, it, wanted, ended):
    booking, action = wanted
    fault(desk, "429", retry_after=1)

    action = desk.deliver(action)
    assert (action.status, action.attempts) == ("queued", 0)
    action = desk.deliver_until_ended(action)

    assert_done_once(desk, it, booking, action)
    assert desk.writes == 2


@KINDS
def test_a_bad_credential_puts_it_off_until_it_is_good_again(desk, it, wanted):
    booking, action = wanted
    fault(desk, "401", times=2)

    action = desk.deliver_until_ended(action)

    assert_done_once(desk, it, booking, action)
    assert desk.writes == 3


@KINDS
def test_forbidden_it_fails_with_the_words_of_cal_com(desk, it, wanted):
    booking, action = wanted
    fault(desk, "403")

    action = desk.deliver(action)

    assert_failed_without_effect(desk, it, booking, action, "refused")
    assert "PermissionsGuard" in action.error_message


@KINDS
def test_a_booking_that_is_gone_fails_it(desk, it, wanted):
    booking, action = wanted
    if booking is None:
        pytest.skip("there is no booking yet")
    desk.cal.delete(booking.uid)

    action = desk.deliver(action)

    assert_failed_without_effect(desk, it, booking, action, "missing")
    booking.refresh_from_db()
    assert booking.missing_since
    assert desk.writes == 0


@pytest.mark.parametrize("it", DISTURBED, ids=[one.name for one in DISTURBED])
def test_changed_meanwhile_it_is_not_sent_and_both_versions_are_kept(
    desk, it, wanted, ended
):
    booking, action = wanted
    it.disturb(desk.cal, booking.uid)

    action = desk.deliver(action)

    assert action.status == "failed", "it must not be sent"
    assert ended(action) == ["conflict"]
    assert desk.writes == 0
    assert action.seen != action.found
    booking.refresh_from_db()
    assert booking.status == desk.cal.payload(booking.uid)["status"]


@KINDS
def test_unreadable_it_is_not_sent(desk, it, wanted):
    booking, action = wanted
    desk.cal.fault("shape", method="GET")

    action = desk.deliver(action)

    assert (action.status, desk.writes) == ("queued", 0)
    assert action.error_code == "unexpected"
    assert_done_once(desk, it, booking, desk.deliver_until_ended(action))


@KINDS
def test_never_readable_it_fails_after_many_attempts(desk, it, wanted):
    booking, action = wanted
    desk.cal.fault("shape", method="GET", times=1000)

    action = desk.deliver_until_ended(action)

    assert_failed_without_effect(desk, it, booking, action, "unexpected")
    assert action.attempts == 15


@KINDS
def test_too_late_it_is_not_sent(desk, it, wanted, ended):
    booking, action = wanted
    action.deadline = timezone.now()
    action.save()

    action = desk.deliver(action)

    assert_failed_without_effect(desk, it, booking, action, "expired")
    assert ended(action) == ["expired"]
    assert len(desk.cal.requests) == 0


@KINDS
@pytest.mark.parametrize("when", ["before it is asked", "after it is done"])
def test_killed_around_the_request_the_next_worker_looks_first(desk, it, wanted, when):
    booking, action = wanted

    if when == "before it is asked":
        kill_before_sending(desk, booking, action)
    else:
        fault(desk, "reset")
        desk.deliver(action)
        forget_the_outcome(action)

    action = desk.deliver_until_ended(action)

    if when == "after it is done" or it.again:
        assert_done_once(desk, it, booking, action)
    else:
        assert_failed_without_effect(desk, it, booking, action, it.unseen)
    assert desk.writes == (1 if action.status == "done" else 0)


def kill_before_sending(desk, booking, action):
    """As a worker leaves the row that has announced the request and dies before it is sent."""
    held = claim(action.pk)
    assert held
    found = parse_booking(desk.cal.payload(booking.uid)) if booking else None
    held.send(facts(found) if found else {"uids": []})


def forget_the_outcome(action):
    """As a worker leaves the row that dies before it records the outcome."""
    type(action).objects.filter(pk=action.pk).update(
        status="sending",
        error_code="",
        error_message="",
        lease_until=timezone.now() + timedelta(minutes=5),
    )


def test_two_workers_at_once_send_one_request(desk):
    booking = desk.book()
    action = outbox.cancel(booking, reason="x")
    assert claim(action.pk)

    assert claim(action.pk) is None
    assert outbox.deliver(action.pk) is None
    assert ActionAttempt.objects.count() == 1


@pytest.mark.parametrize("it", SCENARIOS, ids=[one.name for one in SCENARIOS])
def test_a_worker_that_was_overtaken_sends_nothing(desk, it, wanted):
    """It sleeps after its look, its lease runs out, another one delivers; then it wakes up."""
    booking, action = wanted
    overtaking = [True]

    def overtake(proceed, sql, params, many, context):
        if overtaking and '"sent_at" = %s' in sql.replace("`", '"'):
            overtaking.clear()
            pass_time(timedelta(minutes=6))
            assert outbox.deliver(action.pk)
        return proceed(sql, params, many, context)

    with connection.execute_wrapper(overtake):
        action = desk.deliver(action)

    assert_done_once(desk, it, booking, action)
    assert desk.writes == 1
    assert set(action.history.values_list("outcome", flat=True)) == {
        "answered",
        "superseded",
    }


def test_a_worker_whose_look_failed_and_whose_claim_was_taken_writes_nothing(desk):
    action = outbox.cancel(desk.book(), reason="Fell ill")
    desk.cal.fault("shape", method="GET")

    desk.cal.requests.clear()
    others = [BookingAction.objects.all()]

    def take(proceed, sql, params, many, context):
        if others and desk.cal.requests:
            others.pop().update(lease_token=F("lease_token") + 1)
        return proceed(sql, params, many, context)

    with connection.execute_wrapper(take):
        action = desk.deliver(action)

    assert action.status == "sending"
    assert action.history.get().outcome == "superseded"
