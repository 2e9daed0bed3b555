"""Processing: the bookings that deliveries name are read again, each once however many deliveries name it.

One worker at a time processes the deliveries of an account. A delivery is marked after its booking was read, so that a
crash at any place leads to another reading and never to none.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, F, Max
from django.utils import timezone

from cal_bookings import budget, client, outbox
from cal_bookings.client import CalError, Server
from cal_bookings.models import Account, Booking, WebhookDelivery, WebhookReceiver
from cal_bookings.sync import failures
from cal_bookings.webhooks import effects, health
from cal_bookings.webhooks.echoes import Echoes, Verdict
from cal_bookings.webhooks.reading import Reader, rows

logger = logging.getLogger(__name__)

State, Outcome = WebhookDelivery.State, WebhookDelivery.Outcome

#: Deliveries that are looked at together: each of their bookings is read once.
ROUND = 20_000
#: Primary keys in one UPDATE.
_CHUNK = 1_000

#: The worker's lease is short, because another one that reads the same bookings harms nothing.
_LEASE = timedelta(seconds=30)

#: A booking that was read this many times in the last minute is read again after this pause: a storm of deliveries about
#: one booking costs a handful of requests.
_SPACING = (0.0, 1.0, 4.0, 12.0, 20.0)  # seconds
_MINUTE = timedelta(minutes=1)

#: The pause of an echo whose action has not ended.
_OWN_ACTION = 1.0  # seconds

#: Pauses after a booking could not be read; after the last one its deliveries have failed.
_FAILED = (5.0, 30.0, 300.0)  # seconds

#: What keeps all bookings of the account from being read: the deliveries stay due.
_STOPPING = (
    client.CalUnauthorized,
    client.CalRateLimited,
    client.CalUnavailable,
    budget.NotNow,
    ImproperlyConfigured,
)


@dataclass(slots=True)
class Processed:
    """The result of one call of `process`."""

    #: Deliveries that are done.
    done: int = 0
    #: HTTP requests.
    requests: int = 0
    #: Why it ended before everything due was processed; empty if nothing is due any more, or if it never began because
    #: another worker is at the account or the account is not active.
    stopped: str = ""
    outcomes: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def due_accounts() -> list[int]:
    """Return the primary keys of the accounts with deliveries that are due, except inactive and paused ones. One query."""
    now = timezone.now()
    due = WebhookDelivery.objects.filter(
        next_attempt_at__lte=now, account__is_active=True, account__paused_at=None
    )
    paused = due.filter(account__circuit_open_until__gt=now).values("account")
    waiting = due.exclude(account__in=paused)
    return list(
        waiting.order_by("account").values_list("account", flat=True).distinct()
    )


def next_due(account_id: int) -> datetime | None:
    """Return when the next delivery of the account is due; None if all are done. One query."""
    waiting = WebhookDelivery.objects.filter(
        account=account_id, next_attempt_at__isnull=False
    )
    first = waiting.order_by("next_attempt_at")
    return first.values_list("next_attempt_at", flat=True).first()


def process(account_id: int, *, max_wait: float | None = None) -> Processed:
    """Read the bookings that due deliveries of an account name, until nothing is due, and return what was done.

    Makes requests with the priority `REFRESH`; must not be called in a transaction. A request that would wait longer
    than `max_wait` seconds for its turn ends it. So does an account that is paused, or a server that is down: the
    deliveries stay due. Returns at once if another worker has the account's lease.
    """
    processed = Processed()
    while _is_due(account_id) and not processed.stopped:
        receiver = _take(account_id)
        if receiver is None:
            break
        try:
            _process(receiver, processed, max_wait)
        finally:
            # The loop looks again after this line: a worker that a delivery woke before it found the lease taken.
            receiver.write_leased(lease_until=None)
    return processed


def _is_due(account_id: int) -> bool:
    due = WebhookDelivery.objects.filter(
        account=account_id, next_attempt_at__lte=timezone.now()
    )
    return due.exists()


def _take(account_id: int) -> WebhookReceiver | None:
    """Return the account's receiver with its lease; None if the account is inactive or another worker has the lease."""
    receivers = WebhookReceiver.objects.select_related("account")
    receiver = receivers.filter(account=account_id, account__is_active=True).first()
    now = timezone.now()
    if receiver is None or (receiver.lease_until and receiver.lease_until > now):
        return None
    return receiver if receiver.take_lease(lease_until=now + _LEASE) else None


def _process(
    receiver: WebhookReceiver, processed: Processed, max_wait: float | None
) -> None:
    account = receiver.account
    try:
        with budget.connect(
            account, priority=budget.Priority.REFRESH, max_wait=max_wait
        ) as connection:
            try:
                _Round(receiver, connection, processed).run()
            finally:
                processed.requests += connection.requests
    except _STOPPING as error:
        logger.info("%s: deliveries wait. %s", account, error)
        processed.stopped = str(error)
    else:
        health.note_processed(receiver)


