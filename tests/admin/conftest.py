"""Bookings as a walk leaves them: acting needs what Cal.com sent."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cal_bookings import mirror
from cal_bookings.models import Account, Booking, BookingChange
from tests.builders import booking_payload


@pytest.fixture
def mirrored(db):
    """Mirrors a booking of tomorrow; a test names only what it is about."""
    account = Account.objects.create(alias="mirrored", dialect="cursor")

    def mirrored(uid, **fields):
        tomorrow = timezone.now().replace(microsecond=0) + timedelta(days=1)
        payload = booking_payload(uid, **{"start": tomorrow} | fields)
        mirror.upsert(
            account,
            [payload],
            asked_at=timezone.now(),
            api_version="2024-08-13",
            source=BookingChange.Source.WALK,
        )
        return Booking.objects.get(account=account, uid=uid)

    return mirrored
