"""One walk per account and loop, anywhere in the cluster.

A lease is a row's token and the time it runs out. Taking it makes the token one greater; whoever holds an older token
can no longer write, however late it wakes up.
"""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from cal_bookings import conf, db
from cal_bookings.models import Account, Mode, SyncState


class LeaseTaken(Exception):
    """Another worker walks this account's loop; nothing was done."""

    def __init__(self, state: SyncState) -> None:
        told = f"Another worker has just ended a stretch of the {state.mode} walk of {state.account}: try again."
        if state.lease_until:
            told = (
                f"Another worker ({state.lease_owner}) is on the {state.mode} walk of {state.account}. "
                f"If it died, its lease ends at {state.lease_until:%H:%M:%S} UTC and the walk goes on from its checkpoint."
            )
        super().__init__(told)


class LeaseLost(Exception):
    """The lease ran out and another worker took it, or the account mirrors something else by now.

    What this worker wanted to write was not written.
    """

    def __init__(self) -> None:
        super().__init__(
            "The walk took longer than its lease, and another worker went on with it; or the account has another "
            "BASE_URL or SCOPE by now, and is walked anew."
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write the state of one loop, as long as nobody took it over.

    Of `take`, and to be used as a context manager: it ends with its block. An exception gives the lease back as far as the database can still be
    asked; where it cannot, this process knows all the same that nobody walks any more.
    """

    state_id: int
    token: int

    def enter(self, as_read: QuerySet[SyncState]) -> bool:
        """Take the lease if the row still is `as_read`. Known as held before the row says so, and not as abandoned."""
        _held.append(self)
        taken = 0
        try:
            taken = as_read.update(
                lease_token=self.token, lease_until=_until(), lease_owner=_owner()
            )
        finally:
            if not taken:
                _held.remove(self)
        return bool(taken)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _held.remove(self)
        if kind is None or issubclass(kind, LeaseLost):
            return
        with suppress(DatabaseError, LeaseLost):
            db.reconnect()
            self.release()

    def save(self, **columns: Any) -> None:
        """Writes `columns` of the state and renews the lease; raises LeaseLost if it is no longer ours.

        Opens no transaction: inside one, what goes with it is undone with it.
        """
        self._save(lease_until=_until(), **columns)

    def release(self, **columns: Any) -> None:
        """Like `save`, and gives the lease back."""
        self._save(lease_until=None, lease_owner="", **columns)

    def _save(self, **columns: Any) -> None:
        mine = SyncState.objects.filter(pk=self.state_id, lease_token=self.token)
        if not mine.update(**columns):
            raise LeaseLost


#: The leases that threads of this process hold. A list: two threads may try to take the same one.
_held: list[Lease] = []


def take(account: Account, mode: Mode) -> tuple[Lease, SyncState]:
    """The lease of this loop and its state; raises LeaseTaken, or LeaseLost if `account` was read before it moved.

    One conditional UPDATE decides between two takers.

    It is conditional on the time the lease runs out, too, which every write of a holder changes: so the state is as it
    was read. Else one that was read while another walked, and taken after that one had ended, went on from a place
    whose pages are forgotten.
    """
    states = SyncState.objects.select_related("account")
    state, made = states.get_or_create(account=account, mode=mode)
    if made:
        state = states.get(pk=state.pk)  # with the account as it is by now
    if (state.account.base_url, state.account.scope) != (
        account.base_url,
        account.scope,
    ):
        raise LeaseLost
    held = Lease(state.pk, state.lease_token + 1)
    as_read = SyncState.objects.filter(
        pk=state.pk, lease_token=state.lease_token, lease_until=state.lease_until
    )
    if _is_free(state) and held.enter(as_read):
        return held, state
    state.refresh_from_db()
    raise LeaseTaken(state)


def _is_free(state: SyncState) -> bool:
    until = state.lease_until
    return until is None or until < timezone.now() or _is_abandoned(state)


def _is_abandoned(state: SyncState) -> bool:
    """Whether the owner of a lease that has not run out walks no more: its thread has gone on, or its process died."""
    if state.lease_owner == _owner():
        return Lease(state.pk, state.lease_token) not in _held
    return _is_dead(state.lease_owner)


def _until() -> Any:
    return timezone.now() + timedelta(seconds=conf.get("LEASE_SECONDS"))


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_dead(owner: str) -> bool:
    """Whether `owner` is a process of this host that is gone: then nobody needs to wait for its lease to run out.

    Wrong where two containers share a host name; the token still keeps both from writing.
    """
    host, _, pid = owner.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