class _Round:
    """The processing of the deliveries that are due when the round begins."""

    def __init__(
        self,
        receiver: WebhookReceiver,
        connection: client.CalClient,
        processed: Processed,
    ) -> None:
        self.receiver = receiver
        self.account: Account = receiver.account
        self.processed = processed
        self.reader = Reader(self.account, connection)
        due = WebhookDelivery.objects.filter(
            account=self.account, next_attempt_at__lte=timezone.now()
        )
        self.deliveries = list(due.order_by("pk")[:ROUND])

    def run(self) -> None:
        known = rows(self.account, self._uids(self.deliveries))
        for uid, deliveries in self._spaced(self._settle_echoes(known)):
            if not self.receiver.write_leased(lease_until=timezone.now() + _LEASE):
                return  # another worker has taken over
            self._read(uid, deliveries, known.get(uid))

    def _uids(self, deliveries: Iterable[WebhookDelivery]) -> set[str]:
        return {uid for one in deliveries for uid in (one.uid, one.old_uid) if uid}

    def _settle_echoes(self, known: dict[str, Booking]) -> list[WebhookDelivery]:
        """Settle what our own actions explain, without a reading; return the other deliveries."""
        echoes = Echoes(self.account, self.deliveries)
        verdicts: dict[Verdict, list[WebhookDelivery]] = defaultdict(list)
        for delivery in self.deliveries:
            verdicts[self._verdict(delivery, echoes, known)].append(delivery)
        self._put_off(verdicts["wait"], _OWN_ACTION)
        if verdicts["echo"]:
            self._mark(verdicts["echo"], effects.Step(State.DONE, Outcome.ECHO))
        return verdicts[""]

    def _verdict(
        self, delivery: WebhookDelivery, echoes: Echoes, known: dict[str, Booking]
    ) -> Verdict:
        booking, old = known.get(delivery.uid), known.get(delivery.old_uid)
        verdict = echoes.judge(delivery, booking, old)
        if verdict or not delivery.mark:
            return verdict
        if not outbox.verify(self.account, delivery.mark, delivery.uid):
            return ""
        return "echo" if rows(self.account, [delivery.uid]) else ""

    def _spaced(
        self, deliveries: list[WebhookDelivery]
    ) -> Iterator[tuple[str, list[WebhookDelivery]]]:
        """Yield the deliveries of each booking that may be read now, and put the other deliveries off."""
        of_uid: dict[str, list[WebhookDelivery]] = defaultdict(list)
        for delivery in deliveries:
            of_uid[delivery.uid].append(delivery)
        recent = self._read_lately(of_uid)
        for uid, named in of_uid.items():
            count, last = recent.get(uid, (0, timezone.now()))
            spacing = _SPACING[min(count, len(_SPACING) - 1)]
            pause = (last - timezone.now()).total_seconds() + spacing
            if pause > 0:
                self._put_off(named, pause)
            else:
                yield uid, named

    def _read_lately(self, uids: Iterable[str]) -> dict[str, tuple[int, datetime]]:
        """Return how often each booking was read in the last minute, and the time of its last reading."""
        read = self.account.deliveries.filter(
            uid__in=[*uids], processed_at__gt=timezone.now() - _MINUTE
        ).exclude(outcome=Outcome.ECHO)
        counted = (
            read.order_by()
            .values("uid")
            .annotate(
                reads=Count("processed_at", distinct=True), last=Max("processed_at")
            )
        )
        return {row["uid"]: (row["reads"], row["last"]) for row in counted}

    def _read(
        self, uid: str, deliveries: list[WebhookDelivery], known: Booking | None
    ) -> None:
        trigger = deliveries[-1].trigger
        series = known.recurring_booking_uid if known else ""
        try:
            self.reader.read(uid, trigger=trigger, series=series)
            for old_uid in {one.old_uid for one in deliveries} - {""}:
                self.reader.read(old_uid, trigger=trigger)
        except _STOPPING as error:
            if not (isinstance(error, CalError) and failures.is_alone(error)):
                raise
            self._fail(deliveries, error)
        except CalError as error:
            self._fail(deliveries, error)
        else:
            self._judge(deliveries)

    def _judge(self, deliveries: list[WebhookDelivery]) -> None:
        """Mark deliveries whose bookings were read, by what the rows show now."""
        found = rows(self.account, self._uids(deliveries))
        inside = self.account.server != Server.HOSTED
        steps: dict[effects.Step, list[WebhookDelivery]] = defaultdict(list)
        for one in deliveries:
            step = effects.next_step(
                one,
                found.get(one.uid),
                found.get(one.old_uid),
                sent_inside_request=inside,
            )
            steps[step].append(one)
        read_at = timezone.now()
        for step, same in steps.items():
            self._mark(same, step, read_at)

    def _fail(self, deliveries: list[WebhookDelivery], error: CalError) -> None:
        by_attempts: dict[int, list[WebhookDelivery]] = defaultdict(list)
        for one in deliveries:
            by_attempts[one.attempts].append(one)
        for attempts, same in by_attempts.items():
            step = effects.Step(State.DONE, Outcome.FAILED)
            if attempts < len(_FAILED):
                step = effects.Step(State.WAITING, pause=_FAILED[attempts])
            self._mark(same, step, error=error.unquoted)

    def _put_off(self, deliveries: list[WebhookDelivery], pause: float) -> None:
        again = timezone.now() + timedelta(seconds=pause)
        self._write(deliveries, next_attempt_at=again)

    def _mark(
        self,
        deliveries: list[WebhookDelivery],
        step: effects.Step,
        now: datetime | None = None,
        *,
        error: str = "",
    ) -> None:
        columns = step.columns(now or timezone.now()) | {"error": error}
        self._write(deliveries, attempts=F("attempts") + 1, **columns)
        if step.state == State.DONE:
            self.processed.done += len(deliveries)
            self.processed.outcomes[step.outcome] += len(deliveries)

    def _write(self, deliveries: list[WebhookDelivery], **columns: Any) -> None:
        pks = [one.pk for one in deliveries]
        for place in range(0, len(pks), _CHUNK):
            chunk = pks[place : place + _CHUNK]
            WebhookDelivery.objects.filter(pk__in=chunk).update(**columns)
