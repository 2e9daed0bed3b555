"""The writing of a batch of bookings with their event types, hosts, attendees and history. Needs a transaction."""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

from cal_bookings import client
from cal_bookings.mirror import (
    appointments,
    bulk,
    children,
    columns,
    history,
    placeholders,
)
from cal_bookings.mirror.changes import Write
from cal_bookings.mirror.children import write_updates
from cal_bookings.models import Account, Attendee, BookingChange


def save(
    account: Account,
    writes: list[Write],
    *,
    source: BookingChange.Source,
    now: datetime,
    trigger: str = "",
) -> None:
    """Write `writes`, whose rows are new or locked, and send signals after commit.

    Of bookings that are derived again only the differing bookings are written, and `Write.is_touched` then marks them.
    The caller holds the lock of appointments if a booking is new or linked.
    """
    _name_event_types(account, writes)
    reschedules = appointments.join(
        account, [write.row for write in writes if write.links]
    )
    _save_bookings(writes)
    _save_attendees([write for write in writes if write.brings("attendees")])
    _save_hosts(account, [write for write in writes if _brings_hosts(write)])
    for write in writes:
        if write.is_derived:
            write.drop_what_was_filled()
    _save_history(writes, source, now)
    history.send_on_commit(account, source, writes, reschedules, trigger)


def _name_event_types(account: Account, writes: list[Write]) -> None:
    nameless = [
        write
        for write in writes
        if write.brings("eventType") or write.brings("eventTypeId")
    ]
    rows = children.event_types(account, nameless)
    for write in nameless:
        named, before = write.remote.event_type, write.row.event_type_id
        if named:
            write.row.event_type_id = rows[named.remote_id]
        elif not write.row.event_type_gone_at:
            write.row.event_type_id = None
        write.is_touched |= write.row.event_type_id != before


def _save_bookings(writes: list[Write]) -> None:
    new = [write.row for write in writes if write.is_new]
    # The rows go in one order, so that two pages that bring the same new bookings wait for each other instead of
    # deadlocking.
    new.sort(key=attrgetter("uid"))
    bulk.insert_objects(new)
    known = [write for write in writes if not write.is_new]
    write_updates(
        [write.row for write in known if write.is_touched or not write.is_derived],
        columns.BOOKING_UPDATED,
    )


def _save_attendees(writes: list[Write]) -> None:
    former = _attendees([write.row.pk for write in writes if not write.is_new])
    page = children.AttendeeWrites()
    for write in writes:
        rows, remotes = former.get(write.row.pk, []), write.remote.attendees
        before = columns.attendee_facts(rows)
        if write.row.event_type_gone_at:
            remotes = placeholders.keep_attendees(rows, remotes)
        write.is_touched |= page.replace(write.row, rows, remotes)
        if not write.is_new:
            write.note("attendees", before, columns.attendee_facts(remotes))
    page.save()


def _attendees(booking_ids: list[int]) -> dict[int, list[Attendee]]:
    """Return the attendees of these bookings, by the booking's primary key."""
    attendees: dict[int, list[Attendee]] = {pk: [] for pk in booking_ids}
    if attendees:
        for attendee in Attendee.objects.filter(booking__in=attendees):
            attendees[attendee.booking_id].append(attendee)
    return attendees


def _brings_hosts(write: Write) -> bool:
    """Return whether to look at the hosts. Without an event type Cal.com may show placeholders without an id."""
    if write.row.event_type_gone_at and not any(
        host.remote_id is not None for host in write.remote.hosts
    ):
        return False
    return write.brings("hosts")


def _save_hosts(account: Account, writes: list[Write]) -> None:
    hosts = children.hosts(account, writes)
    former = children.linked_hosts(
        [write.row.pk for write in writes if not write.is_new]
    )
    pairs = {
        (write.row.pk, hosts[host.remote_id].pk)
        for write in writes
        for host in write.remote.hosts
        if host.remote_id is not None
    }
    children.link_hosts(pairs, former)
    relinked = {booking_id for booking_id, _ in pairs ^ former}
    for write in writes:
        write.is_touched |= write.row.pk in relinked
        if write.former is not None:
            before = client.parse_booking(write.former).hosts
            write.note(
                "hosts",
                columns.host_facts(before),
                columns.host_facts(write.remote.hosts),
            )


def _save_history(
    writes: Iterable[Write], source: BookingChange.Source, now: datetime
) -> None:
    BookingChange.objects.bulk_create(
        BookingChange(
            booking=write.row, source=source, changes=write.changes, changed_at=now
        )
        for write in writes
        if write.changes
    )
