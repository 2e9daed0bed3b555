"""The mirroring of payloads, a page in one transaction: a dozen statements if all is new, one if nothing changed."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from cal_bookings.mirror import parts
from cal_bookings.mirror.outcome import Failure, Outcome
from cal_bookings.mirror.page import Page
from cal_bookings.models import Account, BookingChange


def upsert(
    account: Account,
    payloads: list[Any],
    *,
    asked_at: datetime,
    api_version: str,
    source: BookingChange.Source,
    trigger: str = "",
    may_lag: bool = True,
    then: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """Mirror `payloads` from a request that was sent at `asked_at` (aware), and return the outcome.

    Opens one transaction and calls `then(outcome)` at its end, so that a checkpoint is saved if and only if its page
    is; an exception of `then` rolls everything back. The transaction is repeated where it loses a race. A payload that
    is no booking, or that the database refuses, is listed in `Outcome.failures`; the others are mirrored. Signals are
    sent after commit, with `source` and the webhook's `trigger`. Raises a DatabaseError if the database cannot work at
    all.

    An answer whose `updatedAt` is earlier than the mirror's may come from a replica that lags, and is then dropped
    (`Outcome.stale`). Without `may_lag`, and for answers to actions, a later request replaces an earlier request,
    whatever the clocks of Cal.com's servers say.
    """

    def write(write_all: parts.WriteAll[tuple[int, Any]]) -> Outcome:
        page = Page(
            account,
            Outcome(seen=len(payloads)),
            asked_at=asked_at,
            api_version=api_version,
            source=source,
            trigger=trigger,
            may_lag=may_lag,
        )
        refused = write_all(partial(_write_part, page))
        page.outcome.failures += [_failure(*placed, error) for placed, error in refused]
        if then:
            then(page.outcome)
        return page.outcome

    return parts.in_transaction(list(enumerate(payloads)), write)


def _write_part(page: Page, placed: list[tuple[int, Any]]) -> None:
    """Write a part of the page. Its outcome counts only if the write succeeds."""
    whole, page.outcome = page.outcome, Outcome()
    try:
        page.write(placed)
        whole.add(page.outcome)
    finally:
        page.outcome = whole


def _failure(place: int, payload: Any, error: Exception) -> Failure:
    uid = payload.get("uid") if isinstance(payload, dict) else ""
    return Failure(place, str(uid), parts.message(error))
