"""The turns of actions that Cal.com counts apart: changes of locations, attendees and guests, five a minute each."""

import time

from django.utils import timezone

from cal_bookings import budget
from cal_bookings.models import BookingAction
from cal_bookings.outbox.kinds import KINDS


def seconds_until_turn(action: BookingAction) -> float:
    """Return the seconds that an action has to wait until Cal.com allows its request; 0 if Cal.com allows it now.

    Waiting actions go first, so that a hundred of them spread over the coming windows. The function makes no request:
    it reads the budget once, and the database once if the budget is used up.
    """
    limit = KINDS[action.kind].endpoint_limit
    if not limit:
        return 0
    usage = budget.usage([action.account], time.time(), limit)[action.account.pk]
    wait = max(usage.blocked_for, usage.ends_in if usage.is_used_up else 0)
    if not wait or not usage.slots:
        return wait
    return wait + _waiting(action, limit) // usage.slots * usage.period


def _waiting(action: BookingAction, limit: str) -> int:
    return BookingAction.objects.filter(
        account=action.account_id,
        kind__in=[name for name, kind in KINDS.items() if kind.endpoint_limit == limit],
        status=BookingAction.Status.QUEUED,
        next_attempt_at__gt=timezone.now(),
    ).count()
