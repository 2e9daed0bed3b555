"""The recorded deliveries once more: in any order, some twice, some not at all. The mirror ends equal to the remote."""

import json
from datetime import timedelta
from random import Random

import pytest

from cal_bookings import sync
from cal_bookings.models import Account, Booking, Mode, WebhookDelivery
from cal_bookings.testing import FakeCal
from cal_bookings.webhooks import processing
from tests.comparison import actual, assert_mirrors, expected
from tests.webhooks.conftest import Sender
from tests.webhooks.recorded import SECRET, SIGNED

LOST = 0.3
DOUBLED = 0.3


def hint(one):
    """Trigger, uid and old uid of a recorded delivery; the uid is empty if it names no booking."""
    content = json.loads(one.body)
    payload = content.get("payload", content)
    uid = payload.get("uid") or payload.get("bookingUid") or ""
    return content.get("triggerEvent", ""), uid, payload.get("rescheduleUid") or ""


def happen(cal: FakeCal, trigger: str, uid: str, old_uid: str) -> None:
    """What the recorded delivery announced, on the fake."""
    cal.clock.advance(timedelta(seconds=2))
    if old_uid and uid not in cal.rows:
        if old_uid not in cal.rows:
            cal.book(uid=old_uid)
        cal.book(uid=uid, rescheduledFromUid=old_uid)
        cal.edit(old_uid, status="cancelled", rescheduledToUid=uid)
    elif uid not in cal.rows:
        status = "pending" if trigger == "BOOKING_REQUESTED" else "accepted"
        cal.book(uid=uid, status=status)
    match trigger:
        case "BOOKING_CANCELLED":
            cal.edit(uid, status="cancelled")
        case "BOOKING_REJECTED":
            cal.edit(uid, status="rejected")
        case "BOOKING_CREATED":
            cal.edit(uid, status="accepted")
        case _:
            cal.touch(uid)


@pytest.mark.parametrize("seed", range(3))
def test_the_mirror_ends_equal_to_the_remote(db, cal, settings, seed):
    settings.CAL_BOOKINGS["ACCOUNTS"]["default"]["WEBHOOK_SECRET"] = SECRET
    settings.CAL_BOOKINGS |= {"WORKER": None}
    account, rng = Account.objects.configured().get(), Random(seed)
    sync.walk(account)
    sender, sent = Sender(account), []
    for one in SIGNED:
        trigger, uid, old_uid = hint(one)
        if uid:
            happen(cal, trigger, uid, old_uid)
        if rng.random() > LOST:
            sent += [one] * (2 if rng.random() < DOUBLED else 1)
    rng.shuffle(sent)
    for one in sent:
        assert sender.post(one.body, one.headers).status_code == 200

    processing.process(account.pk)

    rows = {
        row.uid: actual(row)
        for row in Booking.objects.prefetch_related("hosts", "attendees")
    }
    announced = {uid for _trigger, uid, _old in map(hint, sent) if uid}
    assert announced <= rows.keys()
    for uid in announced:
        assert rows[uid] == expected(cal.payload(uid))
    assert WebhookDelivery.objects.filter(receipts__gt=1).exists()
    assert rows.keys() < cal.rows.keys()  # what was lost is still missing

    sync.walk(account, Mode.CHANGES)
    assert_mirrors(account, cal.payloads())
