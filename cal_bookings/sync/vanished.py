"""What a full walk should have shown and did not: asked for one by one, and marked as missing if it is gone."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator

from cal_bookings import mirror
from cal_bookings.client import CalClient
from cal_bookings.models import Account, Booking, BookingChange, SyncState, WalkPage
from cal_bookings.sync.checkpoint import Checkpoint


def place(pk: int) -> str:
    """Where a booking was met that was asked for one by one, in the failures of a run; without its uid."""
    return f"booking {pk}, asked for on its own"


def remember(state: SyncState, number: int, booking_ids: list[int]) -> None:
    """What page `number`, counted from 0, showed. Opens no transaction: it is to be that of the page."""
    if number == 0:
        forget(state)
    WalkPage.objects.create(state=state, number=number, booking_ids=booking_ids)


def forget(state: SyncState) -> None:
    WalkPage.objects.filter(state=state).delete()


def unseen(
    account: Account, seen: "array[int]", checkpoint: Checkpoint
) -> Iterator[tuple[int, str]]:
    """Primary keys and uids, in the order of the keys, of what the walk did not show and has not asked for yet.

    `seen` are the primary keys of what it did show, sorted.

    Not those that came into the mirror while the walk went on: its list may have passed their place.
    """
    rows = Booking.objects.filter(
        account=account,
        pk__gt=checkpoint.checked or 0,
        first_seen_at__lt=checkpoint.started_at,
        missing_since=None,
    ).order_by("pk")
    for pk, uid in rows.values_list("pk", "uid").iterator(chunk_size=5000):
        place = bisect_left(seen, pk)
        if place == len(seen) or seen[place] != pk:
            yield pk, uid


def seen(state: SyncState) -> "array[int]":
    """The primary keys of what all pages of the walk showed, sorted; eight bytes a booking."""
    found = array("q")
    for booking_ids in WalkPage.objects.filter(state=state).values_list(
        "booking_ids", flat=True
    ):
        found.extend(booking_ids)
    return array("q", sorted(found))


def check(account: Account, uid: str, connection: CalClient) -> mirror.Outcome:
    """One request: it is mirrored if it lives, marked as missing if not."""
    return mirror.refresh(
        account, uid, connection=connection, source=BookingChange.Source.WALK
    )
