"""Staff of the site in `settings`, in a process of their own: they enqueue actions and report how each ended.

``python -m tests.services.staff enqueue COUNT`` mirrors everything and enqueues COUNT actions, from two threads;
``report`` prints every action as JSON.
"""

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import django

THREADS = 2


def main() -> None:
    django.setup()
    match sys.argv[1:]:
        case ["enqueue", count]:
            enqueue(int(count))
        case ["report"]:
            print(json.dumps(list(report())))
        case _:
            raise SystemExit(__doc__)


def enqueue(count: int) -> None:
    from django.db import connection

    from cal_bookings import sync
    from cal_bookings.models import Account, Booking

    run = sync.walk(Account.objects.get())
    assert run.outcome == "complete", run.error
    bookings = Booking.objects.select_related("account").prefetch_related("attendees")
    calls = [call for booking in bookings.order_by("pk") for call in two_calls(booking)]

    def work(share: list[Callable[[], Any]]) -> None:
        for call in share:
            call()
        connection.close()

    # Both actions on one booking come from the same thread: they are enqueued in this order.
    halves = [
        calls[: count // 2 // 2 * 2],
        calls[count // 2 // 2 * 2 : count],
    ]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, halves))  # raises what a thread raised


def two_calls(booking: Any) -> list[Callable[[], Any]]:
    """Return two calls of intents on a booking, whose effects differ from those on all other bookings."""
    from django.utils import timezone

    from cal_bookings import outbox

    text = f"Asked for {booking.uid}"
    attendee = booking.attendees.all()[0].email
    place = {"type": "address", "address": text}
    if booking.start < timezone.now():
        return [
            lambda: outbox.mark_absent(booking, host=True),
            lambda: outbox.mark_absent(booking, attendees=[attendee]),
        ]
    first: list[Callable[[], Any]] = [
        lambda: outbox.update_location(booking, location=place),
        lambda: outbox.add_guests(booking, guests=[f"{booking.uid}@example.net"]),
    ]
    later = booking.start + timedelta(days=100)
    then: list[Callable[[], Any]] = [
        lambda: outbox.cancel(booking, reason=text),
        lambda: outbox.reschedule(booking, start=later, reason=text),
    ]
    if booking.status == "pending":
        then = [
            lambda: outbox.confirm(booking),
            lambda: outbox.decline(booking, reason=text),
        ]
    choice = (booking.remote_id or 0) % 4
    return [first[choice % 2], then[choice // 2]]


def report() -> Iterator[dict[str, Any]]:
    from cal_bookings.models import BookingAction

    for action in BookingAction.objects.select_related("booking").order_by("pk"):
        assert action.booking
        yield {
            "id": action.pk,
            "kind": action.kind,
            "uid": action.booking.uid,
            "parameters": action.parameters,
            "status": action.status,
            "code": action.error_code,
            "message": action.error_message,
            "outcomes": list(action.history.values_list("outcome", flat=True)),
        }


if __name__ == "__main__":
    main()
