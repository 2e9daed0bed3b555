"""Actions against the fake Cal.com. Its journal of effects is the judge of what the outbox claims."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from cal_bookings import client, mirror, outbox
from cal_bookings.models import Account, Booking, BookingAction, BookingChange, Host
from cal_bookings.testing import FakeCal, Person

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
#: The fake is a hosted Cal.com if it lists by cursor.
SERVERS = {"cursor": client.Server.HOSTED, "offset": client.Server.SELF_HOSTED}
WRITES = ("POST", "PATCH", "DELETE")


def pass_time(by: timedelta) -> None:
    """Lets `by` go by for all actions and accounts, as their rows see it."""
    moved = ("enqueued_at", "next_attempt_at", "sent_at", "settles_at", "lease_until")
    BookingAction.objects.update(**{name: F(name) - by for name in moved})
    Account.objects.update(circuit_open_until=F("circuit_open_until") - by)


def mirror_now(cal: FakeCal, account: Account, uid: str) -> Booking:
    """The booking as Cal.com shows it at this moment, in the mirror."""
    mirror.upsert(
        account,
        [cal.payload(uid)],
        asked_at=timezone.now(),
        api_version=client.BOOKING_VERSION,
        source=BookingChange.Source.WALK,
    )
    return Booking.objects.get(account=account, uid=uid)


@dataclass
class Desk:
    """One booking on the fake, mirrored, and what people and workers do with it."""

    cal: FakeCal
    account: Account

    def book(self, event_type: str = "normal", **fields: Any) -> Booking:
        uid = self.cal.book(event_type=event_type, **fields)
        return self.mirrored(uid)

    def series(self, count: int = 3, status: str = "accepted") -> list[Booking]:
        uids = self.cal.book_series(count)
        for uid in uids:
            self.cal.edit(uid, status=status)
        return [self.mirrored(uid) for uid in uids]

    def past(self, **fields: Any) -> Booking:
        start = timezone.now() - timedelta(hours=3)
        return self.book(start=start.replace(microsecond=0), **fields)

    def speak(self, dialect: str) -> None:
        """Make the fake a server of this dialect, and the account one that has learnt it."""
        self.cal.dialect = self.account.dialect = dialect
        self.account.server = SERVERS[dialect]
        self.account.mirror_began_at = LONG_AGO
        self.account.save()

    def mirrored(self, uid: str) -> Booking:
        return mirror_now(self.cal, self.account, uid)

    def later(self, booking: Booking, hours: int = 48) -> Any:
        return booking.start + timedelta(hours=hours)

    def host(self, number: int) -> Host:
        user = self.cal.users[number]
        host, _ = Host.objects.get_or_create(
            account=self.account,
            remote_id=user.id,
            defaults={"email": user.email, "mirrored_at": timezone.now()},
        )
        return host

    def people(self, count: int) -> list[Person]:
        return [Person(f"P{n}", f"p{n}@example.net") for n in range(count)]

    def deliver(self, action: BookingAction) -> BookingAction:
        """One turn; fails if it was not this action's turn."""
        delivered = outbox.deliver(action.pk)
        assert delivered is not None, "it was not its turn"
        return delivered

    def deliver_until_ended(self, action: BookingAction, turns: int = 40) -> Any:
        """Turn after turn, with the time between them."""
        for _ in range(turns):
            action.refresh_from_db()
            if not action.is_open:
                return action
            due_at = max(action.next_attempt_at, action.lease_until or LONG_AGO)
            wait = max(due_at - timezone.now(), timedelta(0))
            pass_time(wait + timedelta(milliseconds=1))
            outbox.deliver(action.pk)
        raise AssertionError(f"stuck: {action.status} {action.error_message}")

    @property
    def writes(self) -> int:
        """Requests that wanted something done."""
        return sum(one.method in WRITES for one in self.cal.requests)

    def effects(self, kind: str = "", uid: str = "") -> list[Any]:
        return [
            one
            for one in self.cal.effects
            if kind in ("", one.kind) and uid in ("", one.uid)
        ]


@pytest.fixture
def desk(db: None, cal: FakeCal) -> Desk:
    account = Account.objects.configured().get()
    desk = Desk(cal, account)
    desk.speak(cal.dialect)
    return desk


@pytest.fixture
def ended() -> Callable[[BookingAction], list[str]]:
    """How the attempts of an action ended, in order."""
    return lambda action: list(action.history.values_list("outcome", flat=True))
