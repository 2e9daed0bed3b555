"""What no page showed is read in slices: no cursor stays open, and no driver holds all rows."""

from array import array

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cal_bookings import sync
from cal_bookings.models import Booking, SyncState
from cal_bookings.sync import vanished
from cal_bookings.sync.checkpoint import Checkpoint


@pytest.mark.cal(bookings=1_100, dialect="offset")
def test_bookings_are_read_in_slices_however_many_there_are(account):
    sync.walk(account)
    latest = Booking.objects.latest("first_seen_at").first_seen_at
    state = SyncState.objects.get(mode="full")
    checkpoint = Checkpoint(started_at=latest.replace(year=2100), filters=())

    with CaptureQueriesContext(connection) as queries:
        unseen = list(vanished.unseen(account, array("q"), checkpoint))
        vanished.seen(state)

    assert len(unseen) == 1_100
    assert all("LIMIT" in query["sql"] for query in queries)
