"""The bookings of one upsert on their way into the database. Opens no transaction; `upsert` does."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.utils import timezone

from cal_bookings import client
from cal_bookings.client import RemoteBooking
from cal_bookings.mirror import (
    announcements,
    appointments,
    children,
    columns,
    new_rows,
    payloads,
)
from cal_bookings.mirror.outcome import Failure, Outcome
from cal_bookings.models import Account, Attendee, Booking, BookingChange

#: Cal.com reads from replicas: an answer may be older than the one before it, and shows it by an older `updatedAt`.
#: After this time it is not a replica that lags but a remote that went back (a restored backup): the mirror follows.
SETTLED = timedelta(minutes=10)

#: What the column holds. Cal.com's have 22 characters; a longer one cannot be cut, for it is the identity.
UID_LENGTH = 255


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A payload that has a uid, not parsed yet: most are unchanged and never need to be."""

    place: int
    uid: str
    payload: dict[str, Any]
    text: str  #: The payload's canonical text.
    payload_hash: str

    @property
    def is_linked(self) -> bool:
        """Whether it names a booking that it replaced, or that replaced it."""
        get = self.payload.get
        return bool(get("rescheduledFromUid") or get("rescheduledToUid"))


@dataclass(slots=True)
class Write:
    """A booking that differs from the mirror: its row, new or locked, and what is written to it."""

    row: Booking
    remote: RemoteBooking
    former: (
        dict[str, Any] | None
    )  #: The payload that is replaced; None if the booking is new.
    changes: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        return self.former is None

    @property
    def fields(self) -> tuple[str, ...]:
        """What is new, in one word each: a whole booking, typed fields, or something that only the payload holds."""
        return ("booking",) if self.is_new else tuple(self.changes) or ("payload",)

    def brings(self, key: str) -> bool:
        """Whether `key` of the payload has to be looked at: it is new, or not what it was."""
        return self.former is None or self.former.get(key) != self.row.payload.get(key)

    @property
    def links(self) -> bool:
        """Whether the row may now belong to another appointment."""
        return (
            self.is_new
            or "rescheduled_from_uid" in self.changes
            or "rescheduled_to_uid" in self.changes
        )


