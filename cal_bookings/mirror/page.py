"""The bookings of one upsert on their way into the database. Opens no transaction; `upsert` does."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from cal_bookings import client
from cal_bookings.client import RemoteBooking
from cal_bookings.mirror import (
    appointments,
    changes,
    children,
    columns,
    incoming,
    payloads,
    saving,
)
from cal_bookings.mirror.changes import Write
from cal_bookings.mirror.incoming import Identified
from cal_bookings.mirror.outcome import Failure, Outcome
from cal_bookings.models import Account, Booking, BookingChange


class Page:
    """A batch of payloads from one answer; `write` fills `outcome`."""

    def __init__(
        self,
        account: Account,
        outcome: Outcome,
        *,
        asked_at: datetime,
        api_version: str,
        source: BookingChange.Source,
        trigger: str = "",
        may_lag: bool = True,
    ) -> None:
        self.account = account
        self.outcome = outcome
        self.asked_at = asked_at
        self.api_version = api_version
        self.source = source
        self.trigger = trigger
        # The answer to an action shows what the action has just made of the booking.
        self.may_lag = may_lag and source != BookingChange.Source.ACTION
        self.now = timezone.now()

    def write(self, placed: list[tuple[int, Any]]) -> None:
        """Pass over unchanged bookings; lock, parse and compare the others; write them with their children."""
        differing = self._differing(self._identify(placed))
        if any(pk is None or item.is_linked for item, pk in differing.items()):
            appointments.lock(self.account)
        writes = self._compare(differing) if differing else []
        if not writes:
            return
        saving.save(
            self.account,
            writes,
            source=self.source,
            now=self.now,
            trigger=self.trigger,
        )
        self.outcome.booking_ids += [write.row.pk for write in writes if write.is_new]
        self.outcome.written += [
            (write.row.remote_updated_at, write.fields) for write in writes
        ]

    def _identify(self, placed: list[tuple[int, Any]]) -> dict[str, Identified]:
        identified = {}
        for place, payload in placed:
            try:
                item = incoming.identify(place, payload)
            except client.InvalidBooking as error:
                self._fail(place, error)
            else:
                identified[item.uid] = item
        return identified

    def _fail(self, place: int, error: client.InvalidBooking) -> None:
        self.outcome.failures.append(Failure(place, error.uid, str(error)))

    def _differing(
        self, identified: dict[str, Identified]
    ) -> dict[Identified, int | None]:
        """Return the payloads that differ from the mirror, each with the key of its row if it has a row."""
        # The account is compared here and not in SQL, where a PostgreSQL that has not analyzed a growing table would
        # read all bookings of the account.
        rows = Booking.objects.filter(uid__in=identified).values_list(
            "account_id", "uid", "pk", "payload_hash", "missing_since"
        )
        known = {
            uid: (pk, payload_hash if missing_since is None else "")
            for account_id, uid, pk, payload_hash, missing_since in rows
            if account_id == self.account.pk
        }
        self.outcome.booking_ids += [pk for pk, _ in known.values()]
        differing = {}
        for item in identified.values():
            pk, payload_hash = known.get(item.uid, (None, ""))
            if payload_hash != item.payload_hash:
                differing[item] = pk
        self.outcome.unchanged += len(identified) - len(differing)
        return differing

    def _compare(self, differing: dict[Identified, int | None]) -> list[Write]:
        rows = self._lock([pk for pk in differing.values() if pk is not None])
        writes, rehashed = [], []
        for item in differing:
            try:
                payload, remote = item.read()
            except client.InvalidBooking as error:
                self._fail(item.place, error)
                continue
            row = rows.get(item.uid)
            if row is None:
                writes.append(self._new(item, payload, remote))
            elif row.missing_since is None and payloads.are_same(row.payload, payload):
                # The hash is that of a version which took another order of the same values for a change.
                row.payload_hash = item.payload_hash
                rehashed.append(row)
            elif write := self._changed(row, item, payload, remote):
                writes.append(write)
        self.outcome.unchanged += len(rehashed)
        children.write_updates(rehashed, ["payload_hash"])
        return writes

    def _lock(self, pks: list[int]) -> dict[str, Booking]:
        if not pks:
            return {}
        # The rows are locked in the order of the keys, so that two pages that share bookings wait for each other
        # instead of deadlocking.
        rows = Booking.objects.select_for_update().filter(pk__in=pks).order_by("pk")
        return {row.uid: row for row in rows}

    def _new(
        self, item: Identified, payload: dict[str, Any], remote: RemoteBooking
    ) -> Write:
        self.outcome.created += 1
        row = Booking(
            account=self.account,
            uid=item.uid,
            first_seen_at=self.now,
            **columns.values(remote),
            **self._mirrored(item, payload),
        )
        return Write(row, remote, asked_at=self.asked_at)

    def _changed(
        self,
        row: Booking,
        item: Identified,
        payload: dict[str, Any],
        remote: RemoteBooking,
    ) -> Write | None:
        if changes.is_older(row, remote, asked_at=self.asked_at, may_lag=self.may_lag):
            self.outcome.stale += 1
            return None
        self.outcome.updated += 1
        write = changes.apply(
            row, payload, remote, now=self.now, asked_at=self.asked_at
        )
        if row.missing_since:
            write.changes["missing_since"] = [row.missing_since, None]
        columns.assign(row, self._mirrored(item, payload))
        return write

    def _mirrored(self, item: Identified, payload: dict[str, Any]) -> dict[str, Any]:
        return {
            "payload": payload,
            "payload_hash": item.payload_hash,
            "api_version": self.api_version,
            "mirrored_at": self.asked_at,
            "missing_since": None,
        }
