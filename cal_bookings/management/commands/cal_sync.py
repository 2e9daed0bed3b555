"""The command ``manage.py cal_sync``, which mirrors accounts now, in this process, without Celery."""

import json
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import Error
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from cal_bookings import budget, conf, sync
from cal_bookings.budget import advice
from cal_bookings.management import exit_codes
from cal_bookings.management.progress import ProgressDisplay
from cal_bookings.models import Account, Mode, SyncRun
from cal_bookings.sync import runs

COMPLETE, SOME_BOOKINGS_FAILED, WALK_FAILED = range(3)

#: The exceptions that keep a walk from beginning, or take it from this process; the message says what to do.
UNABLE = (
    sync.LeaseTaken,
    sync.LeaseLost,
    sync.NoSuchLoop,
    ImproperlyConfigured,
    budget.NotNow,
)

NO_ACCOUNT = (
    'No Cal.com account is configured. Add one to CAL_BOOKINGS["ACCOUNTS"] in your settings, for example '
    '{"default": {"API_KEY": env("CAL_BOOKINGS_API_KEY")}}.'
)
ALL_ANONYMOUS = "Every account is anonymous, and Cal.com lists bookings only to those with a credential: give an account an API key."


class Command(exit_codes.CalCommand):
    help = (
        "Mirrors the bookings of Cal.com accounts. Resumes a walk that was interrupted. Exit code 0: complete; "
        "1: complete, but some bookings could not be mirrored; 2: a walk failed or could not begin; "
        f"{exit_codes.SHARED} Of several accounts the highest code counts."
    )
    when_interrupted = "The next cal_sync resumes after the last page that was stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--account",
            metavar="ALIAS",
            help="only this account (default: all active ones)",
        )
        parser.add_argument(
            "--mode",
            choices=Mode.values,
            default=Mode.FULL,
            help="which loop (default: full, and full for an account that was never read in full)",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="also accounts that are paused, because requests failed or by hand; ends the pause",
        )
        parser.add_argument(
            "--begin-anew",
            action="store_true",
            help="with --account: forget whose bookings it mirrors and where its loops stand, and mirror those of the "
            "user whose key it has now; its bookings stay",
        )
        parser.add_argument(
            "--since",
            metavar="TIME",
            type=moment,
            help="changes: everything updated from then on, whatever was seen before; ISO 8601, "
            "in the site's time zone unless it names one",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="say what would change, and change nothing",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object per account and nothing else",
        )

    def handle(self, *, account: str | None, mode: str, **options: Any) -> None:
        if options["since"] and mode != Mode.CHANGES:
            raise CommandError(
                "--since asks for changes: use it with --mode changes.",
                returncode=WALK_FAILED,
            )
        if options["begin_anew"] and (not account or options["dry_run"]):
            raise CommandError(
                "--begin-anew changes one account: name it with --account, and leave out --dry-run.",
                returncode=WALK_FAILED,
            )
        codes = [
            self._mirror(each, Mode(mode), **options)
            for each in self._accounts(account, dry_run=options["dry_run"])
        ]
        if any(codes):
            raise SystemExit(max(codes))

    def _mirror(self, account: Account, mode: Mode, **options: Any) -> int:
        """Walk one account, report it, and return its exit code. Raises only errors that concern all accounts."""
        began = time.monotonic()
        if not options["since"] and (asked := mode) != (
            mode := sync.first_mode(account, mode)
        ):
            self._say_that_full_comes_first(account, asked, **options)
        try:
            preview = self._run(account, mode, **options)
            code = exit_code(preview.run)
        except Exception as error:
            if isinstance(error, Error) and exit_codes.database_problem():
                raise
            message = f'Account "{account}": {exit_codes.explain(error)}'
            preview, code = _failed(account, mode, message), exit_codes.code_of(error)
        self._report(preview, time.monotonic() - began, **options)
        return code

    def _say_that_full_comes_first(
        self, account: Account, asked: Mode, **options: Any
    ) -> None:
        if options["verbosity"] and not options["json"]:
            self.stdout.write(
                f"{account}: was never read in full, so the full list is walked before {asked}."
            )

    def _run(
        self, account: Account, mode: Mode, *, since: datetime | None, **options: Any
    ) -> sync.Preview:
        progress = ProgressDisplay(self.stdout, account.alias)
        on_page = None if options["json"] or not options["verbosity"] else progress
        force = options["force"]
        try:
            if options["dry_run"]:
                return sync.preview(
                    account, mode, since=since, though_paused=force, on_page=on_page
                )
            if options["begin_anew"]:
                account.begin_anew()
            if force:
                budget.reset(account)
            return sync.Preview(sync.walk(account, mode, since=since, on_page=on_page))
        except UNABLE as error:
            message = advice.explain(account, error, advice.Operation.WALK)
            return _failed(account, mode, message.english)
        finally:
            progress.finish()

    def _accounts(self, alias: str | None, *, dry_run: bool) -> list[Account]:
        objects = Account.objects
        accounts = objects.planned() if dry_run else list(objects.configured())
        chosen = [
            each
            for each in accounts
            if each.alias == alias or (alias is None and not each.is_anonymous)
        ]
        if accounts and alias is None and not chosen:
            raise CommandError(ALL_ANONYMOUS, returncode=exit_codes.CONFIGURATION)
        if not chosen:
            known = ", ".join(conf.aliases())
            message = (
                f'There is no active account "{alias}". The settings define: {known}.'
                if alias and known
                else NO_ACCOUNT
            )
            raise CommandError(message, returncode=exit_codes.CONFIGURATION)
        return chosen

    def _report(self, preview: sync.Preview, seconds: float, **options: Any) -> None:
        run = preview.run
        if options["json"]:
            self.stdout.write(json.dumps(summary(run, seconds)))
        elif run.outcome == SyncRun.Outcome.COMPLETE and options["verbosity"]:
            would = "would be " if options["dry_run"] else ""
            self.stdout.write(
                f"{run.account}: {run.seen:,} bookings on {run.pages:,} pages: {would}{run.created:,} created, "
                f"{run.updated:,} updated, {run.missing:,} missing, {run.unchanged:,} unchanged, "
                f"{run.failed:,} failed, in {seconds:.1f} s"
            )
            if run.before:
                done = runs.whole(run)
                self.stdout.write(
                    f"{run.account}: resumed from page {runs.resumed_from(run)}. The whole walk: {done['seen']:,} "
                    f"bookings on {done['pages']:,} pages, {done['created']:,} created, {done['updated']:,} updated, "
                    f"{done['missing']:,} missing, {done['failed']:,} failed"
                )
            for name, count in preview.fields.most_common():
                self.stdout.write(f"{run.account}: {name} of {count:,}")
        for failure in run.failures:
            # The uid is left out, because it opens the booking on Cal.com: the page of the run shows it to authorized
            # people.
            self.stderr.write(f"{run.account}: {failure['place']}: {failure['error']}")
        if run.outcome != SyncRun.Outcome.COMPLETE:
            self.stderr.write(self.style.ERROR(run.error))


