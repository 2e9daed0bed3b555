"""The echoes of our own actions: what Cal.com announces because we asked for it is mirrored without a reading."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from django.utils import timezone

from cal_bookings.models import Account, Booking, BookingAction, WebhookDelivery
from cal_bookings.outbox import announcements
from cal_bookings.webhooks.effects import is_shown

#: A delivery waits this long at most for an action that is under way.
_WAITS_FOR = timedelta(seconds=30)
#: The largest difference between the clocks of the machines that received the delivery and sent the action.
_SKEW = timedelta(seconds=5)

Verdict = Literal["echo", "wait", ""]


class Echoes:
    """The account's own actions on the bookings of some deliveries. One query."""

    def __init__(self, account: Account, deliveries: Iterable[WebhookDelivery]) -> None:
        self._actions: dict[str, list[BookingAction]] = defaultdict(list)
        named = list(deliveries)
        uids = {uid for one in named for uid in (one.uid, one.old_uid) if uid}
        marks = {one.mark for one in named if one.mark}
        for action in announcements.recent(account, uids, marks):
            for name in {action.lane, action.result_uid, _uid(action)} - {""}:
                self._actions[name].append(action)

    def judge(
        self, delivery: WebhookDelivery, booking: Booking | None, old: Booking | None
    ) -> Verdict:
        """Return "echo" if the mirror has the change from our own action, "wait" if that action is under way, else "".

        An action on one occurrence may change others of its series, which only a reading shows.
        """
        names = {delivery.uid, delivery.old_uid, delivery.mark} - {""}
        for action in {one for name in names for one in self._actions.get(name, ())}:
            if not announcements.may_fire(action, delivery.trigger):
                continue
            if action.is_open:
                is_young = timezone.now() - delivery.received_at < _WAITS_FOR
                return "wait" if is_young else ""
            if _is_echo(action, delivery, booking, old):
                return "echo"
        return ""


def _is_echo(
    action: BookingAction,
    delivery: WebhookDelivery,
    booking: Booking | None,
    old: Booking | None,
) -> bool:
    if booking is None or booking.recurring_booking_uid or not action.sent_at:
        return False
    is_later = delivery.received_at >= action.sent_at - _SKEW
    is_its_booking = delivery.uid in (action.result_uid, _uid(action))
    return is_later and is_its_booking and is_shown(delivery.trigger, booking, old)


def _uid(action: BookingAction) -> str:
    return action.booking.uid if action.booking else ""
