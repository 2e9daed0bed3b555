"""The command ``manage.py cal_prune``, which deletes records that are older than they need to be."""

import json
from argparse import ArgumentParser
from typing import Any

from cal_bookings import conf, retention
from cal_bookings.management import exit_codes


class Command(exit_codes.CalCommand):
    help = (
        'Deletes runs, history and ended actions older than CAL_BOOKINGS["KEEP_DAYS"]. Never deletes a booking, '
        f"except with --missing-bookings. Exit code 0: done; {exit_codes.SHARED}"
    )
    when_interrupted = (
        "What was deleted so far stays deleted; the next cal_prune deletes the rest."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for kind in conf.keep_days():
            parser.add_argument(
                f"--{kind}",
                type=_days,
                metavar="DAYS",
                help=f"keep {kind} for this many days instead",
            )
        parser.add_argument(
            "--missing-bookings",
            type=_days,
            metavar="DAYS",
            help="also delete bookings that have been gone from Cal.com for this many days, with their attendees, "
            "history and actions",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say how many, delete nothing"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object, nothing else"
        )

    def handle(
        self, *, missing_bookings: float | None, dry_run: bool, **options: Any
    ) -> None:
        given = {kind: options[kind] for kind in conf.keep_days()}
        counts = retention.prune(
            keep_days={kind: days for kind, days in given.items() if days is not None},
            missing_bookings_days=missing_bookings,
            dry_run=dry_run,
        )
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": dry_run} | counts))
            return
        if options["verbosity"] == 0:
            return
        verb = "would be deleted" if dry_run else "deleted"
        for kind, count in counts.items():
            self.stdout.write(f"{kind.replace('_', ' ')}: {count:,} {verb}")


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days <= 36500:
        raise ValueError(text)
    return days
