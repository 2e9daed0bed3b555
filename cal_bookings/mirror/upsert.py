"""Payloads to rows, a page in one transaction: a dozen statements if all is new, one if nothing changed."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import DataError

from cal_bookings import db
from cal_bookings.mirror import races
from cal_bookings.mirror.outcome import Failure, Outcome
from cal_bookings.mirror.page import Page
from cal_bookings.models import Account, BookingChange

#: What a database, or its driver, says of a value that it cannot hold: one booking's fault, not the page's.
UNSTORABLE = (DataError, OverflowError, ValueError)


def upsert(
    account: Account,
    payloads: list[Any],
    *,
    asked_at: datetime,
    api_version: str,
    source: BookingChange.Source,
    then: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """Mirrors `payloads`, the answer to a request that was sent at `asked_at` (aware).

    Opens one transaction and calls `then(outcome)` at its end, so that a checkpoint is saved if and only if its page
    is; what `then` raises rolls all back. A payload that is no booking, or that the database refuses, is told in
    `Outcome.failures` and does not take the others with it. Signals are sent after commit.
    """

    def write(*, one_by_one: bool = False) -> Outcome:
        outcome = Outcome(seen=len(payloads))
        page = Page(
            account,
            outcome,
            asked_at=asked_at,
            api_version=api_version,
            source=source,
        )
        if one_by_one:
            _write_one_by_one(page, payloads)
        else:
            page.write(list(enumerate(payloads)))
        if then:
            then(outcome)
        return outcome

    try:
        return races.in_transaction(write)
    except UNSTORABLE:
        return races.in_transaction(partial(write, one_by_one=True))


def _write_one_by_one(page: Page, payloads: list[Any]) -> None:
    """The slow way round a value that the database refuses: a savepoint for each booking tells which one it is."""
    for place, payload in enumerate(payloads):
        before = page.outcome
        page.outcome = Outcome()
        try:
            with db.atomic():
                page.write([(place, payload)])
            before.add(page.outcome)
        except UNSTORABLE as error:
            uid = payload.get("uid") if isinstance(payload, dict) else ""
            before.failures.append(
                Failure(
                    place, str(uid), f"the database refuses it: {type(error).__name__}"
                )
            )
        page.outcome = before
