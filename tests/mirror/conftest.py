from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from cal_bookings import mirror
from cal_bookings.models import Account, BookingChange

ASKED_AT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


class Mirrors(Protocol):
    def __call__(
        self, *payloads: Any, minutes: float = 0, **options: Any
    ) -> mirror.Outcome: ...


@pytest.fixture
def account(db: None) -> Account:
    """An account whose mirror began before the bookings of the tests were created: they are news."""
    return Account.objects.create(
        alias="default",
        base_url="https://cal.example.com/v2",
        mirror_began_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


@pytest.fixture
def mirrors(account: Account) -> Mirrors:
    """Mirrors payloads as the answer to a request sent so many minutes after the first."""

    def upsert(*payloads: Any, minutes: float = 0, **options: Any) -> mirror.Outcome:
        return mirror.upsert(
            account,
            list(payloads),
            asked_at=ASKED_AT + timedelta(minutes=minutes),
            api_version="2024-08-13",
            **{"source": BookingChange.Source.WALK} | options,
        )

    return upsert