def moment(text: str) -> datetime:
    """Parse a time in ISO 8601, in the site's time zone unless it names one; return it in UTC."""
    try:
        parsed = parse_datetime(text) or parse_datetime(f"{text}T00:00")
    except ValueError:
        parsed = None
    if parsed is None:
        raise ArgumentTypeError(f"{text!r} is no time: write it like 2026-11-20T09:30")
    try:
        aware = parsed if timezone.is_aware(parsed) else timezone.make_aware(parsed)
        return aware.astimezone(UTC)
    except OverflowError:
        raise ArgumentTypeError(
            f"{text!r} is outside the years 1 to 9999 in UTC: choose a time nearer to today"
        ) from None


def _failed(account: Account, mode: Mode, error: str) -> sync.Preview:
    """Return the report of a walk that did not begin, or ended without a record."""
    outcome = SyncRun.Outcome.FAILED
    return sync.Preview(
        SyncRun(account=account, mode=mode, outcome=outcome, error=error)
    )


def summary(run: SyncRun, seconds: float) -> dict[str, Any]:
    """Return the ``--json`` form of one account."""
    return (
        {"account": run.account.alias, "mode": run.mode}
        | {name: getattr(run, name) for name in runs.COUNTS}
        | {
            "complete": run.outcome == SyncRun.Outcome.COMPLETE,
            "seconds": round(seconds, 3),
            "error": run.error,
            "resumed_from_page": runs.resumed_from(run),
            "whole": runs.whole(run),
        }
    )


def exit_code(run: SyncRun) -> int:
    if run.outcome != SyncRun.Outcome.COMPLETE:
        return WALK_FAILED
    return SOME_BOOKINGS_FAILED if run.failed else COMPLETE
