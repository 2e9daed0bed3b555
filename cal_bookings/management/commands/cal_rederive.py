"""The command ``manage.py cal_rederive``, which derives typed columns from mirrored payloads, without a request."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from cal_bookings import mirror
from cal_bookings.management import exit_codes
from cal_bookings.management.progress import ProgressDisplay
from cal_bookings.models import Account

SOME_BOOKINGS_FAILED = 1

#: The number of unreadable payloads that are listed; all are counted.
LISTED = 100


class Command(exit_codes.CalCommand):
    help = (
        "Derives the typed columns of bookings again from the payloads that the mirror has, without a request, and "
        "writes what differs. Goes on where an earlier run was interrupted. Exit code 0: complete; 1: complete, but "
        f"some payloads could not be read; {exit_codes.SHARED}"
    )
    when_interrupted = "Nothing is lost: the next cal_rederive goes on from there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--account",
            metavar="ALIAS",
            help="only this account (default: all, also inactive ones)",
        )
        parser.add_argument(
            "--restart",
            action="store_true",
            help="begin with the first booking, whatever an earlier run has done",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object per account and nothing else",
        )

    def handle(self, *, account: str | None, **options: Any) -> None:
        failed = [self._rederive(each, **options) for each in self._accounts(account)]
        if any(failed):
            raise SystemExit(SOME_BOOKINGS_FAILED)

    def _accounts(self, alias: str | None) -> list[Account]:
        accounts = list(Account.objects.without_credentials())
        chosen = [each for each in accounts if alias in (None, each.alias)]
        if alias and not chosen:
            known = ", ".join(each.alias for each in accounts) or "none"
            raise CommandError(
                f'There is no account "{alias}". The database has: {known}.',
                returncode=exit_codes.CONFIGURATION,
            )
        return chosen

    def _rederive(self, account: Account, *, restart: bool, **options: Any) -> int:
        """Derive the bookings of one account, report it, and return the number of unreadable payloads."""
        began = time.monotonic()
        is_quiet = options["json"] or not options["verbosity"]
        progress = ProgressDisplay(self.stdout, account.alias)
        total = account.bookings.count()

        def show(_: Account, outcome: mirror.Outcome) -> None:
            if not is_quiet:
                progress.show(outcome.seen, total)

        try:
            outcome = mirror.rederive(account, restart=restart, on_batch=show)
        finally:
            progress.finish()
        self._report(account, outcome, time.monotonic() - began, **options)
        return len(outcome.failures)

    def _report(
        self,
        account: Account,
        outcome: mirror.Outcome,
        seconds: float,
        **options: Any,
    ) -> None:
        names = ("seen", "updated", "unchanged")
        counts = {name: getattr(outcome, name) for name in names}
        counts["failed"] = len(outcome.failures)
        if options["json"]:
            report = (
                {"account": account.alias} | counts | {"seconds": round(seconds, 3)}
            )
            self.stdout.write(json.dumps(report))
        elif options["verbosity"]:
            listed = ", ".join(f"{count:,} {name}" for name, count in counts.items())
            self.stdout.write(f"{account}: {listed}, in {seconds:.1f} s")
        for failure in outcome.failures[:LISTED]:
            self.stderr.write(
                f"{account}: booking {failure.place} could not be derived: {failure.error}"
            )
