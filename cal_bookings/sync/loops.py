"""The three loops, with the lists that each walks, its interval, and what its completion proves.

changes  what was updated since the last complete walk; almost everything, every minute
window   what starts from a week ago to two months ahead; changes that do not move `updatedAt`, every hour
full     everything; drift, and bookings that are gone, every night
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from cal_bookings import backoff, conf, sentences
from cal_bookings.client import Filters
from cal_bookings.models import Account, Mode, SyncState
from cal_bookings.sentences import Message
from cal_bookings.sync.checkpoint import Checkpoint
from cal_bookings.sync.walk_texts import SyncText

#: The part of the interval by which many accounts that began together drift apart.
JITTER = 0.1

#: The pause after a failure, or the loop's interval if that is shorter, doubled at each failure in a row; and the
#: longest pause (seconds).
SHORTEST_PAUSE, LONGEST_PAUSE = 60, 3600


class NoSuchLoop(ValueError):
    """This account cannot be walked in this loop; the message names its possible loops."""

    def __init__(self, account: Account, mode: Mode) -> None:
        super().__init__(_no_list(account) or _no_filters(account, mode))


def _no_list(account: Account) -> str:
    """Return why the account has no loop at all; empty if it has a loop."""
    return (
        account.is_anonymous
        and f'The account "{account}" is anonymous, and Cal.com lists bookings only to those with a credential: give it '
        "an API key."
    ) or ""


def _no_filters(account: Account, mode: Mode) -> str:
    possible = ", ".join(f'"{each}"' for each in modes(account))
    return (
        f'The account "{account}" mirrors a team, and its server is not known to filter the list of a team by change: '
        f'instead of "{mode}" walk {possible}.'
    )


def modes(account: Account) -> list[Mode]:
    """Return the loops in which this account can be walked: not every server filters the list of a team by change.

    An account without a credential, to which Cal.com shows no list, has no loops.
    """
    if account.is_anonymous:
        return []
    scope = conf.scope(account.scope)
    has_changes = scope.has_change_filters or account.has_change_filters
    return [mode for mode in Mode if has_changes or mode != Mode.CHANGES]


def first_mode(account: Account, mode: Mode) -> Mode:
    """Return the loop for a request for `mode`: the full loop, until the account was read in full once.

    The other loops would report a part of the bookings as a complete walk. The function makes one query at most.
    """
    if mode not in modes(account) or account.fully_mirrored_at:
        return mode
    follows_changes = SyncState.objects.filter(
        account=account.pk, mode=Mode.CHANGES, watermark__isnull=False
    )
    return mode if follows_changes.exists() else Mode.FULL


def begin(
    account: Account, state: SyncState, *, since: datetime | None = None
) -> Checkpoint:
    """Return the start of a walk of this loop; `since` asks for changes from then on, whatever was seen before."""
    now = timezone.now()
    return Checkpoint(
        started_at=now,
        filters=_filters(account, state, now, since),
        changes_until=_changes_until(state) if state.mode == Mode.FULL else None,
        moves_watermark=since is None or _is_seen_until(state, since),
    )


def _is_seen_until(state: SyncState, since: datetime) -> bool:
    """Return whether a complete walk has seen all changes before that time: without a watermark no walk has."""
    return state.watermark is not None and since <= state.watermark


def _filters(
    account: Account, state: SyncState, now: datetime, since: datetime | None
) -> tuple[Filters, ...]:
    match Mode(state.mode):
        case Mode.FULL:
            return (Filters(),)
        case Mode.WINDOW:
            before, after = conf.get("WINDOW_DAYS")
            begin, end = now - timedelta(days=before), now + timedelta(days=after)
            return (Filters(after_start=begin, before_end=end),)
        case Mode.CHANGES:
            after = since or _overlapped(state.watermark)
            if after is None:
                return (Filters(),)
            updated, created = (
                Filters(after_updated=after),
                Filters(after_created=after),
            )
            return (updated, created) if account.lists_never_updated else (updated,)


def _overlapped(watermark: datetime | None) -> datetime | None:
    overlap = timedelta(seconds=conf.get("OVERLAP_SECONDS"))
    return watermark - overlap if watermark else None


def _changes_until(full: SyncState) -> datetime | None:
    """Return the time before which the changes loop has seen all changes: later changes are in flight, and no drift."""
    changes = SyncState.objects.filter(account=full.account_id, mode=Mode.CHANGES)
    return _overlapped(changes.values_list("watermark", flat=True).first())


def completed(mode: Mode, checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the columns of the state after the last page."""
    failed = checkpoint.failed
    message = SyncText.SOME_FAILED(count=failed) if failed else ""
    columns: dict[str, Any] = {
        "checkpoint": {},
        "last_completed_at": timezone.now(),
        "failures": 0,
        "due_at": next_due(mode),
        **sentences.columns("last_error", message),
    }
    has_seen_all = checkpoint.moves_watermark and checkpoint.is_whole
    if mode == Mode.CHANGES and checkpoint.began_at and has_seen_all:
        columns["watermark"] = checkpoint.began_at
    return columns


def failed(mode: Mode, failures: int, error: Message | str) -> dict[str, Any]:
    """Return the columns of the state after a failure; `failures` counts the failures in a row, with this failure."""
    return {
        "failures": failures,
        "due_at": next_due(mode, failures=failures),
        **sentences.columns("last_error", error),
    }


def open_loops(account: Account, checkpoint: Checkpoint) -> None:
    """Record a complete full walk, which ended at `checkpoint`. Call this in the walk's last transaction.

    The first full walk makes the account's other loops, due at once: before it, they would read the same bookings
    beside it. Each full walk has seen all changes before its beginning, so that the changes loop need not look at them.
    A walk that could not read its list to the end proves less, and only gives a new changes loop its beginning.
    """
    Account.objects.filter(pk=account.pk, fully_mirrored_at=None).update(
        fully_mirrored_at=timezone.now()
    )
    others = [mode for mode in modes(account) if mode != Mode.FULL]
    SyncState.objects.bulk_create(
        (SyncState(account=account, mode=mode) for mode in others),
        ignore_conflicts=True,
    )
    began_at = checkpoint.began_at
    if began_at and Mode.CHANGES in others:
        earlier = Q(watermark=None)
        if checkpoint.is_whole:
            earlier |= Q(watermark__lt=began_at)
        changes = SyncState.objects.filter(account=account, mode=Mode.CHANGES)
        changes.filter(earlier).update(watermark=began_at)


def next_due(mode: Mode, *, failures: int = 0) -> datetime:
    """Return when this loop is to run again, after `failures` in a row."""
    return timezone.now() + timedelta(seconds=pause(mode, failures=failures))


def later() -> datetime:
    """Return the next time of a loop that may fail in the same way, and cost much until then."""
    return timezone.now() + timedelta(seconds=LONGEST_PAUSE)


def pause(mode: Mode, *, failures: int = 0) -> float:
    """Return the seconds until this loop is to run again, a little different each time."""
    interval, spread = conf.interval(mode), (1 - JITTER, 1 + JITTER)
    if not failures:
        return backoff.seconds(0, first=interval, spread=spread)
    first = min(interval, SHORTEST_PAUSE)
    return backoff.seconds(failures, first=first, longest=LONGEST_PAUSE, spread=spread)
