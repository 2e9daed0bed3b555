"""Whatever is gone for a while, the loops recover by themselves, lose nothing, and leave a trace.

Scaled: seconds stand for the minutes and hours that a lease, an interval and an outage take on a site.
"""

import json
import time

import pytest

from cal_bookings.testing import FakeCal
from tests.services.site import Site

GONE = (
    12  # seconds: longer than a lease, than an interval, than all retries of a request
)


@pytest.fixture
def cal():
    with FakeCal(bookings=300) as cal:
        yield cal


@pytest.fixture
def site(app, wires, database_url, tmp_path, cal):
    """Two workers that reach broker and database over the wires; we reach both directly."""
    broker, database = wires["urls"]
    with Site(app, broker, database_url, tmp_path / "workers.log") as site:
        site.run("manage.py", "migrate", "-v0")
        site.run("-m", "tests.services.database", "prepare", cal.url, cal.api_key)
        site.environment["DATABASE_URL"] = database
        for _ in range(2):
            site.start_worker()
        site.wait_for(lambda: is_quiet(site))
        yield site


def is_quiet(site, since="2000-01-01"):
    ((seen,),) = site.ask(
        "SELECT count(*) FROM cal_bookings_syncstate "
        "WHERE mode != 'window' AND last_completed_at > %s",
        since,
    )
    return seen == 2


def pass_the_outage(site, cal):
    """Bookings change while something is gone."""
    for number in range(GONE):
        cal.set_location(cal.bookings[number], f"Room {number}")
        cal.book()
        site.beat()
        time.sleep(1)


def assert_recovered(site, cal, wires):
    ((now,),) = site.ask("SELECT now()")
    site.hurry()
    site.wait_for(lambda: is_quiet(site, now))
    payloads = {"a0": cal.payloads(cal.users[1])}
    site.run("-m", "tests.services.database", "compare", sent=json.dumps(payloads))


def test_the_broker_is_gone_for_a_while(site, cal, wires):
    wires["broker"].cut()
    pass_the_outage(site, cal)
    wires["broker"].mend()

    assert_recovered(site, cal, wires)
    assert "Connection to broker lost" in site.log.read_text()


def test_the_database_is_gone_for_a_while(site, cal, wires):
    wires["database"].cut()
    pass_the_outage(site, cal)
    wires["database"].mend()

    assert_recovered(site, cal, wires)
    assert "OperationalError" in site.log.read_text()


def test_cal_com_is_gone_for_a_while(site, cal, wires):
    cal.fault("502", times=10_000)
    pass_the_outage(site, cal)
    cal.faults.clear()

    assert_recovered(site, cal, wires)
    assert "the changes walk failed" in site.log.read_text()
    failed = site.ask("SELECT error FROM cal_bookings_syncrun WHERE outcome = 'failed'")
    assert failed
    assert all("the walk goes on from its checkpoint" in error for (error,) in failed)
