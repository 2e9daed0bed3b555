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


#: Rows that are read at once. They are read to a list, because what happens between two of them takes requests: a
#: cursor that stays open keeps a snapshot that SQLite then refuses to write on, and MySQL's drivers hold all its rows.
_SLICE = 1000
_PAGES = 100


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
        first_seen_at__lt=checkpoint.started_at,
        missing_since=None,
    ).order_by("pk")
    last = checkpoint.checked or 0
    while found := list(rows.filter(pk__gt=last).values_list("pk", "uid")[:_SLICE]):
        for pk, uid in found:
            place = bisect_left(seen, pk)
            if place == len(seen) or seen[place] != pk:
                yield pk, uid
        last, _ = found[-1]


def seen(state: SyncState) -> "array[int]":
    """The primary keys of what all pages of the walk showed, sorted; eight bytes a booking."""
    found = array("q")
    pages = WalkPage.objects.filter(state=state).order_by("number")
    last = -1
    while some := list(
        pages.filter(number__gt=last).values_list("number", "booking_ids")[:_PAGES]
    ):
        for _, booking_ids in some:
            found.extend(booking_ids)
        last, _ = some[-1]
    return array("q", sorted(found))


def check(account: Account, uid: str, connection: CalClient) -> mirror.Outcome:
    """One request: it is mirrored if it lives, marked as missing if not."""
    return mirror.refresh(
        account, uid, connection=connection, source=BookingChange.Source.WALK
    )
