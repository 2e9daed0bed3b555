"""The bookings that a full walk should have shown and did not: each is read singly, and marked as missing if gone."""

import random
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from cal_bookings import mirror
from cal_bookings.client import CalClient
from cal_bookings.models import Account, Booking, BookingChange, SyncState, WalkPage
from cal_bookings.sync.checkpoint import Checkpoint


def place(pk: int) -> str:
    """Return the name of a booking that was requested by itself, for the failures of a run; without its uid."""
    return f"booking {pk}, asked for on its own"


#: The number of rows that are read at once, into a list, because requests are made between two rows: a cursor that
#: stays open keeps a snapshot that SQLite then refuses to write on, and MySQL's drivers hold all its rows.
_SLICE = 500
_PAGES = 100

#: The range of days after which a booking that exists and is not listed, for example a booking reassigned to somebody
#: else, is requested again: at random, so that bookings that left the list together do not come due together.
UNLISTED_DAYS = 4, 10


def remember(state: SyncState, number: int, booking_ids: list[int]) -> None:
    """Store the bookings that page `number`, counted from 0, showed. Call it in the page's transaction."""
    if number == 0:
        forget(state)
    WalkPage.objects.create(state=state, number=number, booking_ids=booking_ids)


def forget(state: SyncState) -> None:
    WalkPage.objects.filter(state=state).delete()


def unseen(
    account: Account, seen: "array[int]", checkpoint: Checkpoint
) -> Iterator[tuple[int, str]]:
    """Yield the primary keys and uids, in the order of the keys, that the walk did not show and has not requested yet.

    `seen` are the sorted primary keys of the bookings that it did show.

    Bookings that exist on Cal.com although they are not listed are left out until they are due again. So are bookings
    that came into the mirror while the walk went on, because its list may have passed their place.
    """
    due = Q(unlisted_check_at=None) | Q(unlisted_check_at__lte=timezone.now())
    rows = Booking.objects.filter(
        due,
        account=account,
        first_seen_at__lt=checkpoint.started_at,
        missing_since=None,
    ).order_by("pk")
    last = checkpoint.checked or 0
    while part := list(rows.filter(pk__gt=last).values_list("pk", "uid")[:_SLICE]):
        for pk, uid in part:
            if not _is_in(seen, pk):
                yield pk, uid
        last, _ = part[-1]


def seen(state: SyncState) -> "array[int]":
    """Return the sorted primary keys of the bookings that all pages of the walk showed, at eight bytes a booking."""
    shown = array("q")
    pages = WalkPage.objects.filter(state=state).order_by("number")
    last = -1
    while some := list(
        pages.filter(number__gt=last).values_list("number", "booking_ids")[:_PAGES]
    ):
        for _, booking_ids in some:
            shown.extend(booking_ids)
        last, _ = some[-1]
    return array("q", sorted(shown))


def collect(account: Account, state: SyncState, checkpoint: Checkpoint) -> "array[int]":
    """Return the primary keys that no page of the walk showed, and note which unlisted bookings are listed again."""
    shown = seen(state)
    _know_as_listed(account, shown)
    return array("q", (pk for pk, _ in unseen(account, shown, checkpoint)))


def keep(state: SyncState, unseen_ids: "array[int]") -> None:
    """Store the result of `collect`, in place of the pages. Call this in the checkpoint's transaction.

    The result is thereby collected once a walk, however many stretches need it.
    """
    forget(state)
    starts = range(0, len(unseen_ids), _SLICE)
    WalkPage.objects.bulk_create(
        WalkPage(
            state=state,
            number=number,
            booking_ids=unseen_ids[start : start + _SLICE].tolist(),
        )
        for number, start in enumerate(starts)
    )


def remaining(state: SyncState, checkpoint: Checkpoint) -> Iterator[tuple[int, str]]:
    """Yield the primary keys and uids that `keep` stored and the walk has not requested yet, in the order of the keys.

    A part of the stored keys is deleted when the caller comes back after the part's last booking.
    """
    parts = WalkPage.objects.filter(state=state).order_by("number")
    while part := parts.first():
        left = [pk for pk in part.booking_ids if pk > (checkpoint.checked or 0)]
        rows = Booking.objects.filter(pk__in=left, missing_since=None).order_by("pk")
        yield from list(rows.values_list("pk", "uid"))
        part.delete()


def check(account: Account, pk: int, uid: str, connection: CalClient) -> mirror.Outcome:
    """Request one booking, mirror it if it exists, and mark it as missing if not, with one request.

    A booking that exists is not requested again for some days.
    """
    outcome = mirror.refresh(
        account, uid, connection=connection, source=BookingChange.Source.WALK
    )
    if outcome.seen:
        days = random.uniform(*UNLISTED_DAYS)  # noqa: S311 - spreads load
        due_at = timezone.now() + timedelta(days=days)
        Booking.objects.filter(pk=pk).update(unlisted_check_at=due_at)
    return outcome


def _know_as_listed(account: Account, shown: "array[int]") -> None:
    unlisted = Booking.objects.filter(account=account, unlisted_check_at__isnull=False)
    pks, last = unlisted.order_by("pk").values_list("pk", flat=True), 0
    while part := list(pks.filter(pk__gt=last)[:_SLICE]):
        listed = [pk for pk in part if _is_in(shown, pk)]
        if listed:
            Booking.objects.filter(pk__in=listed).update(unlisted_check_at=None)
        last = part[-1]


def _is_in(ordered: "array[int]", pk: int) -> bool:
    place = bisect_left(ordered, pk)
    return place < len(ordered) and ordered[place] == pk
