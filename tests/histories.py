"""Random histories on a fake Cal.com, told by a hypothesis state machine; and the death of our process in them."""

from contextlib import contextmanager

from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test


class Crash(BaseException):
    """The process is gone at this statement."""


@contextmanager
def at_statements(step):
    """Calls `step(number, sql)` before each statement of this process, counted from 1."""
    executed = 0

    def execute(proceed, sql, params, many, context):
        nonlocal executed
        executed += 1
        try:
            step(executed, sql)
        except Crash:
            context["cursor"].close()  # Django does only after an Exception
            raise
        return proceed(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


def crash_at(statement):
    """Lets the process die before this statement, if any; what was not committed is rolled back."""

    def step(number, sql):
        if statement and number >= statement and not sql.startswith("ROLLBACK"):
            raise Crash

    return at_statements(step)


def run(machine, django, examples, steps, *, derandomize=True, **options):
    """Tells histories of a machine, which calls its `configure` with its Cal.com; `options` go to CAL_BOOKINGS.

    `django` are the settings as the fixture of pytest-django holds them.
    """

    # Assigned once: each assignment lays another layer over the settings, and each layer makes every reading slower.
    accounts: dict[str, dict[str, str]] = {}
    django.CAL_BOOKINGS = {"ACCOUNTS": accounts, **options}

    def configure(cal):
        accounts["default"] = {"API_KEY": cal.api_key, "BASE_URL": cal.url}

    run_state_machine_as_test(
        type("Machine", (machine,), {"configure": staticmethod(configure)}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=derandomize,
            suppress_health_check=list(HealthCheck),
        ),
    )
