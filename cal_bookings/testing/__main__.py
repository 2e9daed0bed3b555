"""The command ``python -m cal_bookings.testing``, which serves a fake Cal.com."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from random import Random
from threading import Event

from cal_bookings.testing.rate_limit import RateLimit
from cal_bookings.testing.server import (
    DIALECTS,
    FakeCal,
)


def parser() -> ArgumentParser:
    options = ArgumentParser(
        "python -m cal_bookings.testing",
        description="Serves a fake Cal.com on 127.0.0.1 until Ctrl-C.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    options.add_argument("--bookings", type=int, default=2000, help="how many")
    options.add_argument("--port", type=int, default=8090, help="0: any free one")
    options.add_argument("--seed", type=int, default=0, help="another seed, other data")
    options.add_argument("--dialect", choices=DIALECTS, default="cursor")
    options.add_argument("--api-key", default="cal_test", help="the key it accepts")
    options.add_argument("--rate-limit", type=int, help="requests a minute and key")
    options.add_argument(
        "--private-webhooks",
        action="store_true",
        help="deliver webhooks to http and private addresses too",
    )
    options.add_argument(
        "--changes-every", type=float, metavar="SECONDS", help="changes a booking"
    )
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    stop = Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    limit = RateLimit(given.rate_limit) if given.rate_limit else None
    cal = FakeCal(
        bookings=given.bookings,
        seed=given.seed,
        dialect=given.dialect,
        api_key=given.api_key,
        rate_limit=limit,
        port=given.port,
        private_webhooks=given.private_webhooks,
    )
    with ExitStack() as stack:
        try:
            stack.enter_context(cal)
        except OSError as error:
            message = f"Port {given.port} cannot be used ({error.strerror}): choose another with --port"
            print(message, file=sys.stderr)  # noqa: T201
            return 1
        _serve(cal, given.changes_every, stop)
    return 0


def _serve(cal: FakeCal, changes_every: float | None, stop: Event) -> None:
    rng = Random()  # noqa: S311 - no secret hangs on it
    _say(f"A fake Cal.com with {len(cal.rows):,} bookings. Ctrl-C ends it.")
    _say(f"CAL_BOOKINGS_BASE_URL={cal.url}")
    _say(f"CAL_BOOKINGS_API_KEY={cal.api_key}")
    while not stop.wait(changes_every):
        _say(cal.change_something(rng))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a program's own output


if __name__ == "__main__":
    raise SystemExit(main())
