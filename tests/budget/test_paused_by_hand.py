"""An account that a person paused is left alone until a person resumes it, by everybody."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from cal_bookings import budget, outbox, sync
from cal_bookings.budget import CircuitOpen, Priority, advice
from cal_bookings.budget.circuit import FAILURES_TO_OPEN, LOOK_AGAIN, Circuit
from cal_bookings.client import CalError, CalUnavailable
from cal_bookings.models import Account, BookingAction, Mode, SyncState
from cal_bookings.sync import schedule

pytestmark = pytest.mark.django_db
DOWN = CalUnavailable("no complete answer", method="GET", path="/me")


@pytest.fixture
def account(cal) -> Account:
    return Account.objects.configured().get()


def ask(account, **options):
    with budget.connect(account, **{"priority": Priority.CHANGES} | options) as client:
        return client.me()


def is_paused():
    return Account.objects.get().is_paused_by_hand


@pytest.fixture
def paused(account):
    budget.pause(Account.objects.get(), "Too many bookings.", by="sam")
    account.refresh_from_db()
    return account


def test_nothing_is_asked_and_the_error_says_what_helps(cal, paused):
    with pytest.raises(CircuitOpen) as error:
        ask(paused)

    assert "Paused by hand by sam. Too many bookings." in str(error.value)
    message = advice.explain(paused, error.value, advice.Operation.QUESTION)
    assert "Resume the account in the admin" in str(message)
    assert 0 < error.value.seconds < 3600
    assert not cal.requests


def test_another_credential_does_not_end_it(cal, paused, settings):
    settings.CAL_BOOKINGS["ACCOUNTS"]["default"]["API_KEY"] = cal.add_user().api_key

    with pytest.raises(CircuitOpen):
        ask(paused)

    assert is_paused()


def test_a_person_ends_it(cal, paused):
    budget.reset(paused)

    ask(Account.objects.get())

    assert not is_paused()


def test_so_does_the_command_when_forced(cal, paused):
    error = StringIO()
    with pytest.raises(SystemExit):
        call_command("cal_sync", stderr=error)
    assert "paused until resumed" in error.getvalue()
    assert not cal.requests

    call_command("cal_sync", force=True)

    assert cal.requests


def test_who_wants_to_know_asks_all_the_same_and_the_pause_stays(cal, paused):
    assert ask(paused, though_paused=True)["id"]
    cal.fault("401")
    with pytest.raises(CalError):
        ask(paused, though_paused=True)

    assert is_paused()
    assert (
        Account.objects.get().why_paused == "Paused by hand by sam. Too many bookings."
    )


def test_what_others_meet_meanwhile_does_not_end_or_change_it(cal, account):
    busy, failing = Account.objects.get(), Account.objects.get()
    Circuit(busy, "").failed(DOWN)  # so that success would close the circuit
    Circuit(failing, "").failed(DOWN)
    budget.pause(account, by="sam")

    Circuit(busy, "").succeeded()
    for _ in range(FAILURES_TO_OPEN):
        Circuit(failing, "").failed(DOWN)

    assert is_paused()
    assert Account.objects.get().why_paused == "Paused by hand by sam."


def test_resuming_ends_the_pause_that_failures_began_meanwhile(cal, account):
    budget.pause(account, by="sam")
    for _ in range(FAILURES_TO_OPEN):
        Circuit(account, "").failed(DOWN)

    budget.reset(account)

    ask(Account.objects.get())
    assert not Account.objects.get().is_paused(timezone.now())


def test_nor_does_the_one_who_tries_after_an_automatic_pause(cal, account):
    cal.fault("401")
    with pytest.raises(CalError):
        ask(account)
    Account.objects.update(circuit_open_until=timezone.now())
    account.refresh_from_db()

    with budget.connect(account, priority=Priority.CHANGES) as client:
        budget.pause(Account.objects.get(), by="sam")
        client.me()
        assert is_paused()
        cal.fault("401")
        with pytest.raises(CalError):
            client.me()

    assert is_paused()


class TestAWalkUnderWay:
    def test_looks_every_few_seconds_whether_it_may_go_on(
        self, account, django_assert_num_queries
    ):
        now = 0.0
        circuit = Circuit(account, "", clock=lambda: now)
        budget.pause(Account.objects.get(), by="sam")

        with django_assert_num_queries(0):
            circuit.look()
        now = LOOK_AGAIN
        with pytest.raises(CircuitOpen, match="by sam"):
            circuit.look()

    @pytest.mark.parametrize("then", ["pause", "refuse"])
    def test_goes_on_as_long_as_nobody_pauses_the_account(self, account, then):
        now = 0.0
        circuit = Circuit(account, "", clock=lambda: now)
        until = timezone.now() + timedelta(hours=1)
        if then == "refuse":  # by another worker: ours meets the same by itself
            Account.objects.update(circuit_open_until=until)

        for _ in range(3):
            now += LOOK_AGAIN
            circuit.look()


@pytest.mark.cal(bookings=250)
def test_a_walk_that_is_paused_goes_on_from_its_checkpoint(cal, account):
    def pause(progress):
        raise CircuitOpen(account, timezone.now())

    run = sync.walk(account, on_page=pause)

    assert (run.outcome, run.pages) == ("paused", 1)
    assert "paused until" in run.error
    assert SyncState.objects.get().lease_until is None
    again = sync.walk(account)
    assert (again.outcome, again.pages) == ("complete", 2)


def test_its_loops_are_not_handed_out(paused):
    schedule.make_states()
    assert schedule.take_due(by=timezone.now() + timedelta(days=3650)) == []

    budget.reset(paused)

    assert {mode for _, mode, _ in schedule.take_due()} == {Mode.FULL}


def test_its_actions_wait_and_are_due_again_when_it_is_resumed(paused):
    now = timezone.now()
    action = BookingAction.objects.create(
        account=paused,
        kind="confirm",
        deadline=now + timedelta(days=1),
        next_attempt_at=now - timedelta(minutes=1),
    )
    assert outbox.due(10) == []

    budget.reset(paused)

    assert outbox.due(10) == [action.pk]
