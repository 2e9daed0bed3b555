"""The circuit of an account, which rests for a while if its credential is refused or its server is down.

A closed circuit lets requests pass. An open circuit stops them until `circuit_open_until`. Then it is half-open: one
client anywhere may try, and its result closes or opens the circuit. The circuit is kept on the account, so that all
processes and the admin see it.

A pause by hand (`paused_at`) has columns of its own: no request is made until a person resumes the account. Neither
time, nor another credential, nor a request that succeeds ends the pause, and no client tries.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from cal_bookings import backoff, sentences
from cal_bookings.budget import advice
from cal_bookings.budget.errors import CircuitOpen
from cal_bookings.client import (
    CalError,
    CalForbidden,
    CalUnauthorized,
    CalUnavailable,
)
from cal_bookings.models import Account
from cal_bookings.models.pauses import CLOSED_CIRCUIT, NOT_PAUSED

logger = logging.getLogger(__name__)

#: The number of requests in a row without a response after which a server is down: two GETs with all their repetitions.
FAILURES_TO_OPEN = 8
#: The first pause, and the longest pause; each pause is twice as long as the pause before.
_DOWN = 30.0, 300.0  # seconds
_REFUSED = 300.0, 3600.0  # seconds
#: The time after which a probe that never came back is tried again.
_PROBE = timedelta(minutes=2)

#: The interval at which a walk under way checks whether somebody paused its account.
LOOK_AGAIN = 5.0  # seconds


class Circuit:
    """The circuit of an account, as one client sees and changes it."""

    def __init__(
        self,
        account: Account,
        key: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the `key` that names the credential, because a pause is that of a credential."""
        self._account = account
        self._key = key
        self._is_probe = False
        self._clock = clock
        self._looked_at = clock()

    def enter(self) -> None:
        """Raise CircuitOpen unless the circuit is closed, or half-open with the probe left to this client.

        No statement is executed as long as the account is known to be well.
        """
        account = self._account
        if account.circuit_open_until is None and not account.is_paused_by_hand:
            return
        account.refresh_from_db(fields=[*CLOSED_CIRCUIT, *NOT_PAUSED])
        until, now = account.circuit_open_until, timezone.now()
        if account.is_paused_by_hand:
            raise CircuitOpen(account)
        if until is None or account.circuit_key != self._key:
            _close(account)
        elif until > now:
            raise CircuitOpen(account, until)
        else:
            self._probe(until, now + _PROBE)

    def look(self) -> None:
        """Raise CircuitOpen if a person has paused the account meanwhile, with one short query every few seconds."""
        now = self._clock()
        if now - self._looked_at < LOOK_AGAIN:
            return
        self._looked_at = now
        rows = Account.objects.filter(pk=self._account.pk, paused_at__isnull=False)
        if paused := rows.only(*NOT_PAUSED).first():
            raise CircuitOpen(paused)

    def _probe(self, until: datetime, next_probe: datetime) -> None:
        account = self._account
        half_open = Account.objects.filter(pk=account.pk, circuit_open_until=until)
        if not half_open.update(circuit_open_until=next_probe):
            raise CircuitOpen(account, next_probe)
        account.circuit_open_until = next_probe
        self._is_probe = True

    def failed(self, error: CalError) -> None:
        """Count a failure of the account or its server; a failure of one booking changes nothing."""
        refused = _is_refused(error)
        if not (refused or _is_down(error)) or not self._count():
            return
        account = self._account
        account.refresh_from_db(fields=[*CLOSED_CIRCUIT])
        if refused:
            account.circuit_failures = max(account.circuit_failures, FAILURES_TO_OPEN)
        if account.circuit_failures >= FAILURES_TO_OPEN:
            _open(account, error, self._key)

    def _count(self) -> bool:
        """Count a failure; return False if the circuit is open already. Of concurrent failures, the first opens it."""
        row = Account.objects.filter(pk=self._account.pk)
        if not self._is_probe:
            row = row.filter(
                Q(circuit_open_until=None) | Q(circuit_open_until__lte=timezone.now())
            )
        self._is_probe = False
        return bool(row.update(circuit_failures=F("circuit_failures") + 1))

    def succeeded(self) -> None:
        """Close the circuit after a good response. A closed circuit costs no statement."""
        if self._account.circuit_failures:
            _close(self._account)


def pause(account: Account, reason: str = "", *, by: str = "") -> None:
    """Pause the account by hand: no request is made until `reset`. A request under way is completed.

    `by` names the person, `reason` says why; staff read both. The method executes one statement and opens no
    transaction.
    """
    account.paused_at, account.paused_by = timezone.now(), by
    account.pause_reason = reason
    account.save(update_fields=[*NOT_PAUSED])
    logger.warning("%s: paused by hand", account)


def reset(account: Account) -> None:
    """End every pause of the account, by hand or not, with one statement: the next request is made at once."""
    if account.circuit_open_until or account.is_paused_by_hand:
        logger.info("%s: requests are made again", account)
    _store(account, NOT_PAUSED | CLOSED_CIRCUIT)


def _close(account: Account) -> None:
    """End the pause that failures began, and forget them."""
    if account.circuit_open_until:
        logger.info("%s: requests are made again", account)
    _store(account, CLOSED_CIRCUIT)


def _open(account: Account, error: CalError, key: str) -> None:
    first, longest = _REFUSED if _is_refused(error) else _DOWN
    times_before = account.circuit_failures - FAILURES_TO_OPEN
    pause = backoff.seconds(times_before, first=first, longest=longest)
    until = timezone.now() + timedelta(seconds=pause)
    _store(
        account,
        {
            "circuit_open_until": until,
            "circuit_failures": account.circuit_failures,
            "circuit_key": key,
            # Without `quoting`, because its readers may add an account, and may have named a server that is none of
            # Cal.com's.
            **sentences.columns(
                "circuit_reason",
                advice.explain(account, error, advice.Operation.ACTION),
            ),
        },
    )
    # A short text: the caller that met the error reports it at length.
    message = "%s: no requests until %s UTC, because of %s"
    logger.warning(message, account, f"{until:%Y-%m-%d %H:%M:%S}", error.summary)


def _store(account: Account, columns: dict[str, Any]) -> None:
    for name, value in columns.items():
        setattr(account, name, value)
    Account.objects.filter(pk=account.pk).update(**columns)


def _is_refused(error: CalError) -> bool:
    """Return whether the credential itself is bad, or does not reach the list that it is to read."""
    if isinstance(error, CalForbidden):
        # The mirror does not depend on other rights of a credential: to book, or to read event types or free times.
        return _is_of_the_list(error)
    return isinstance(error, CalUnauthorized)


def _is_down(error: CalError) -> bool:
    # A 500 for one booking is often Cal.com's way to say that it does not exist.
    of_more = error.status != 500 or _is_of_the_list(error)
    return isinstance(error, CalUnavailable) and of_more


def _is_of_the_list(error: CalError) -> bool:
    return error.method == "GET" and error.path.endswith("/bookings")
