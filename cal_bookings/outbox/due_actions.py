"""What is to be delivered next, and how late it is."""

from datetime import timedelta

from django.utils import timezone

from cal_bookings.models import Account, BookingAction


def due(limit: int, *, account: Account | None = None) -> list[int]:
    """The primary keys of actions whose turn it is, the longest due first: one of each lane.

    Those of accounts that are not active, or paused by hand, wait until somebody activates or resumes them.
    """
    ready = BookingAction.objects.due().first_in_lane()
    ready = ready.filter(account__paused_at=None, account__is_active=True)
    if account:
        ready = ready.filter(account=account)
    ordered = ready.order_by("next_attempt_at", "pk")
    return list(ordered.values_list("pk", flat=True)[:limit])


def following(action: BookingAction) -> int | None:
    """The action that waited for this one to end, if it is due now."""
    waiting = BookingAction.objects.due().filter(
        account=action.account_id, lane=action.lane
    )
    return waiting.order_by("pk").values_list("pk", flat=True).first()


def lateness() -> timedelta:
    """How long the action that waits longest has been due; nothing if none is. What to watch, and to be alarmed by."""
    now = timezone.now()
    due = BookingAction.objects.due().filter(account__is_active=True)
    first = due.order_by("next_attempt_at").first()
    return now - first.next_attempt_at if first else timedelta(0)
