"""The publication of events: inside the request on a self-hosted server, queued and retried on hosted Cal.com."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from cal_bookings.testing.deliveries import envelopes
from cal_bookings.testing.deliveries.booking_parts import Payload, Scene
from cal_bookings.testing.deliveries.courier import RETRYABLE, Courier
from cal_bookings.testing.deliveries.meeting_schedule import MeetingSchedule
from cal_bookings.testing.deliveries.sender import Delivery
from cal_bookings.testing.deliveries.subscriptions import (
    Audience,
    Subscription,
    Subscriptions,
)
from cal_bookings.testing.deliveries.triggers import OF_MEETINGS, TRIGGERS
from cal_bookings.testing.world.announcements import Announcement, Job
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.state import Row, World

_GONE = 410
#: The triggers that self-hosted servers do not have.
_HOSTED_ONLY = frozenset({"BOOKING_LOCATION_UPDATED", "BOOKING_REASSIGNED"})
#: The events after which a self-hosted server still writes to the booking.
_SETTLING = frozenset(
    {"BOOKING_CREATED", "BOOKING_REQUESTED", "BOOKING_RESCHEDULED", "BOOKING_REJECTED"}
)


class Webhooks(Courier):
    """The webhooks of one world: `cal.webhooks`.

    Subscriptions are made over HTTP, or with `subscribe`. `journal` holds every attempt, oldest first; `flush` waits
    for those under way.
    """

    def __init__(self, world: World, *, allows_private: bool = False) -> None:
        super().__init__(world.clock)
        self.world = world
        self.subscriptions = Subscriptions()
        #: True if this is hosted Cal.com, as the server's dialect says.
        self.is_hosted: Callable[[], bool] = lambda: False
        #: True if hosted Cal.com sends to http and private addresses too, for tests and demos on one machine.
        self.allows_private = allows_private
        #: True if deliveries are queued and retried; None: only on hosted Cal.com.
        self.queues: bool | None = None
        #: The seconds from the delivery of a cancellation inside a request until the server commits it.
        self.commit_after = 0.0
        #: The users of each platform client.
        self.clients: defaultdict[str, set[int]] = defaultdict(set)
        self._meetings = MeetingSchedule()
        world.listener = self

    # The methods that tests call

    def subscribe(
        self,
        url: str,
        *,
        user: int = 1,
        secret: str | None = None,
        triggers: Iterable[str] = TRIGGERS,
        **columns: Any,
    ) -> Subscription:
        """Make a subscription of a user without a request; `columns` are further fields of `Subscription`."""
        given: dict[str, Any] = {
            "owner_kind": "userId",
            "owner": user,
            "subscriber_url": url,
            "triggers": list(triggers),
            "created_at": wire(self.world.clock.now()),
            "secret": secret,
        }
        made = Subscription(**(given | columns))
        self.add(made)
        return made

    def fire(self, trigger: str, uid: str = "", *, user: int = 1, **more: Any) -> None:
        """Send a trigger of any kind; `more` are further keys of its payload.

        This is for triggers that no event in the fake's world causes, such as payments, recordings and forms. A trigger
        about no booking goes to the subscriptions of `user`.
        """
        with self.world.lock:
            if uid:
                self.world.announce(trigger, uid, more=more)
                return
            payload = envelopes.payload(trigger, Scene({})) | more
            audience = self._of_users({user}, None)
            found = self.subscriptions.listening(trigger, audience)
            self.world.lock.after_release(
                partial(self._publish, trigger, "", found, lambda: payload)
            )

    def send_due_meetings(self) -> None:
        """Send MEETING_STARTED and MEETING_ENDED of the meetings that began or ended by the clock, each once."""
        with self.world.lock:
            due = self._meetings.take_due(self.world.clock.now())
        for one in due:
            if one.subscription.active:
                self.send(
                    self._seal(one.subscription, one.trigger, one.uid, one.payload)
                )

    # The methods that the endpoints and the server call

    def add(self, subscription: Subscription) -> None:
        """Keep a subscription, and plan the coming meetings of which it wants to be notified."""
        with self.world.lock:
            self.subscriptions.add(subscription)
            self.plan_meetings_of(subscription)

    def plan_meetings_of(self, subscription: Subscription) -> None:
        """Plan the coming meetings for a subscription that is new or has changed."""
        with self.world.lock:
            self._meetings.forget_subscription(subscription)
            hears = set(OF_MEETINGS).intersection(subscription.triggers)
            if not (hears and subscription.active):
                return
            now = wire(self.world.clock.now())
            for row in list(self.world.rows.values()):
                to_come = row["status"] == "accepted" and str(row["start"]) > now
                if to_come and self._audience(row).hears(subscription):
                    self._meetings.plan(self._scene(row, {}), [subscription])

    @property
    def announces_early(self) -> bool:
        """Return whether a cancellation is announced before its commit, as on self-hosted servers: 60 of 60 times."""
        return not self._queued

    # The publication of events

    @property
    def _queued(self) -> bool:
        return self.is_hosted() if self.queues is None else self.queues

    def hear(self, event: Announcement) -> Job | None:
        """Return the function that delivers an event; None without a subscription. Called with the lock held."""
        row = self.world.rows.get(event.uid)
        if not len(self.subscriptions) or row is None:
            return None
        if event.trigger in _HOSTED_ONLY and not self.is_hosted():
            return None
        audience = self._audience(row, event.about.get("users", ()))
        self._plan_meetings(event, row, audience)
        found = self.subscriptions.listening(event.trigger, audience)
        if not found:
            return None
        payload = partial(self._payload, event)
        if not self._queued:  # made now; a queue makes it on delivery
            payload = partial(dict, payload() or {})
        return partial(self._publish, event.trigger, event.uid, found, payload)

    def _publish(
        self,
        trigger: str,
        uid: str,
        subscriptions: list[Subscription],
        payload: Callable[[], Payload | None],
    ) -> None:
        if self._queued:
            self.start(self._work_off, trigger, uid, subscriptions, payload)
            return
        for one in subscriptions:
            self.send(self._seal(one, trigger, uid, payload() or {}))
        if trigger == "BOOKING_CANCELLED":
            time.sleep(self.commit_after)
        elif trigger in _SETTLING:
            self._settle(uid)

    def _work_off(
        self,
        trigger: str,
        uid: str,
        subscriptions: list[Subscription],
        payload: Callable[[], Payload | None],
    ) -> None:
        """Deliver as hosted Cal.com's task does: once to each receiver, then again to those without a good answer.

        The payload is built now, from the present state of the database.
        """
        made = payload()
        if made is None:
            return
        deliveries = [self._seal(one, trigger, uid, made) for one in subscriptions]
        failed = [one for one in deliveries if self._judge(one, self.send(one))]
        for delivery in failed:
            self._judge(delivery, self.retry(delivery))

    def _judge(self, delivery: Delivery, status: int) -> bool:
        """Return whether to try again; a 410 switches the subscription off."""
        if status == _GONE:
            delivery.subscription.active = False
        return status in RETRYABLE

    def _payload(self, event: Announcement) -> Payload | None:
        about = {key: one for key, one in event.about.items() if key != "users"}
        with self.world.lock:
            row = self.world.rows.get(event.uid)
            if row is None:
                return None
            return envelopes.payload(event.trigger, self._scene(row, about))

    def _seal(
        self, subscription: Subscription, trigger: str, uid: str, payload: Payload
    ) -> Delivery:
        at = wire(self.world.clock.now())
        envelope = envelopes.seal(subscription, trigger, payload, at)
        return Delivery(subscription, trigger, uid, envelope)

    def _scene(self, row: Row, about: dict[str, Any]) -> Scene:
        event_type = self.world.event_types.get(row["eventTypeId"] or 0)
        return Scene(self.world.payload(row["uid"]), event_type, **about)

    def _audience(self, row: Row, also: Iterable[int] = ()) -> Audience:
        return self._of_users({*row.users, *also}, row["eventTypeId"])

    def _of_users(self, users: set[int], event_type: int | None) -> Audience:
        known = [self.world.users[one] for one in users if one in self.world.users]
        organizations = {one.organization_id for one in known}
        return Audience(
            frozenset(users),
            event_type,
            frozenset(one for one in organizations if one is not None),
            frozenset(name for name, of in self.clients.items() if of & users),
        )

    def _plan_meetings(self, event: Announcement, row: Row, audience: Audience) -> None:
        if event.about.get("seat"):
            return
        old = event.about.get("old")
        if event.trigger in ("BOOKING_CANCELLED", "BOOKING_REJECTED") or old:
            self._meetings.forget(old["uid"] if old else event.uid)
        if event.trigger in ("BOOKING_CREATED", "BOOKING_RESCHEDULED"):
            wanted = {
                one.id: one
                for trigger in OF_MEETINGS
                for one in self.subscriptions.listening(trigger, audience)
            }
            self._meetings.plan(self._scene(row, {}), list(wanted.values()))

    def _settle(self, uid: str) -> None:
        """Write to a booking once more: `updatedAt` was not final in the delivery."""
        with self.world.lock:
            if uid in self.world.rows:
                self.world.change(uid)
