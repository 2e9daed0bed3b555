"""One worker process: walks an account from the first page to the last, again and again.

python -m tests.budget.backfill ALIAS SECONDS
"""

import sys
import time

import django

#: Few bookings a page: the rate limit, not the machine, is to be what limits four processes.
PAGE_SIZE = 10


def backfill(alias: str, seconds: float) -> None:
    from django.conf import settings

    from cal_bookings import sync
    from cal_bookings.models import Account

    settings.CAL_BOOKINGS["PAGE_SIZE"] = PAGE_SIZE
    account = Account.objects.get(alias=alias)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        run = sync.walk(account)
        assert run.outcome == run.Outcome.COMPLETE, run.error


if __name__ == "__main__":
    django.setup()
    backfill(sys.argv[1], float(sys.argv[2]))
