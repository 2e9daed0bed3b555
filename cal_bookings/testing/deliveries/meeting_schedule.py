"""The deliveries that Cal.com plans in advance: MEETING_STARTED and MEETING_ENDED.

The body is made when the meeting is planned, so it may be stale when it is sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cal_bookings.testing.deliveries import envelopes
from cal_bookings.testing.deliveries.booking_parts import Payload, Scene
from cal_bookings.testing.deliveries.subscriptions import Subscription
from cal_bookings.testing.deliveries.triggers import OF_MEETINGS


@dataclass(frozen=True)
class Planned:
    """One planned delivery."""

    due: datetime
    trigger: str
    uid: str
    subscription: Subscription
    payload: Payload


class MeetingSchedule:
    """The meetings of which subscribers will be notified, by booking."""

    def __init__(self) -> None:
        self._planned: defaultdict[str, list[Planned]] = defaultdict(list)

    def plan(self, scene: Scene, subscriptions: list[Subscription]) -> None:
        """Plan the start and the end of an accepted booking for each subscription that wants them."""
        booking = scene.booking
        for trigger, due in zip(
            OF_MEETINGS, (booking["start"], booking["end"]), strict=True
        ):
            wanted = [one for one in subscriptions if trigger in one.triggers]
            if wanted and isinstance(due, str):
                moment = datetime.fromisoformat(due)
                payload = envelopes.payload(trigger, scene)
                uid = booking["uid"]
                self._planned[uid] += [
                    Planned(moment, trigger, uid, one, payload) for one in wanted
                ]

    def forget(self, uid: str) -> None:
        """Drop the deliveries that were planned for a booking, as Cal.com does when it is cancelled or moved."""
        self._planned.pop(uid, None)

    def forget_subscription(self, subscription: Subscription) -> None:
        """Drop the deliveries that were planned for a subscription."""
        self._keep(lambda one: one.subscription is not subscription)

    def take_due(self, now: datetime) -> list[Planned]:
        """Return the deliveries that are due by now, in order, and forget them."""
        everything = [one for planned in self._planned.values() for one in planned]
        due = [one for one in everything if one.due <= now]
        self._keep(lambda one: one.due > now)
        return sorted(due, key=lambda one: one.due)

    def _keep(self, wanted: Callable[[Planned], bool]) -> None:
        for uid, planned in list(self._planned.items()):
            self._planned[uid] = [one for one in planned if wanted(one)]
