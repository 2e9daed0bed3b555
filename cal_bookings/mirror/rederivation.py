"""The derivation of typed columns from the payloads that the mirror has, without a request.

A walk passes over a booking whose payload did not change. A new typed column, or a mended parser, therefore reaches
such bookings only this way: by the command, and by the next full walk once `client.PARSER_VERSION` has grown.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils import timezone

from cal_bookings import client
from cal_bookings.mirror import appointments, changes, parts, saving
from cal_bookings.mirror.outcome import Failure, Outcome
from cal_bookings.models import Account, Booking, BookingChange, Derivation

#: The number of bookings that one transaction derives and, for that long, locks.
AT_ONCE = 250


def rederive(
    account: Account | None = None,
    *,
    restart: bool = False,
    on_batch: Callable[[Account, Outcome], None] | None = None,
) -> Outcome:
    """Derive the typed columns of all bookings of `account` (by default of all accounts) from their payloads again.

    The function makes no request and writes only differences. It goes on where an earlier call was interrupted, unless
    `restart`. It calls `on_batch` with the account and the counts of all its batches so far, after each of them. It
    returns the counts of all: `seen`, `updated`, `unchanged`, and `failures` of payloads that can no longer be read, by
    primary key. It opens a transaction for each batch; call it outside of a transaction.

    Data outside the payload stay: `missing_since`, and values that a placeholder of Cal.com does not replace. A value
    that was empty and is filled leaves no history and sends no signal, because nothing happened to the booking. A value
    that was known and is now another value does both, with the source "rederive": people may have acted on the wrong
    value.
    """
    total = Outcome()
    for each in [account] if account else Account.objects.without_credentials():
        if restart:
            Derivation.objects.filter(account=each).update(pass_version=None)
        of_account = Outcome()
        while outcome := rederive_batch(each):
            of_account.add(outcome)
            of_account.seen += outcome.seen
            if on_batch:
                on_batch(each, of_account)
        total.add(of_account)
        total.seen += of_account.seen
    return total


def note_parser_version(account: Account) -> None:
    """Record that this version of the parser derives all of a new account, with one query if the account is not new."""
    _state(account)


def is_rederivation_due(account: Account) -> bool:
    """Return whether the bookings of `account` may hold columns of an older version of the parser, with one query."""
    return _state(account).parser_version != client.PARSER_VERSION


def rederive_batch(account: Account) -> Outcome | None:
    """Derive the next bookings of `account` in one transaction; return None when all are done, and record that."""
    state = _state(account)
    passed = state.passed if state.pass_version == client.PARSER_VERSION else 0
    rows = Booking.objects.filter(account=account, pk__gt=passed).order_by("pk")
    pks = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    if not pks:
        _remember(
            account, parser_version=client.PARSER_VERSION, pass_version=None, passed=0
        )
        return None

    def write(write_all: parts.WriteAll[int]) -> Outcome:
        outcome = Outcome(seen=len(pks))
        refused = write_all(partial(_derive, account, outcome))
        outcome.failures += [
            Failure(pk, "", parts.message(error)) for pk, error in refused
        ]
        outcome.unchanged = len(pks) - outcome.updated - len(outcome.failures)
        _remember(account, pass_version=client.PARSER_VERSION, passed=pks[-1])
        return outcome

    return parts.in_transaction(pks, write)


def _state(account: Account) -> Derivation:
    state, _ = Derivation.objects.get_or_create(
        account=account, defaults={"parser_version": client.PARSER_VERSION}
    )
    return state


def _remember(account: Account, **columns: Any) -> None:
    Derivation.objects.filter(account=account).update(**columns)


def _derive(account: Account, outcome: Outcome, pks: list[int]) -> None:
    now = timezone.now()
    appointments.lock(account)
    rows = Booking.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    writes, failures = [], []
    for row in rows:
        try:
            remote = client.parse_booking(row.payload)
        except client.InvalidBooking as error:
            failures.append(Failure(row.pk, row.uid, str(error)))
            continue
        write = changes.apply(
            row, row.payload, remote, now=now, asked_at=row.mirrored_at
        )
        write.is_derived = True
        writes.append(write)
    saving.save(account, writes, source=BookingChange.Source.REDERIVE, now=now)
    outcome.updated += sum(write.is_touched for write in writes)
    outcome.failures += failures
