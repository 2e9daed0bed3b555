"""A walk that is killed with SIGKILL goes on where it was, and ends equal to the remote."""

import signal
import time

import pytest

PAGES, PAGE_SIZE = 10, 10


class Kill:
    """Kills the process when it asks for page `number`, or `later` seconds after the answer."""

    def __init__(self, process, number, *, later=None):
        self.process = process
        self.number = number
        self.later = later
        self.asked = 0

    def __call__(self, request):
        self.asked += 1
        self.request = request
        if self.later is None and self.asked == self.number:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


def place(request):
    return request.one("cursor") or request.one("skip", "0")


def pages_asked(cal):
    """Which pages were asked for, each by its place in the list."""
    return [place(request) for request in cal.requests if request.path == "/bookings"]


@pytest.mark.parametrize("page", range(1, PAGES + 1))
@pytest.mark.parametrize("dialect", ["cursor", "offset"])
def test_killed_while_it_asks_for_a_page_it_resumes_there(
    cal, worker, settings, dialect, page
):
    cal.dialect = dialect
    cal.seed(bookings_of(dialect), user=cal.users[1])
    worker.settings = settings.CAL_BOOKINGS | {"PAGE_SIZE": PAGE_SIZE}
    # Whose key it is; in one dialect the other one, which is tried first; behind the first page the event types.
    asked_before = 1 + (dialect == "offset") + (page > 1)
    process = worker.start()
    kill = cal.on_request = Kill(process, page + asked_before)
    process.communicate("", timeout=60)
    cal.on_request = None
    last = place(kill.request)
    cal.requests.clear()

    report = worker.walk(expected=cal.payloads(cal.users[1]))

    assert report["outcome"] == "complete"
    assert pages_asked(cal)[0] == last
    assert report["pages"] == PAGES - page + 1


@pytest.mark.parametrize("milliseconds", [0, 2, 4, 8, 16])
@pytest.mark.parametrize("dialect", ["cursor", "offset"])
def test_killed_while_it_stores_a_page_it_repeats_one_page_at_most(
    cal, worker, settings, dialect, milliseconds
):
    cal.dialect = dialect
    cal.seed(bookings_of(dialect), user=cal.users[1])
    worker.settings = settings.CAL_BOOKINGS | {"PAGE_SIZE": PAGE_SIZE}
    process = worker.start()
    while len(cal.requests) < 5:
        assert process.poll() is None
        time.sleep(0.001)
    time.sleep(milliseconds / 1000)
    process.kill()
    process.communicate()
    asked = pages_asked(cal)
    cal.requests.clear()

    report = worker.walk(expected=cal.payloads(cal.users[1]))

    assert report["outcome"] == "complete"
    assert pages_asked(cal)[0] == asked[-1] or (pages_asked(cal)[0] not in asked)


def bookings_of(dialect):
    """So many that there are ten pages; offset pages begin with a row of the page before."""
    return PAGES * PAGE_SIZE if dialect == "cursor" else PAGES * (PAGE_SIZE - 2) + 2
