"""The lease of a loop: one walk per account and loop, anywhere in the cluster.

The lease is the state's row (`models.leases`).
"""

from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError
from django.utils import timezone

from cal_bookings import db
from cal_bookings.models import Account, Mode, SyncState, leases


class LeaseTaken(Exception):
    """Another worker walks this account's loop, and nothing was done."""

    def __init__(self, state: SyncState) -> None:
        message = f"Another worker has just ended a stretch of the {state.mode} walk of {state.account}: try again."
        if state.lease_until:
            message = (
                f"Another worker ({state.lease_owner}) is on the {state.mode} walk of {state.account}. "
                f"If it died, its lease ends at {state.lease_until:%H:%M:%S} UTC and the walk goes on from its checkpoint."
            )
        super().__init__(message)


class LeaseLost(Exception):
    """The lease ran out and another worker took it, or the account mirrors another source by now.

    The data that this worker wanted to write were not written.
    """

    def __init__(self) -> None:
        super().__init__(
            "The walk took longer than its lease, and another worker went on with it; or the account has another "
            "BASE_URL or SCOPE by now, and is walked from the beginning."
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write the state of one loop, as long as no other worker takes it over.

    `take` makes a lease, which is a context manager and ends with its block. An exception gives the lease back as far
    as the database still works; otherwise, this process knows all the same that the walk has ended.
    """

    state: SyncState

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _held.remove((self.state.pk, self.state.lease_token))
        if kind is None or issubclass(kind, LeaseLost):
            return
        with suppress(DatabaseError, LeaseLost):
            db.reconnect()
            self.release()

    def save(self, **columns: Any) -> None:
        """Write `columns` of the state and renew the lease; raise LeaseLost if another worker has taken it.

        The method opens no transaction: inside a transaction, it is rolled back with the rest.
        """
        self._save(lease_until=leases.lease_end(), **columns)

    def release(self, **columns: Any) -> None:
        """Write like `save`, and give the lease back."""
        self._save(lease_until=None, lease_owner="", **columns)

    def _save(self, **columns: Any) -> None:
        if not self.state.write_leased(**columns):
            raise LeaseLost


#: The states whose leases threads of this process hold, each with the lease's token. A list, because two threads may
#: try to take the same lease.
_held: list[tuple[int, int]] = []


def take(account: Account, mode: Mode) -> tuple[Lease, SyncState]:
    """Take the lease of this loop, and return it with the loop's state, whose checkpoint is the newest.

    Raises LeaseTaken, or LeaseLost if `account` was read before its server or scope changed.
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
    if _is_free(state) and _enter(state):
        return Lease(state), state
    state.refresh_from_db()
    raise LeaseTaken(state)


def _enter(state: SyncState) -> bool:
    """Take the lease. It is known as held before the row says so, so that no thread takes it for abandoned."""
    held = (state.pk, state.lease_token + 1)
    _held.append(held)
    is_taken = False
    try:
        is_taken = state.take_lease(lease_owner=leases.worker())
    finally:
        if not is_taken:
            _held.remove(held)
    return is_taken


def _is_free(state: SyncState) -> bool:
    until = state.lease_until
    return until is None or until <= timezone.now() or _is_abandoned(state)


def _is_abandoned(state: SyncState) -> bool:
    """Return whether the owner of a valid lease has stopped its walk: its thread went on, or its process died."""
    if state.lease_owner == leases.worker():
        return (state.pk, state.lease_token) not in _held
    return leases.is_gone(state.lease_owner)
