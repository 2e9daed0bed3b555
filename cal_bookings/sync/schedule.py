"""The schedule of the loops that are due: the table is the queue, and a lost message costs one interval."""

import logging
from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from cal_bookings import db
from cal_bookings.models import Account, Mode, SyncState
from cal_bookings.models.leases import is_free, lease_end
from cal_bookings.sentences import Message
from cal_bookings.sync import failures, loops

logger = logging.getLogger(__name__)

#: The number of loops that one query hands out. A loop that is handed out is no longer due: repeat the query until no
#: loop is due.
AT_ONCE = 1000


def make_states() -> int:
    """Give each new account its full loop, due at once; return the number of loops made.

    The first full walk makes the other loops when it is complete (`loops.open_loops`). Opens no transaction, except for
    an account whose server or scope has changed in the settings.
    """
    states = SyncState.objects.filter(account=OuterRef("pk"), mode=Mode.FULL)
    new = Account.objects.configured().filter(~Exists(states))
    made = [
        SyncState(account=account, mode=Mode.FULL)
        for account in new
        if not account.is_anonymous
    ]
    SyncState.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def take_due(
    limit: int = AT_ONCE, *, by: datetime | None = None
) -> list[tuple[int, Mode, int]]:
    """Hand out the loops that are due now, or were due at `by`: at most `limit`, the longest waiting first.

    Each item is the primary key of an account, a mode, and a ticket for `is_current`. The function makes one query by
    index and one UPDATE, whatever the number of accounts. A loop that is handed out is due again when a lease would
    have run out: if no worker takes it up, because the message was lost or the worker died, it is handed out again. The
    loops of a paused account wait for the end of the pause.
    """
    now = timezone.now()
    awake = Q(account__circuit_open_until=None) | Q(
        account__circuit_open_until__lte=now
    )
    is_due = Q(due_at__lte=by or now)
    asked = {"account__is_active": True, "account__paused_at": None}
    due = SyncState.objects.filter(is_due, is_free(), awake, **asked)
    columns = ("pk", "account_id", "mode", "lease_token")
    rows = list(due.order_by("due_at").values_list(*columns)[:limit])
    # Only loops that are still due are postponed: another process may have handed a loop out meanwhile, and a worker
    # may have walked it.
    handed_out = SyncState.objects.filter(is_due, pk__in=[pk for pk, *_ in rows])
    handed_out.update(due_at=lease_end())
    return [(account_id, Mode(mode), ticket) for _, account_id, mode, ticket in rows]


def take(account_id: int, mode: Mode) -> int | None:
    """Hand out this loop if it is due and no worker has it: return its ticket, else None. The UPDATE decides."""
    now = timezone.now()
    due = SyncState.objects.filter(
        is_free(), account=account_id, mode=mode, due_at__lte=now
    )
    ticket = due.values_list("lease_token", flat=True).first()
    if ticket is None:
        return None
    handed_out = due.filter(lease_token=ticket).update(due_at=lease_end())
    return ticket if handed_out else None


def is_current(account_id: int, mode: Mode, ticket: int) -> bool:
    """Return whether the loop that was handed out with this ticket has not been walked since.

    The ticket is the number of the last lease. The next lease, as long as it is not given back, may be that of a worker
    who died with this very message, which the broker then delivers to another worker.
    """
    unwalked = Q(lease_token=ticket)
    unended = Q(lease_token=ticket + 1, lease_until__isnull=False)
    states = SyncState.objects.filter(account=account_id, mode=mode)
    return states.filter(unwalked | unended).exists()


def put_back(account_id: int, mode: Mode) -> None:
    """Make a loop due again that was handed out while its account was paused, with one UPDATE."""
    states = SyncState.objects.filter(account=account_id, mode=mode)
    states.update(due_at=timezone.now())


def put_off(account_id: int, mode: Mode, error: Message | str) -> None:
    """Record why a loop that was handed out could not begin, and make it due after a pause that grows."""
    for state in SyncState.objects.filter(account=account_id, mode=mode):
        columns = loops.failed(mode, state.failures + 1, error)
        logger.error("%s: %s", state, columns["last_error"])
        SyncState.objects.filter(pk=state.pk).update(**columns)


def record_unexpected(account_id: int, mode: Mode, error: Exception) -> None:
    """Put off a loop that `error` kept from beginning. An error during a walk was recorded by the walk."""
    if not failures.is_recorded(error):
        failures.log_stack(error)
        db.reconnect()
        put_off(account_id, mode, failures.unexpected(error))


def forget(account_id: int, mode: Mode) -> None:
    """Delete the state of a loop that the account no longer has."""
    SyncState.objects.filter(account=account_id, mode=mode).delete()
