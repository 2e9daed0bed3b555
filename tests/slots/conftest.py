"""Slots of the fake Cal.com, from Sunday before a Monday that is free."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from cal_bookings import slots
from cal_bookings.models import Account, SlotReservation

TIMES = ("until", "next_attempt_at", "reserved_at")


def next_monday() -> datetime:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())


MONDAY = next_monday()
TEN = MONDAY + timedelta(hours=10)


def pass_time(cal: Any, by: timedelta) -> None:
    """Let `by` go by for Cal.com, and for all reservations as their rows see it."""
    cal.clock.advance(by)
    SlotReservation.objects.update(**{name: F(name) - by for name in TIMES})
    Account.objects.update(circuit_open_until=F("circuit_open_until") - by)


@pytest.fixture
def account(db: None, cal: Any) -> Account:
    return Account.objects.configured().get()


@pytest.fixture
def event_type(cal: Any) -> int:
    number: int = cal.event_type(cal.users[1], "consultation").id
    return number


@pytest.fixture
def reserve(account: Account, event_type: int) -> Any:
    def reserve(**options: Any) -> SlotReservation:
        wanted: dict[str, Any] = {"event_type": event_type, "start": TEN}
        return slots.reserve(account, **wanted | options)

    return reserve


def kinds(cal: Any) -> list[str]:
    """What was done because a request asked for it."""
    return [effect.kind for effect in cal.effects]
