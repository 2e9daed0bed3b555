"""The reading of a single booking."""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from cal_bookings import client, signals
from cal_bookings.mirror import retries
from cal_bookings.mirror.outcome import Outcome
from cal_bookings.mirror.pages import upsert
from cal_bookings.models import Account, Booking, BookingChange


def refresh(
    account: Account,
    uid: str,
    *,
    connection: client.CalClient,
    source: BookingChange.Source = BookingChange.Source.REFRESH,
    trigger: str = "",
) -> Outcome:
    """Mirror the booking `uid` as it is now (all occurrences, if `uid` is that of a series).

    The function makes one request outside any transaction, then opens one transaction. A booking that Cal.com no longer
    knows is marked as missing. Raises the client's `CalError`s.
    """
    asked_at = timezone.now()
    try:
        payloads = connection.get_booking(uid)
    except client.CalNotFound:
        gone = mark_missing(
            account, [uid], asked_at=asked_at, source=source, trigger=trigger
        )
        return Outcome(missing=gone)
    return upsert(
        account,
        payloads,
        asked_at=asked_at,
        api_version=client.BOOKING_VERSION,
        source=source,
        trigger=trigger,
    )


def mark_missing(
    account: Account,
    uids: Iterable[str],
    *,
    asked_at: datetime,
    source: BookingChange.Source = BookingChange.Source.REFRESH,
    trigger: str = "",
) -> int:
    """Set `missing_since` on those of the bookings that lack it, and return their number. Opens a transaction.

    `asked_at` is the time of the request whose answer did not know the bookings: a page that was requested earlier does
    not bring them back, and bookings that were mirrored later stay.
    """

    def mark() -> int:
        rows = list(
            Booking.objects.select_for_update()
            .filter(account=account, uid__in=list(uids), missing_since__isnull=True)
            .filter(mirrored_at__lte=asked_at)
            .order_by("pk")
        )
        now = timezone.now()
        Booking.objects.filter(pk__in=[row.pk for row in rows]).update(
            missing_since=now, mirrored_at=asked_at
        )
        for row in rows:
            row.missing_since, row.mirrored_at = now, asked_at
            signals.send_after_commit(
                signals.booking_missing,
                Booking,
                booking=row,
                source=source,
                trigger=trigger,
            )
        BookingChange.objects.bulk_create(
            BookingChange(
                booking=row,
                source=source,
                changes={"missing_since": [None, now]},
                changed_at=now,
            )
            for row in rows
        )
        return len(rows)

    return retries.in_transaction(mark)