class Page:
    """One batch of payloads that answered one request; `write` fills `outcome`."""

    def __init__(
        self,
        account: Account,
        outcome: Outcome,
        *,
        asked_at: datetime,
        api_version: str,
        source: BookingChange.Source,
    ) -> None:
        self.account = account
        self.outcome = outcome
        self.asked_at = asked_at
        self.api_version = api_version
        self.source = source
        self.now = timezone.now()

    def write(self, placed: list[tuple[int, Any]]) -> None:
        """1. Pass over what did not change. 2. Lock, parse and compare the rest. 3. Write it, children with it."""
        differing = self._differing(self._identify(placed))
        if any(pk is None or item.is_linked for item, pk in differing.items()):
            appointments.lock(self.account)
        writes = self._compare(differing) if differing else []
        if not writes:
            return
        self._name_event_types(writes)
        reschedules = appointments.join(
            self.account, [write.row for write in writes if write.links]
        )
        self._save_bookings(writes)
        self._save_attendees([write for write in writes if write.brings("attendees")])
        self._save_hosts([write for write in writes if write.brings("hosts")])
        self._save_history(writes)
        self.outcome.written += [
            (write.row.remote_updated_at, write.fields) for write in writes
        ]
        announcements.send_on_commit(self.account, self.source, writes, reschedules)

    def _identify(self, placed: list[tuple[int, Any]]) -> dict[str, Found]:
        found = {}
        for place, payload in placed:
            uid = ""
            try:
                uid = _uid(payload)
                kept = payloads.mirrored(payload)
                text = payloads.canonical(kept)
            except client.InvalidBooking as error:
                self._fail(place, error)
                continue
            except payloads.TooDeep as error:
                self._fail(place, client.InvalidBooking(str(error), uid=uid))
                continue
            found[uid] = Found(place, uid, kept, text, payloads.fingerprint(text))
        return found

    def _fail(self, place: int, error: client.InvalidBooking) -> None:
        self.outcome.failures.append(Failure(place, error.uid, str(error)))

    def _differing(self, found: dict[str, Found]) -> dict[Found, int | None]:
        """What is not as the mirror has it, with the key of its row if there is one."""
        # Whose they are is seen here: asked in SQL, a PostgreSQL that has not analyzed a growing table reads all
        # bookings of the account.
        rows = Booking.objects.filter(uid__in=found).values_list(
            "account_id", "uid", "pk", "payload_hash", "missing_since"
        )
        known = {
            uid: (pk, payload_hash if missing_since is None else "")
            for account_id, uid, pk, payload_hash, missing_since in rows
            if account_id == self.account.pk
        }
        self.outcome.booking_ids += [pk for pk, _ in known.values()]
        differing = {}
        for item in found.values():
            pk, payload_hash = known.get(item.uid, (None, ""))
            if payload_hash != item.payload_hash:
                differing[item] = pk
        self.outcome.unchanged += len(found) - len(differing)
        return differing

    def _compare(self, differing: dict[Found, int | None]) -> list[Write]:
        rows = self._lock([pk for pk in differing.values() if pk is not None])
        writes = []
        for item in differing:
            try:
                payload = payloads.storable(item.payload, item.text)
                remote = client.parse_booking(payload)
            except client.InvalidBooking as error:
                self._fail(item.place, error)
                continue
            except payloads.TooDeep as error:
                self._fail(item.place, client.InvalidBooking(str(error), uid=item.uid))
                continue
            write = self._compare_one(rows.get(item.uid), item, payload, remote)
            if write:
                writes.append(write)
        return writes

    def _lock(self, pks: list[int]) -> dict[str, Booking]:
        if not pks:
            return {}
        # In the order of the keys, so that two pages that share bookings wait for each
        # other instead of deadlocking.
        rows = Booking.objects.select_for_update().filter(pk__in=pks).order_by("pk")
        return {row.uid: row for row in rows}

    def _compare_one(
        self,
        row: Booking | None,
        item: Found,
        payload: dict[str, Any],
        remote: RemoteBooking,
    ) -> Write | None:
        new = columns.values(remote)
        mirrored = {
            "payload": payload,
            "payload_hash": item.payload_hash,
            "api_version": self.api_version,
            "mirrored_at": self.asked_at,
            "missing_since": None,
        }
        if row is None:
            self.outcome.created += 1
            row = Booking(
                account=self.account,
                uid=item.uid,
                first_seen_at=self.now,
                **new,
                **mirrored,
            )
            return Write(row, remote, former=None)
        if self._is_older(row, remote):
            self.outcome.stale += 1
            return None
        self.outcome.updated += 1
        write = Write(row, remote, former=row.payload, changes=columns.diff(row, new))
        if row.missing_since:
            write.changes["missing_since"] = [row.missing_since, None]
        columns.assign(row, new | mirrored)
        return write

    def _is_older(self, row: Booking, remote: RemoteBooking) -> bool:
        """Whether the row holds later knowledge than `remote`, which was asked for at `asked_at`."""
        known, told = row.remote_updated_at, remote.remote_updated_at
        if (
            known
            and told
            and known != told
            and self.asked_at - row.mirrored_at < SETTLED
        ):
            return told < known
        return self.asked_at < row.mirrored_at

    def _name_event_types(self, writes: list[Write]) -> None:
        nameless = [
            write
            for write in writes
            if write.brings("eventType") or write.brings("eventTypeId")
        ]
        event_types = children.event_types(
            self.account, [write.remote for write in nameless], self.asked_at
        )
        for write in nameless:
            named = write.remote.event_type
            write.row.event_type_id = event_types[named.remote_id] if named else None

    def _save_bookings(self, writes: list[Write]) -> None:
        new = [write.row for write in writes if write.is_new]
        # In one order, so that two pages that bring the same new bookings wait for each other instead of deadlocking.
        new.sort(key=attrgetter("uid"))
        new_rows.insert_objects(new)
        self.outcome.booking_ids += [row.pk for row in new]
        children.write_updates(
            [write.row for write in writes if not write.is_new], columns.BOOKING_UPDATED
        )

    def _save_attendees(self, writes: list[Write]) -> None:
        former: dict[int, list[Attendee]] = {
            write.row.pk: [] for write in writes if not write.is_new
        }
        if former:
            for attendee in Attendee.objects.filter(booking__in=former):
                former[attendee.booking_id].append(attendee)
        page = children.AttendeeWrites()
        for write in writes:
            rows = former.get(write.row.pk, [])
            before = columns.attendee_facts(rows)
            page.replace(write.row, rows, write.remote.attendees)
            after = columns.attendee_facts(write.remote.attendees)
            if not write.is_new and before != after:
                write.changes["attendees"] = [before, after]
        page.save()

    def _save_hosts(self, writes: list[Write]) -> None:
        hosts = children.hosts(
            self.account, [write.remote for write in writes], self.asked_at
        )
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
        for write in writes:
            if write.former is not None:
                before = client.parse_booking(write.former).hosts
                write.changes["hosts"] = [
                    columns.host_facts(before),
                    columns.host_facts(write.remote.hosts),
                ]

    def _save_history(self, writes: list[Write]) -> None:
        BookingChange.objects.bulk_create(
            BookingChange(
                booking=write.row,
                source=self.source,
                changes=write.changes,
                changed_at=self.now,
            )
            for write in writes
            if write.changes
        )


def _uid(payload: Any) -> str:
    uid = payload.get("uid") if isinstance(payload, dict) else None
    if not isinstance(uid, str) or not uid:
        return client.parse_booking(
            payload
        ).uid  # raises InvalidBooking, which tells what is wrong with it
    if len(uid) > UID_LENGTH:
        raise client.InvalidBooking(
            f"uid: expected at most {UID_LENGTH} characters, got {len(uid)}",
            uid=uid[:UID_LENGTH],
        )
    return uid
