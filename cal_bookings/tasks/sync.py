"""The tasks of the pull: one task hands out due loops, the other walks a stretch of one loop."""

import logging

from celery import shared_task
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from cal_bookings import budget, conf, sync
from cal_bookings.models import Account, Mode, SyncRun
from cal_bookings.sync import schedule
from cal_bookings.tasks.options import OPTIONS, routing
from cal_bookings.webhooks import health

logger = logging.getLogger(__name__)

#: The seconds that a task waits for its turn in the budget before it leaves the worker to others.
MAX_WAIT = 5.0


@shared_task(name="cal_bookings.sync_accounts", **OPTIONS)
def sync_accounts() -> None:
    """Enqueue `sync_account` for each loop that is due, whatever their number."""
    schedule.make_states()
    now = timezone.now()
    while due := schedule.take_due(by=now):
        for account_id, mode, ticket in due:
            _enqueue(account_id, mode, ticket)


@shared_task(name="cal_bookings.sync_account", **OPTIONS)
def sync_account(account_id: int, mode: str, ticket: int | None = None) -> None:
    """Walk CAL_BOOKINGS["PAGES_PER_TASK"] pages of one loop, and enqueue the task again for the rest.

    An account with a million bookings thereby leaves room to the others after each stretch. Where the budget is used
    up, the account paused or another worker has the loop, the schedule comes back to it.

    An unforeseen exception is logged by its place and recorded in the loop's state, which is due again after a pause
    that grows.

    With the `ticket` of the schedule the task does nothing if the loop was walked since then: of many messages for a
    loop, one message counts. Without a ticket the task walks, due or not.
    """
    if ticket is not None and not schedule.is_current(account_id, Mode(mode), ticket):
        return
    account = Account.objects.active().filter(pk=account_id).first()
    if account is None:
        return
    while (run := _walk(account, Mode(mode))) and run.outcome == SyncRun.Outcome.PAUSED:
        if not _goes_on_here(account_id, Mode(mode)):
            return


def _walk(account: Account, mode: Mode) -> SyncRun | None:
    """Walk a stretch and return its record; return None if there is no loop to walk, or if its state says why not."""
    pages = conf.get("PAGES_PER_TASK")
    try:
        run = sync.walk(account, mode, max_pages=pages, max_wait=MAX_WAIT)
    except (sync.LeaseTaken, sync.LeaseLost) as error:
        logger.info("%s", error)
    except budget.CircuitOpen as error:
        logger.info("%s", error)
        schedule.put_back(account.pk, mode)
    except sync.NoSuchLoop as error:
        logger.info("%s", error)
        schedule.forget(account.pk, mode)
    except ImproperlyConfigured as error:
        schedule.put_off(account.pk, mode, str(error))
    except Exception as error:  # noqa: BLE001 - Celery would log its words, which may hold personal data
        schedule.record_unexpected(account.pk, mode, error)
    else:
        _log(run)
        if run.outcome == SyncRun.Outcome.COMPLETE and mode == Mode.CHANGES:
            health.rest(account)
        return run
    return None


def _log(run: SyncRun) -> None:
    """Log the outcomes that need a person. The walk leaves that to its caller, so that each is reported once."""
    for failure in run.failures:
        message = "%s: %s could not be mirrored: %s"
        logger.warning(message, run.account, failure["place"], failure["error"])
    if run.outcome == SyncRun.Outcome.FAILED:
        logger.error("%s: the %s walk failed. %s", run.account, run.mode, run.error)


def _goes_on_here(account_id: int, mode: Mode) -> bool:
    """Enqueue the rest of a walk, unless it waits for the budget, or another process was first to hand it out.

    Return True where tasks run eagerly: then this task walks the rest, because a task within a task would nest too
    deep.
    """
    ticket = schedule.take(account_id, mode)
    if ticket is None:
        return False
    if sync_account.app.conf.task_always_eager:
        return True
    _enqueue(account_id, mode, ticket)
    return False


def _enqueue(account_id: int, mode: Mode, ticket: int) -> None:
    sync_account.apply_async((account_id, str(mode), ticket), **routing())
