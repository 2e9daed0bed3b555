"""The inbox: each delivery is stored by one statement, and the same body only once."""

from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256

from django.db import IntegrityError, connections
from django.db.models import F
from django.utils import timezone

from cal_bookings import db, signals
from cal_bookings.models import WebhookDelivery, WebhookReceiver
from cal_bookings.webhooks import bodies

_VERSION_LENGTH = 20


def store(receiver: WebhookReceiver, body: bytes, version: str) -> None:
    """Store what a signed delivery says, and send `delivery_received`. Raises DatabaseError.

    One statement, outside a transaction. A body that is there already is counted on its row by a second one; it is not
    processed again, because each event of Cal.com has a `createdAt` of its own.
    """
    delivery = _delivery(receiver, body, version)
    try:
        with _savepoint():
            delivery.save(force_insert=True)
    except IntegrityError:
        _count_again(delivery)
    signals.delivery_received.send_robust(
        WebhookDelivery, account_id=receiver.account_id
    )


def _delivery(receiver: WebhookReceiver, body: bytes, version: str) -> WebhookDelivery:
    hint, now = bodies.read(body), timezone.now()
    return WebhookDelivery(
        account_id=receiver.account_id,
        body_hash=sha256(body).hexdigest(),
        version=bodies.text(version, _VERSION_LENGTH),
        trigger=hint.trigger,
        uid=hint.uid,
        old_uid=hint.old_uid,
        seat_uid=hint.seat_uid,
        mark=hint.mark,
        rejection_reason=hint.rejection_reason,
        happened_at=hint.happened_at,
        received_at=now,
        last_received_at=now,
        **_ending(hint),
    )


def _ending(hint: bodies.Hint) -> dict[str, object]:
    """The columns of a delivery that asks for no request, and is done when it is stored."""
    if hint.uid and not hint.is_test:
        return {"next_attempt_at": timezone.now()}
    outcome = WebhookDelivery.Outcome.NO_BOOKING
    if hint.is_test:
        outcome = WebhookDelivery.Outcome.TEST
    elif not hint.is_readable:
        outcome = WebhookDelivery.Outcome.UNREADABLE
    return {
        "state": WebhookDelivery.State.DONE,
        "outcome": outcome,
        "processed_at": timezone.now(),
        "next_attempt_at": None,
    }


def _count_again(delivery: WebhookDelivery) -> None:
    same = WebhookDelivery.objects.filter(
        account=delivery.account_id, body_hash=delivery.body_hash
    )
    same.update(receipts=F("receipts") + 1, last_received_at=delivery.received_at)


def _savepoint() -> AbstractContextManager[object]:
    """Return a savepoint inside a caller's transaction, which a duplicate row must not end; otherwise no context."""
    return db.atomic() if connections[db.alias()].in_atomic_block else nullcontext()
