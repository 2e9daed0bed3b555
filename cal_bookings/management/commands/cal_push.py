"""The command ``manage.py cal_push``, which delivers due actions now, in this process, without Celery."""

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.db import Error

from cal_bookings import outbox, slots
from cal_bookings.management import exit_codes
from cal_bookings.models import Account, Booking, BookingAction

ALL_DONE, SOME_FAILED, SOME_OPEN = range(3)

#: The number of actions in one query; a pass goes on until no action is due.
BATCH = 100


class Command(exit_codes.CalCommand):
    help = (
        "Delivers the actions in the outbox that are due. Exit code 0: all of them are done; 1: some failed; 2: some are "
        "still open, because Cal.com could not be reached or did not answer, and will be tried again; "
        f"{exit_codes.SHARED}"
    )
    when_interrupted = (
        "The next cal_push looks at what was under way before it sends anything again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--account", metavar="ALIAS", help="only this account (default: all)"
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object per action and nothing else",
        )

    def handle(self, *, account: str | None, **options: Any) -> None:
        as_json, quiet = options["json"], options["verbosity"] == 0
        statuses: Counter[str] = Counter()
        self.codes = {ALL_DONE}
        chosen = _account(account) if account else None
        for action in self._deliver_all(chosen):
            statuses[action.status] += 1
            if as_json:
                self.stdout.write(json.dumps(summary(action)))
            elif not quiet:
                self._tell(action)
        slots.sweep(chosen)
        if not as_json and not quiet:
            counts = ", ".join(f"{count} {name}" for name, count in statuses.items())
            self.stdout.write(counts or "Nothing is due.")
        if statuses[BookingAction.Status.FAILED]:
            self.codes.add(SOME_FAILED)
        if any(statuses[status] for status in BookingAction.OPEN):
            self.codes.add(SOME_OPEN)
        if code := max(self.codes):
            raise SystemExit(code)

    def _deliver_all(self, account: Account | None) -> Iterator[BookingAction]:
        """Deliver each due action once, and each action that comes due meanwhile, such as the next action of a lane."""
        tried: set[int] = set()
        while batch := [
            pk
            for pk in outbox.due(BATCH + len(tried), account=account)
            if pk not in tried
        ]:
            for action_id in batch:
                tried.add(action_id)
                if action := self._deliver(action_id):
                    yield action

    def _deliver(self, action_id: int) -> BookingAction | None:
        """Take a turn at one action. An exception in it ends no other action's turn; the exit code reports it."""
        try:
            return outbox.deliver(action_id)
        except Exception as error:
            if isinstance(error, Error) and exit_codes.database_problem():
                raise
            self.codes.add(exit_codes.code_of(error))
            self.stderr.write(f"Action {action_id}: {exit_codes.explain(error)}")
            return None

    def _tell(self, action: BookingAction) -> None:
        """Print a line for each action as it ends: the progress of a pass."""
        booking = f", booking {action.booking_id}" if action.booking_id else ""
        line = f"{action}{booking}: {action.get_status_display()}"
        if action.error_code:
            line += f" ({action.error_code}); its page in the admin says more"
        elif action.note:
            line += "; its page in the admin has a note"
        self.stdout.write(line)
        self.stdout.flush()


def summary(action: BookingAction) -> dict[str, Any]:
    """Return the ``--json`` form of one action: neither people nor uids, since logs and mails of cron keep it.

    `booking` and `result` are primary keys; `result` is the booking that the action led to, if it is mirrored.
    """
    return {
        "id": action.pk,
        "account": action.account.alias,
        "booking": action.booking_id,
        "kind": action.kind,
        "status": action.status,
        "attempts": action.attempts,
        "result": _result(action),
        "error_code": action.error_code,
        "has_note": bool(action.note),
    }


def _result(action: BookingAction) -> int | None:
    if not action.result_uid:
        return None
    rows = Booking.objects.filter(account=action.account_id, uid=action.result_uid)
    return rows.values_list("pk", flat=True).first()


def _account(alias: str) -> Account:
    account = Account.objects.filter(alias=alias).first()
    if account is None:
        known = ", ".join(Account.objects.values_list("alias", flat=True))
        raise CommandError(
            f'There is no account "{alias}". Known: {known or "none"}.',
            returncode=exit_codes.CONFIGURATION,
        )
    return account
