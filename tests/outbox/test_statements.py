"""What one action costs: requests to Cal.com, and statements to the database."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from cal_bookings import outbox
from cal_bookings.models import Booking


def own(queries):
    """Without the budget's, which depend on where it keeps its books, and without savepoints."""
    others = ("ratewindow", "SAVEPOINT")
    sql = [one["sql"] for one in queries]
    return [one for one in sql if not any(word in one for word in others)]


def test_putting_an_action_into_the_outbox_takes_three_statements(desk):
    booking = Booking.objects.get(pk=desk.book().pk)

    with CaptureQueriesContext(connection) as told:
        outbox.cancel(booking, reason="Fell ill")

    _lock, _look_for_others, insert = own(told)
    assert insert.startswith("INSERT")


def test_delivering_it_takes_two_requests_and_ten_statements(desk):
    """Four to take it and announce the request, four for the mirror, two to end it."""
    action = outbox.cancel(desk.book(), reason="Fell ill")
    desk.cal.requests.clear()

    with CaptureQueriesContext(connection) as told:
        assert desk.deliver(action).status == "done"

    assert [one.method for one in desk.cal.requests] == ["GET", "POST"]
    assert len(own(told)) == 10
