"""Workers of the example project over the brokers that sites use."""

import signal
import time

STARTS_WITHIN = 30  # seconds


def answer(app, name):
    """What the worker says to a ping, as soon as it is there; nothing if it does not come."""
    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends:
        if answers := app.control.ping(destination=[name], timeout=1, limit=1):
            return answers
    return []


def test_a_worker_answers(app, start_worker):
    with start_worker() as (name, _):
        assert answer(app, name) == [{name: {"ok": "pong"}}]


def test_a_worker_ends_when_it_is_told_to(app, start_worker):
    with start_worker() as (name, process):
        answer(app, name)
        process.send_signal(signal.SIGTERM)

        assert process.wait(STARTS_WITHIN) == 0
        assert app.control.ping(destination=[name], timeout=1) == []
