"""``manage.py cal_push``: delivers due actions now, in this process, without Celery."""

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cal_bookings import outbox
from cal_bookings.models import Account, BookingAction

ALL_DONE, SOME_FAILED, SOME_OPEN = range(3)

#: Asked for at once; a pass goes on until nothing is due.
BATCH = 100


class Command(BaseCommand):
    help = (
        "Delivers the actions in the outbox that are due. Exit code 0: all of them are done; 1: some failed; 2: some are "
        "still open, because Cal.com could not be reached or did not answer, and will be tried again."
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
        for action in _deliver_all(_account(account) if account else None):
            statuses[action.status] += 1
            if as_json:
                self.stdout.write(json.dumps(summary(action)))
            elif not quiet:
                self._tell(action)
        if not as_json and not quiet:
            counts = ", ".join(f"{count} {name}" for name, count in statuses.items())
            self.stdout.write(counts or "Nothing is due.")
        if any(statuses[status] for status in BookingAction.OPEN):
            raise SystemExit(SOME_OPEN)
        if statuses[BookingAction.Status.FAILED]:
            raise SystemExit(SOME_FAILED)

    def _tell(self, action: BookingAction) -> None:
        """A line for each action as it ends: the progress of a pass."""
        line = f"{action}: {action.get_status_display()}"
        told = action.error_message or action.note
        self.stdout.write(f"{line}. {told}" if told else line)
        self.stdout.flush()


def summary(action: BookingAction) -> dict[str, Any]:
    """What ``--json`` prints for one action."""
    return {
        "id": action.pk,
        "account": action.account.alias,
        "kind": action.kind,
        "status": action.status,
        "attempts": action.attempts,
        "result_uid": action.result_uid,
        "error_code": action.error_code,
        "error_message": action.error_message,
    }


def _deliver_all(account: Account | None) -> Iterator[BookingAction]:
    """Each due action once; what comes due meanwhile, such as the next one of a lane, as well."""
    tried: set[int] = set()
    while batch := [
        pk for pk in outbox.due(BATCH + len(tried), account=account) if pk not in tried
    ]:
        for action_id in batch:
            tried.add(action_id)
            action = outbox.deliver(action_id)
            if action:
                yield action


def _account(alias: str) -> Account:
    account = Account.objects.filter(alias=alias).first()
    if account is None:
        known = ", ".join(Account.objects.values_list("alias", flat=True))
        raise CommandError(
            f'There is no account "{alias}". Known: {known or "none"}.',
            returncode=SOME_OPEN,
        )
    return account
