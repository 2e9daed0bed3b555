"""The echo of an action as a webhook delivery, which may settle an outcome that is not known."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from cal_bookings.models import Account, BookingAction
from cal_bookings.models.leases import is_free
from cal_bookings.outbox.sending import deliver

Kind = BookingAction.Kind

#: The triggers that an action's own effect fires, for the kinds whose effect nobody can repeat on the same booking.
_TRIGGERS = {
    Kind.CREATE: {"BOOKING_CREATED", "BOOKING_REQUESTED"},
    Kind.RESCHEDULE: {"BOOKING_RESCHEDULED", "BOOKING_REQUESTED"},
    Kind.REQUEST_RESCHEDULE: {"BOOKING_CANCELLED"},
    Kind.CANCEL: {"BOOKING_CANCELLED"},
    Kind.CONFIRM: {"BOOKING_CREATED"},
    Kind.DECLINE: {"BOOKING_REJECTED"},
}

#: The longest time between the end of an action and a delivery that echoes it. Hosted Cal.com delivers from a queue.
_ECHO_AFTER = timedelta(minutes=1)


def may_fire(action: BookingAction, trigger: str) -> bool:
    """Return whether this trigger may be the echo of the action."""
    return trigger in _TRIGGERS.get(Kind(action.kind), ())


def recent(
    account: Account, uids: Iterable[str], marks: Iterable[str]
) -> QuerySet[BookingAction]:
    """Return the actions on these bookings that are under way or were done in the last minute, with one query."""
    done = Q(
        status=BookingAction.Status.DONE, ended_at__gte=timezone.now() - _ECHO_AFTER
    )
    under_way = Q(status__in=BookingAction.OPEN) & ~is_free()
    named = Q(booking__uid__in=uids) | Q(result_uid__in=uids) | Q(lane__in=marks)
    known = account.actions.filter(named, done | under_way, kind__in=_TRIGGERS)
    return known.select_related("booking").order_by("pk")


def verify(account: Account, mark: str, uid: str) -> BookingAction | None:
    """Verify at once an unknown `create` whose mark Cal.com has announced, by reading the booking `uid`.

    Return the action as it then is, or None if no such action is unknown or if a worker has it. The function makes
    requests and must not be called in a transaction.
    """
    unknown = account.actions.filter(
        is_free(), kind=Kind.CREATE, lane=mark, status=BookingAction.Status.UNKNOWN
    )
    action_id = unknown.order_by("pk").values_list("pk", flat=True).first()
    if action_id is None:
        return None
    unknown.filter(pk=action_id).update(next_attempt_at=timezone.now())
    return deliver(action_id, announced_uid=uid)
