"""Drift: mirror and remote differ although nothing is in flight."""

from collections import Counter
from datetime import datetime

from cal_bookings.mirror import Outcome


def count(outcome: Outcome, until: datetime | None) -> Counter[str]:
    """Count the bookings that differed in each field although the changes loop had seen all changes before `until`.

    The count is empty without `until`: then nothing was known, and all differences are news.
    """
    differences: Counter[str] = Counter()
    if until is None:
        return differences
    for updated_at, fields in outcome.written:
        if updated_at is None or updated_at < until:
            differences.update(fields)
    return differences
