"""The children of bookings: event types and hosts, which bookings share, and attendees, which belong to one booking."""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import connections, models, router

from cal_bookings.client import RemoteAttendee, RemoteHost
from cal_bookings.mirror import (
    bulk,
    columns,
)
from cal_bookings.mirror.changes import Write
from cal_bookings.mirror.matching import match_attendees
from cal_bookings.models import Account, Attendee, Booking, EventType, Host


def write_updates(rows: list[Any], names: Iterable[str]) -> None:
    """Update `rows` (saved, locked by the caller) in one statement: an upsert by primary key.

    `bulk_update` builds a CASE of every row for every column, many times slower for pages of wide rows.
    """
    if not rows:
        return
    model: type[models.Model] = type(rows[0])
    features = connections[router.db_for_write(model)].features
    target = ["pk"] if features.supports_update_conflicts_with_target else None
    model._default_manager.bulk_create(
        rows, update_conflicts=True, update_fields=list(names), unique_fields=target
    )


def insert_shared(rows: list[Any]) -> None:
    """Insert new rows that another page may insert at the same moment, and set their primary keys.

    A row that is already there stays as it is: the upsert sets the number by which the row was found, which changes
    nothing, and makes the database return its key. The rows go in one order, so that two pages wait for each other
    instead of deadlocking.
    """
    if not rows:
        return
    model: type[models.Model] = type(rows[0])
    features = connections[router.db_for_write(model)].features
    target = (
        ["account", "remote_id"]
        if features.supports_update_conflicts_with_target
        else None
    )
    model._default_manager.bulk_create(
        sorted(rows, key=attrgetter("remote_id")),
        update_conflicts=True,
        update_fields=["remote_id"],
        unique_fields=target,
    )


def event_types(account: Account, writes: list[Write]) -> dict[int, int]:
    """Return the primary keys of the event types that `writes` name, by remote id; insert the new event types."""
    named = {
        write.remote.event_type.remote_id: (write.remote.event_type, write.asked_at)
        for write in writes
        if write.remote.event_type
    }
    if not named:
        return {}
    rows = EventType.objects.filter(account=account, remote_id__in=named)
    known = dict(rows.values_list("remote_id", "pk"))
    made = [
        EventType(
            account=account,
            remote_id=remote_id,
            slug=event_type.slug[:255],
            mirrored_at=asked_at,
        )
        for remote_id, (event_type, asked_at) in named.items()
        if remote_id not in known
    ]
    insert_shared(made)
    return known | {row.remote_id: row.pk for row in made}


def hosts(account: Account, writes: list[Write]) -> dict[int, Host]:
    """Return the hosts that `writes` name, by remote id; insert the new hosts and correct the changed hosts."""
    named = _latest_hosts(writes)
    if not named:
        return {}
    rows = Host.objects.filter(account=account, remote_id__in=named)
    known = {row.remote_id: row for row in rows}
    made = [
        Host(
            account=account,
            remote_id=remote_id,
            mirrored_at=asked_at,
            **_host_values(host),
        )
        for remote_id, (host, asked_at) in named.items()
        if remote_id not in known
    ]
    insert_shared(made)
    changed = [row for row in known.values() if _correct(row, *named[row.remote_id])]
    changed.sort(key=attrgetter("pk"))
    write_updates(changed, [*_HOST_COLUMNS, "mirrored_at"])
    return known | {row.remote_id: row for row in made}


def _latest_hosts(writes: list[Write]) -> dict[int, tuple[RemoteHost, datetime]]:
    """Return each host by remote id as the latest request shows it, with the time of that request."""
    return {
        host.remote_id: (host, write.asked_at)
        for write in sorted(writes, key=attrgetter("asked_at"))
        for host in write.remote.hosts
        if host.remote_id is not None
    }


_HOST_COLUMNS = {"name": 500, "email": 320, "username": 255, "time_zone": 100}


def _host_values(remote: RemoteHost) -> dict[str, str]:
    return {
        name: getattr(remote, name)[:length] for name, length in _HOST_COLUMNS.items()
    }


def _correct(row: Host, remote: RemoteHost, asked_at: datetime) -> bool:
    new = _host_values(remote)
    if asked_at < row.mirrored_at or not columns.diff(row, new):
        return False
    columns.assign(row, new | {"mirrored_at": asked_at})
    return True


#: The number of links that one statement deletes.
_LINKS_AT_ONCE = 400


def linked_hosts(booking_ids: list[int]) -> set[tuple[int, int]]:
    """Return the (booking, host) links of these bookings."""
    if not booking_ids:
        return set()
    through = Booking.hosts.through._default_manager
    return set(
        through.filter(booking_id__in=booking_ids).values_list("booking_id", "host_id")
    )


def link_hosts(pairs: set[tuple[int, int]], former: set[tuple[int, int]]) -> None:
    """Turn the `former` (booking, host) links of the same bookings into `pairs`."""
    through = Booking.hosts.through
    gone = sorted(former - pairs)
    # SQLite takes at most a thousand alternatives in one expression.
    for begin in range(0, len(gone), _LINKS_AT_ONCE):
        match = models.Q()
        for booking_id, host_id in gone[begin : begin + _LINKS_AT_ONCE]:
            match |= models.Q(booking_id=booking_id, host_id=host_id)
        through._default_manager.filter(match).delete()
    bulk.insert(through, ("booking_id", "host_id"), sorted(pairs - former))


class AttendeeWrites:
    """The attendees to make, change and delete, collected for a whole page and then written in three statements."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, ...]] = []
        self._changed: list[Attendee] = []
        self._gone: list[int] = []

    def replace(
        self,
        booking: Booking,
        former: list[Attendee],
        remotes: Iterable[RemoteAttendee],
    ) -> bool:
        """Give `booking` the attendees `remotes`; return whether they differ from `former`.

        The rows are written by `save`.
        """
        before = self._count()
        matched = match_attendees(former, remotes)
        for remote in remotes:
            new = columns.values(remote)
            row = matched.get(remote.position)
            if row is None:
                self._made.append((booking.pk, *new.values()))
            elif columns.diff(row, new):
                columns.assign(row, new)
                self._changed.append(row)
        kept = {row.pk for row in matched.values()}
        self._gone += [row.pk for row in former if row.pk not in kept]
        return before != self._count()

    def _count(self) -> int:
        return len(self._made) + len(self._changed) + len(self._gone)

    def save(self) -> None:
        if self._gone:
            Attendee.objects.filter(pk__in=self._gone).delete()
        write_updates(self._changed, columns.ATTENDEE)
        names = ("booking_id", *columns.ATTENDEE)
        bulk.insert(Attendee, names, self._made)
