"""The subscriptions to the fake's webhooks: their owners, and the events of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cal_bookings.testing.deliveries.triggers import FIRST_VERSION


@dataclass
class Subscription:
    """A webhook as Cal.com keeps it. Exactly one of the owners is set."""

    #: The column that names the owner: userId, eventTypeId, teamId or oAuthClientId.
    owner_kind: str
    owner: int | str
    subscriber_url: str
    triggers: list[str]
    created_at: str
    active: bool = True
    secret: str | None = None
    payload_template: str | None = None
    version: str = FIRST_VERSION
    time: int | None = None
    time_unit: str | None = None
    id: str = field(default_factory=lambda: str(uuid4()))

    def shown(self, *, hosted: bool) -> dict[str, Any]:
        """Return what Cal.com shows after a change and in lists; hosted Cal.com shows more [rec 009, 420]."""
        more = (
            {"version": self.version, "time": self.time, "timeUnit": self.time_unit}
            if hosted
            else {}
        )
        return {
            "id": self.id,
            "payloadTemplate": self.payload_template,
            "triggers": list(self.triggers),
            "subscriberUrl": self.subscriber_url,
            "active": self.active,
            "secret": self.secret,
            self.owner_kind: self.owner,
        } | more

    def as_row(self) -> dict[str, Any]:
        """Return the subscription as GET shows it: the columns of its row [rec 494]."""
        owners = ("userId", "teamId", "eventTypeId", "oAuthClientId")
        return {
            "id": self.id,
            **dict.fromkeys(owners),
            "subscriberUrl": self.subscriber_url,
            "payloadTemplate": self.payload_template,
            "createdAt": self.created_at,
            "active": self.active,
            "appId": None,
            "secret": self.secret,
            "platform": False,
            "time": self.time,
            "timeUnit": self.time_unit,
            "version": self.version,
            "triggers": list(self.triggers),
        } | {self.owner_kind: self.owner}


@dataclass(frozen=True)
class Audience:
    """The owners whose subscriptions an event reaches."""

    users: frozenset[int] = frozenset()
    event_type: int | None = None
    organizations: frozenset[int] = frozenset()
    clients: frozenset[str] = frozenset()

    def hears(self, subscription: Subscription) -> bool:
        """Return whether a subscription belongs to one of these owners."""
        owners: dict[str, frozenset[Any]] = {
            "userId": self.users,
            "eventTypeId": frozenset({self.event_type}),
            "teamId": self.organizations,
            "oAuthClientId": self.clients,
        }
        return subscription.owner in owners[subscription.owner_kind]


class Subscriptions:
    """All webhooks of one world, in the order in which they were made."""

    def __init__(self) -> None:
        self._all: dict[str, Subscription] = {}

    def add(self, subscription: Subscription) -> None:
        self._all[subscription.id] = subscription

    def remove(self, identity: str) -> Subscription | None:
        """Forget one subscription and return it; None for an unknown id."""
        return self._all.pop(identity, None)

    def get(self, identity: str) -> Subscription | None:
        return self._all.get(identity)

    def of(self, owner_kind: str, owner: int | str) -> list[Subscription]:
        """Return the subscriptions of one owner."""
        return [
            one
            for one in list(self._all.values())
            if (one.owner_kind, one.owner) == (owner_kind, owner)
        ]

    def listening(self, trigger: str, audience: Audience) -> list[Subscription]:
        """Return the active subscriptions that an event reaches."""
        return [
            one
            for one in list(self._all.values())
            if one.active and trigger in one.triggers and audience.hears(one)
        ]

    def __len__(self) -> int:
        return len(self._all)
