"""An account whose credential is refused, or whose server is down, is not asked again and again."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from cal_bookings import budget
from cal_bookings.budget import CircuitOpen, Priority, advice
from cal_bookings.budget.circuit import FAILURES_TO_OPEN, Circuit
from cal_bookings.client import (
    CalError,
    CalForbidden,
    CalNotFound,
    CalRefused,
    CalUnavailable,
    EventTypeIdentification,
    Server,
)
from cal_bookings.models import Account

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cal) -> Account:
    return Account.objects.configured().get()


def ask(account, question=lambda client: client.me()):
    with budget.connect(account, priority=Priority.ACTION) as client:
        return question(client)


def fail(account, question=lambda client: client.me()):
    with pytest.raises(CalError):
        ask(account, question)


def pause(account):
    """Seconds; 0 if there is none."""
    account.refresh_from_db()
    until = account.circuit_open_until
    return (until and (until - timezone.now()).total_seconds()) or 0


def pass_the_pause():
    Account.objects.update(circuit_open_until=timezone.now() - timedelta(seconds=1))


DOWN = CalUnavailable("no complete answer", method="GET", path="/me")


class TestARefusedCredential:
    @pytest.fixture(autouse=True)
    def refused(self, cal, account):
        cal.fault("401")
        fail(account)

    def test_pauses_the_account_at_once(self, cal, account):
        asked = len(cal.requests)

        with pytest.raises(CircuitOpen, match="keys of the EU region") as error:
            ask(account)

        assert len(cal.requests) == asked
        assert error.value.seconds == pytest.approx(300, abs=5)
        message = advice.explain(account, error.value, advice.Operation.QUESTION)
        assert "--force" in str(message)

    def test_pauses_it_for_others_too(self, account):
        with pytest.raises(CircuitOpen):
            ask(Account.objects.get())

    def test_another_credential_ends_the_pause(self, cal, account, settings):
        settings.CAL_BOOKINGS["ACCOUNTS"]["default"]["API_KEY"] = cal.add_user().api_key

        ask(account)

        assert pause(account) == 0

    def test_a_person_ends_the_pause(self, account):
        budget.reset(account)

        ask(account)

    def test_pauses_longer_each_time(self, cal, account):
        pauses = [pause(account)]
        for _ in range(5):
            pass_the_pause()
            cal.fault("401")
            fail(account)
            pauses.append(pause(account))

        minutes = [round(seconds / 60) for seconds in pauses]
        assert minutes == [5, 10, 20, 40, 60, 60]

    def test_after_the_pause_one_tries_and_the_others_wait(self, cal, account):
        pass_the_pause()
        first, second = Account.objects.get(), Account.objects.get()

        with budget.connect(first, priority=Priority.FULL) as client:
            with pytest.raises(CircuitOpen):
                ask(second)
            client.me()

        ask(second)
        assert pause(account) == 0

    def test_of_two_that_look_at_the_same_moment_one_tries(self, account):
        pass_the_pause()
        account.refresh_from_db()
        asked_by_the_other: list[bool] = []

        def the_other_is_faster(execute, sql, params, many, context):
            if sql.startswith("UPDATE") and not asked_by_the_other:
                asked_by_the_other.append(True)
                Circuit(Account.objects.get(), account.circuit_key).enter()
            return execute(sql, params, many, context)

        with (
            connection.execute_wrapper(the_other_is_faster),
            pytest.raises(CircuitOpen),
        ):
            ask(account)

        assert asked_by_the_other


class TestAServerThatIsDown:
    @pytest.fixture(autouse=True)
    def down(self, account):
        """Two requests, with all their repetitions, got no answer."""
        for _ in range(FAILURES_TO_OPEN):
            assert pause(account) == 0
            Circuit(account, "").failed(DOWN)

    def test_pauses_the_account(self, account):
        assert pause(account) == pytest.approx(30, abs=2)
        assert "cannot be reached" in account.circuit_reason

    def test_is_asked_again_after_the_pause(self, account):
        pass_the_pause()

        ask(account)

        assert pause(account) == 0
        assert account.circuit_failures == 0
        assert account.circuit_reason == ""

    def test_pauses_twice_as_long_if_it_is_still_down(self, cal, account):
        pass_the_pause()
        account.refresh_from_db()
        probe = Circuit(account, "")
        probe.enter()

        for _ in range(4):
            probe.failed(DOWN)

        assert pause(account) == pytest.approx(60, abs=5)


def test_requests_that_succeed_between_failures_keep_the_circuit_closed(cal, account):
    for _ in range(FAILURES_TO_OPEN):
        Circuit(account, "").failed(DOWN)
        Circuit(account, "").failed(DOWN)
        ask(account)

    assert pause(account) == 0


def test_each_request_without_an_answer_is_counted(cal, account):
    counted: list[int] = []
    cal.on_request = lambda _: counted.append(account.circuit_failures)
    cal.fault("reset")

    ask(account)

    assert counted == [0, 1]
    assert account.circuit_failures == 0


def test_those_who_fail_together_count_once(cal, account):
    others = [Account.objects.get() for _ in range(3)]
    cal.fault("401", times=4)
    with (
        budget.connect(others[0], priority=Priority.FULL) as first,
        budget.connect(others[1], priority=Priority.FULL) as second,
    ):
        for client in (first, second):
            with pytest.raises(CalError):
                client.me()

    assert pause(account) == pytest.approx(300, abs=5)


@pytest.mark.parametrize(
    "error",
    [
        CalForbidden("not yours", path="/bookings/{uid}/cancel", status=403),
        CalUnavailable("not found", path="/bookings/{uid}", status=500),
        CalNotFound("not found", path="/bookings/{uid}", status=404),
        CalRefused("no", path="/bookings", status=400),
    ],
    ids=lambda error: f"{error.status}",
)
def test_what_one_booking_is_refused_for_does_not_pause_the_account(account, error):
    for _ in range(FAILURES_TO_OPEN):
        Circuit(account, "").failed(error)

    assert pause(account) == 0


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(
            lambda client: client.actions(Server.HOSTED).create({}), id="book"
        ),
        pytest.param(lambda client: client.event_types(), id="event-types"),
        pytest.param(
            lambda client: client.slots().free(
                EventTypeIdentification(event_type_id=1),
                begin=timezone.now(),
                end=timezone.now(),
            ),
            id="slots",
        ),
    ],
)
def test_what_the_credential_may_not_do_beside_reading_the_list_does_not(
    cal, account, question
):
    cal.fault("403")

    with pytest.raises(CalForbidden):
        ask(account, question)

    assert pause(account) == 0


def test_a_list_that_the_credential_does_not_reach_does(cal, account):
    cal.fault("403")

    with pytest.raises(CalForbidden):
        ask(account, lambda client: client.list_bookings())

    assert pause(account) == pytest.approx(300, abs=5)


def test_an_account_that_is_well_costs_no_statement(
    account, django_assert_num_queries, settings
):
    shared = {"BACKEND": "tests.budget.caches.SharedCache", "LOCATION": "circuit"}
    settings.CACHES = {"default": shared}

    with django_assert_num_queries(0):
        ask(account)


def test_the_command_says_that_an_account_is_paused_and_how_to_end_it(cal, account):
    cal.fault("401")
    fail(account)
    asked = len(cal.requests)

    error = StringIO()
    with pytest.raises(SystemExit, match="2"):
        call_command("cal_sync", stderr=error)

    assert "paused until" in error.getvalue()
    assert len(cal.requests) == asked
    call_command("cal_sync", force=True)
    assert len(cal.requests) > asked
