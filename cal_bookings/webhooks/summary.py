"""The state of one account's webhooks, for its page."""

from dataclasses import dataclass
from datetime import datetime

from cal_bookings.models import Account, WebhookDelivery, WebhookReceiver
from cal_bookings.webhooks import refusals


@dataclass(frozen=True, slots=True)
class Summary:
    #: Whether a subscription is known to exist.
    is_expected: bool
    last_received_at: datetime | None
    #: Deliveries whose booking is still to be read.
    waiting: int
    #: Deliveries that were refused for their signature, in this hour and the one before.
    refused: int


def of(account: Account) -> Summary:
    """Return the state of the account's webhooks. Three queries, and one of the cache."""
    deliveries = WebhookDelivery.objects.filter(account=account)
    last = deliveries.order_by("-pk").values_list("last_received_at", flat=True).first()
    waiting = deliveries.filter(next_attempt_at__isnull=False).count()
    expected = WebhookReceiver.objects.filter(
        account=account, expected_since__isnull=False
    )
    refused = refusals.counts([account.pk])[account.pk]
    return Summary(expected.exists(), last, waiting, refused)
