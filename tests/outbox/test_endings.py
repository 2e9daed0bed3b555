"""Done means done and failed means failed, also where the look, the answer or the clock invites another verdict."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from cal_bookings import outbox
from cal_bookings.models import Account, BookingAction, RateWindow
from cal_bookings.outbox.delivery_steps import ATTEMPTS
from cal_bookings.outbox.kinds import Reassign, UpdateLocation
from cal_bookings.testing import Person
from tests.histories import Crash, at_statements
from tests.outbox.conftest import pass_time


def create(desk, event_type="normal", **fields):
    kind = desk.cal.event_type(desk.cal.users[1], event_type)
    person = {"name": "Zoë", "email": "zoe@example.net", "timeZone": "UTC"}
    fields = {"start": desk.cal._some_start(), "attendee": person} | fields
    return outbox.create(desk.account, event_type_id=kind.id, **fields)


# Between the look and the request


def test_what_would_wait_for_its_turn_after_the_look_is_looked_at_again_before_it_is_sent(
    desk, ended
):
    booking = desk.book("confirm")
    action = outbox.confirm(booking)
    # One request to a window: the look takes it.
    desk.cal.rate_limit.limit, desk.cal.rate_limit.window = 2, 2.0

    action = desk.deliver(action)

    assert (action.status, desk.writes) == ("queued", 0)
    desk.cal.cancel(booking.uid, "Changed my mind")
    action = desk.deliver_until_ended(action)
    assert (action.status, action.error_code) == ("failed", "conflict")
    assert desk.cal.payload(booking.uid)["status"] == "cancelled"
    assert ended(action) == ["deferred", "conflict"]


# Whose effect it is


def test_hosts_in_another_order_are_no_reassignment(desk):
    uid = desk.cal.book(event_type="round-robin")
    hosts = [one.as_host() for one in (desk.cal.users[1], desk.cal.users[2])]
    desk.cal.edit(uid, hosts=hosts)
    action = outbox.reassign(desk.mirrored(uid))
    desk.cal.fault("dropped", method="POST")
    desk.deliver(action)

    desk.cal.edit(uid, hosts=hosts[::-1])
    action = desk.deliver_until_ended(action)

    assert not desk.effects("reassign")
    assert action.status == "failed"


def test_attendees_in_another_order_are_no_change_that_an_effect_could_hide_behind(
    desk,
):
    uid = desk.cal.book(event_type="seated", attendees=desk.people(2))
    action = outbox.cancel(desk.mirrored(uid), reason="Fell ill")
    desk.cal.fault("dropped", method="POST")
    desk.deliver(action)

    # The order of the rows is the database's own: nothing else changes.
    desk.cal.edit(uid, attendees=desk.cal.payload(uid)["attendees"][::-1])
    action = desk.deliver_until_ended(action)

    assert action.status == "done"
    assert len(desk.effects("cancel")) == 1


def test_a_colleague_who_attends_already_is_not_taken_for_the_new_host(desk):
    colleague = desk.cal.users[2]
    guest = Person(colleague.name, colleague.email)
    booking = desk.book("round-robin", attendees=[*desk.people(1), guest])

    action = desk.deliver(outbox.reassign(booking, host=desk.host(2)))

    assert action.status == "done"
    assert desk.cal.payload(booking.uid)["hosts"][0]["id"] == 2


@pytest.mark.parametrize("is_known", [True, False])
def test_where_a_host_is_fixed_the_new_one_is_found_among_the_attendees(desk, is_known):
    booking = desk.book("round-robin")
    colleague = desk.cal.users[2]
    email = colleague.email if is_known else ""
    action = outbox.enqueue(Reassign(host_id=2, host_email=email), booking)

    def hand_over(request):
        if request.method == "POST":
            joined = desk.cal.payload(booking.uid)["attendees"][0]
            joined |= {"name": colleague.name, "email": colleague.email.upper()}
            desk.cal.edit(booking.uid, attendees=[joined])

    desk.cal.on_request = hand_over
    desk.cal.fault("dropped", method="POST")
    action = desk.deliver_until_ended(action)

    assert action.status == "done", action.error_message


@pytest.mark.parametrize("is_known", [True, False])
def test_a_guest_who_was_added_since_is_not_taken_for_the_new_host(desk, is_known):
    booking = desk.book("round-robin")
    colleague = desk.cal.users[2]
    guest = colleague.email if is_known else "guest@example.net"
    email = colleague.email if is_known else ""
    action = outbox.enqueue(Reassign(host_id=2, host_email=email), booking)
    attendees = desk.cal.payload(booking.uid)["attendees"]
    desk.cal.edit(booking.uid, attendees=[*attendees, attendees[0] | {"email": guest}])
    desk.cal.fault("unapplied", method="POST")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "conflict")
    assert "An attendee who could be taken for the new host" in action.error_message


def test_a_move_by_somebody_else_that_was_cancelled_since_is_not_ours(desk):
    booking = desk.book()
    start = desk.later(booking)
    action = outbox.reschedule(booking, start=start)
    desk.cal.cancel(desk.cal.reschedule(booking.uid, start), "No")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "rescheduled")


def test_what_cal_com_refused_is_not_done_because_somebody_else_did_the_like(desk):
    booking = desk.book()
    action = outbox.request_reschedule(booking, reason="Ill")
    desk.cal.fault("403", method="POST")
    desk.cal.fault("502", method="GET", skip=1, times=4)
    assert desk.deliver(action).status == "unknown"
    desk.cal.cancel(booking.uid, "By somebody else")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "conflict")


# What the mirror gets


def test_an_answer_that_shows_the_old_state_does_not_hide_what_was_read_after_it(desk):
    booking = desk.book()
    action = outbox.cancel(booking, reason="Ill")
    desk.cal.fault("outdated", method="POST")

    action = desk.deliver(action)

    booking.refresh_from_db()
    assert (action.status, booking.status) == ("done", "cancelled")


# What the person saw


def test_of_many_those_that_changed_since_they_were_looked_at_are_refused(desk):
    changed, unchanged = desk.book(), desk.book()
    desk.cal.set_location(changed.uid, "2 Main St")
    desk.mirrored(changed.uid)
    wish = UpdateLocation(location={"type": "address", "address": "1 Main St"})

    verdicts = outbox.enqueue_many([(wish, changed), (wish, unchanged)])

    assert [one.refusal and one.refusal.code for one in verdicts] == ["changed", None]
    assert BookingAction.objects.get().booking == unchanged


# What somebody undid


def test_a_cancelled_booking_that_somebody_revived_is_not_cancelled_again(desk):
    booking = desk.book()
    action = outbox.cancel(booking, reason="Ill")
    desk.cal.fault("reset", method="POST")
    desk.deliver(action)
    desk.cal.confirm(booking.uid)

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "uncertain")
    assert len(desk.effects("cancel")) == 1


def test_a_guest_whom_somebody_removed_is_not_added_again(desk):
    booking = desk.book()
    action = outbox.add_guests(booking, guests=["zoe@example.net"])
    desk.cal.fault("reset", method="POST")
    desk.deliver(action)
    attendees = desk.cal.payload(booking.uid)["attendees"]
    desk.cal.change(booking.uid, attendees=attendees[:1])

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "uncertain")
    assert len(desk.effects("add_guests")) == 1


# How long it may take


def test_however_long_a_server_wants_us_to_wait_an_action_ends_at_its_deadline(desk):
    booking = desk.book(start=timezone.now() + timedelta(minutes=20))
    action = outbox.cancel(booking, reason="Ill")
    far = 1_790_000_000  # an epoch where seconds are due
    desk.cal.fault("429-retry-after", method="GET", retry_after=far)

    action = desk.deliver(action)

    assert timezone.now() < action.next_attempt_at <= action.deadline


def test_nor_does_a_server_that_refuses_the_request_itself_keep_it_longer(desk):
    booking = desk.book(start=timezone.now() + timedelta(minutes=5))
    action = outbox.cancel(booking, reason="Ill")
    desk.cal.fault("429-retry-after", method="POST", retry_after=3600)

    action = desk.deliver(action)

    assert timezone.now() < action.next_attempt_at <= action.deadline


def test_a_lost_answer_is_looked_for_until_it_has_settled_whatever_went_wrong_before(
    desk,
):
    action = outbox.reassign(desk.book("round-robin"), host=desk.host(2))
    # It was put off for hours, for the server was down.
    BookingAction.objects.update(attempts=ATTEMPTS - 1)
    desk.cal.fault("reset", method="POST")
    desk.deliver(action)
    desk.cal.fault("502", method="GET", times=4)

    action = desk.deliver_until_ended(action)

    assert action.status == "done"


def test_a_look_that_the_rate_limit_forbids_is_no_attempt(desk):
    action = outbox.reassign(desk.book("round-robin"), host=desk.host(2))
    desk.cal.fault("dropped", method="POST")
    action = desk.deliver(action)
    attempts = action.attempts
    desk.cal.fault("429-retry-after", method="GET", retry_after=90)
    pass_time(timedelta(minutes=1))

    action = desk.deliver(action)

    assert (action.status, action.attempts) == ("unknown", attempts)
    assert action.next_attempt_at > timezone.now() + timedelta(seconds=80)


def test_looks_that_the_rate_limit_forbids_for_ever_end_once_the_action_is_pointless(
    desk,
):
    booking = desk.book(start=timezone.now() + timedelta(minutes=20))
    action = outbox.cancel(booking, reason="Ill", deadline=booking.start)
    desk.cal.fault("dropped", method="POST")
    desk.deliver(action)
    desk.cal.fault("429-retry-after", method="GET", retry_after=900, times=1000)
    BookingAction.objects.update(deadline=timezone.now() + timedelta(hours=1))

    for _ in range(60):
        BookingAction.objects.update(deadline=F("deadline") - timedelta(minutes=30))
        pass_time(timedelta(minutes=30))
        Account.objects.update(circuit_open_until=None)
        RateWindow.objects.all().delete()
        outbox.deliver(action.pk)

    action.refresh_from_db()
    assert (action.status, action.error_code) == ("failed", "unverified")


@pytest.mark.parametrize("attempts", [0, ATTEMPTS - 1])
def test_a_credential_that_is_lost_is_waited_for_until_the_request_has_settled(
    desk, settings, attempts
):
    action = outbox.cancel(desk.book(), reason="Ill")
    BookingAction.objects.update(attempts=attempts)
    desk.cal.fault("reset", method="POST")
    desk.deliver(action)
    accounts = settings.CAL_BOOKINGS["ACCOUNTS"]
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"ACCOUNTS": {}}
    pass_time(timedelta(minutes=1))

    assert desk.deliver(action).status == "unknown"

    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"ACCOUNTS": accounts}
    assert desk.deliver_until_ended(action).status == "done"


def test_sent_from_an_account_without_credential_since_it_ends_and_says_so(
    desk, settings
):
    action = outbox.cancel(desk.book(), reason="Ill")
    desk.cal.fault("dropped", method="POST")
    desk.deliver(action)
    settings.CAL_BOOKINGS = settings.CAL_BOOKINGS | {"ACCOUNTS": {}}

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "unverified")
    assert "has no credential" in action.error_message


# What a person is told


def test_a_server_that_lacks_the_action_is_told_from_one_that_is_silent(desk):
    action = outbox.add_guests(desk.book(), guests=["zoe@example.net"])
    desk.cal.fault("no-route", method="POST", times=100)

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "unsupported")
    assert "does not know this action" in action.error_message
    assert desk.writes == 1


def test_who_gets_no_usable_answer_is_told_the_last_words_of_cal_com(desk):
    action = outbox.reassign(desk.book("round-robin"), host=desk.host(2))
    desk.cal.fault("500", method="POST")

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "not_applied")
    assert "Internal server error" in action.error_message


def test_a_worker_that_died_is_told_from_what_was_wrong_before_the_request(desk):
    action = outbox.reassign(desk.book("round-robin"), host=desk.host(2))
    desk.cal.fault("502", method="GET", times=4)
    desk.deliver(action)

    def die(number, sql):
        if desk.writes:
            raise Crash

    desk.cal.fault("dropped", method="POST")
    pass_time(timedelta(minutes=1))
    with pytest.raises(Crash), at_statements(die):
        outbox.deliver(action.pk)

    action = desk.deliver_until_ended(action)

    assert (action.status, action.error_code) == ("failed", "not_applied")
    assert "(the worker died)" in action.error_message


# Put back


def test_put_back_a_new_booking_is_not_the_one_that_came_late_and_was_cancelled(desk):
    desk.cal.fault("late", method="POST")
    action = desk.deliver_until_ended(create(desk))
    assert (action.status, action.error_code) == ("failed", "not_applied")
    desk.cal.carry_out_late()
    desk.cal.cancel(desk.cal.effects[-1].uid, "A mistake")

    again = desk.deliver_until_ended(outbox.requeue(action))

    assert again.status == "done"
    assert desk.cal.payload(again.result_uid)["status"] == "accepted"


def test_put_back_and_lost_it_is_not_the_one_that_was_cancelled_either(desk):
    desk.cal.fault("late", method="POST")
    action = desk.deliver_until_ended(create(desk))
    desk.cal.carry_out_late()
    desk.cal.cancel(desk.cal.effects[-1].uid, "A mistake")
    desk.cal.fault("dropped", method="POST")

    again = desk.deliver_until_ended(outbox.requeue(action))

    assert (again.status, again.error_code) == ("failed", "not_applied")


def test_a_series_is_booked_though_one_occurrence_was_cancelled_before_we_looked(desk):
    action = create(desk, "recurring", recurrenceCount=4)
    desk.cal.fault("reset", method="POST")
    desk.deliver(action)
    desk.cal.cancel(desk.cal.bookings[1], "Not that day")

    action = desk.deliver_until_ended(action)

    assert action.status == "done", action.error_message


def test_put_back_a_series_may_be_booked_once_its_first_half_is_cancelled(desk):
    start = desk.cal._some_start()
    then = start + timedelta(weeks=2)
    blocker = desk.cal.book(event_type="consultation", start=then)
    action = create(desk, "recurring", start=start, recurrenceCount=4)
    action = desk.deliver(action)
    assert (action.status, action.error_code) == ("failed", "partly")
    booked = [uid for uid in desk.cal.bookings if desk.cal.payload(uid)["start"]]
    for uid in [blocker, *booked]:
        if desk.cal.payload(uid)["status"] == "accepted":
            desk.cal.cancel(uid, "The cure")

    again = desk.deliver_until_ended(outbox.requeue(action))

    assert again.status == "done", again.error_message


# Whose actions are sent


def test_what_waits_of_an_account_that_is_deactivated_is_not_sent(desk):
    action = outbox.cancel(desk.book(), reason="Ill")
    desk.account.is_active = False
    desk.account.save()

    assert outbox.due(10) == []
    assert outbox.deliver(action.pk) is None

    desk.account.is_active = True
    desk.account.save()
    assert desk.deliver(action).status == "done"


def test_nothing_more_is_wanted_of_an_account_that_is_deactivated(desk):
    booking, another = desk.book(), desk.book()
    desk.account.is_active = False
    desk.account.save()

    with pytest.raises(outbox.Refused, match="activate") as refused:
        outbox.cancel(booking, reason="Ill")

    assert refused.value.code == "inactive"
    wish = UpdateLocation(location={"type": "address", "address": "1 Main St"})
    [verdict] = outbox.enqueue_many([(wish, another)])
    assert verdict.refusal
    assert verdict.refusal.code == "inactive"


# How it is spelled


def test_who_was_absent_is_named_as_the_booking_spells_them(desk):
    booking = desk.past(attendees=desk.people(2))

    action = outbox.mark_absent(booking, attendees=["P1@Example.net"])

    assert desk.deliver_until_ended(action).status == "done"


def test_a_seat_and_the_rest_of_the_series_are_two_wishes(desk):
    booking = desk.book("seated", attendees=desk.people(2))
    seat = booking.payload["attendees"][0]["seatUid"]

    with pytest.raises(outbox.Refused, match="seat"):
        outbox.cancel(booking, reason="Ill", seat_uid=seat, subsequent=True)
