"""The health of webhooks: while deliveries arrive, the `changes` loop rests, and otherwise it goes on.

Webhooks are healthy once they have delivered, as long as no walk finds a change that no delivery announced.
"""

from datetime import timedelta

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from cal_bookings import conf
from cal_bookings.models import (
    Account,
    Mode,
    SyncState,
    WebhookDelivery,
    WebhookReceiver,
)
from cal_bookings.webhooks import refusals, silence

#: Deliveries are not processed if one of them has been due for longer than this.
_OVERDUE = timedelta(minutes=2)


def note_processed(receiver: WebhookReceiver) -> None:
    """Record that deliveries arrive and are processed. One statement, the first time only."""
    if receiver.healthy_since is None:
        unknown = WebhookReceiver.objects.filter(pk=receiver.pk, healthy_since=None)
        now = timezone.now()
        unknown.update(
            healthy_since=now,
            expected_since=Coalesce("expected_since", Value(now)),
        )


def rest(account: Account) -> None:
    """Put the next `changes` walk off after a complete walk, while webhooks are healthy.

    Ends their health, and the rest, if that walk found what no delivery announced. Makes a few queries, and none unless
    CHANGES_INTERVAL_WITH_WEBHOOKS is set.
    """
    seconds = conf.get("CHANGES_INTERVAL_WITH_WEBHOOKS")
    if seconds is None:
        return
    receiver = WebhookReceiver.objects.filter(account=account).first()
    if receiver is None or receiver.healthy_since is None:
        return
    if silence.unannounced([account], since=receiver.healthy_since):
        end_rest([account.pk])
        return
    due_at = timezone.now() + timedelta(seconds=seconds)
    _changes([account.pk]).filter(due_at__lt=due_at).update(due_at=due_at)


def check() -> None:
    """End the health of webhooks whose deliveries are refused or overdue. Three queries at most, and the cache's."""
    healthy = WebhookReceiver.objects.filter(healthy_since__isnull=False)
    ids = list(healthy.values_list("account", flat=True))
    if not ids:
        return
    refused = refusals.counts(ids)
    overdue = WebhookDelivery.objects.filter(
        account__in=ids, next_attempt_at__lt=timezone.now() - _OVERDUE
    )
    late = {*overdue.values_list("account", flat=True).distinct()}
    ill = [one for one in ids if one in late or refused[one] >= refusals.MANY]
    if ill:
        end_rest(ill)


def end_rest(account_ids: list[int]) -> None:
    """Record that webhooks are unhealthy, and make the `changes` loops that rest due now. Two statements."""
    ill = WebhookReceiver.objects.filter(
        account__in=account_ids, healthy_since__isnull=False
    )
    ill.update(healthy_since=None)
    soon = timezone.now() + timedelta(seconds=conf.interval(Mode.CHANGES))
    resting = Q(due_at__gt=soon, failures=0)
    _changes(account_ids).filter(resting).update(due_at=timezone.now())


def _changes(account_ids: list[int]) -> QuerySet[SyncState]:
    return SyncState.objects.filter(account__in=account_ids, mode=Mode.CHANGES)
