"""The matching of attendees in a payload with their rows."""

from collections.abc import Iterable
from typing import Any

from cal_bookings.client import RemoteAttendee
from cal_bookings.models import Attendee


def match_attendees(
    rows: Iterable[Attendee], remotes: Iterable[RemoteAttendee]
) -> dict[int, Attendee]:
    """Return the row of each remote attendee, by position: matched by seat uid, else e-mail, else position.

    Sites hang foreign keys on attendees, so an attendee who stays keeps the row.
    """
    unmatched, matched = list(rows), {}
    remotes = list(remotes)
    for key in ("seat_uid", "email", "position"):
        for remote in remotes:
            wanted = getattr(remote, key)
            if remote.position in matched or wanted == "":
                continue
            row = next((row for row in unmatched if _is(row, key, wanted)), None)
            if row and _may_be(row, remote, key):
                matched[remote.position] = row
                unmatched.remove(row)
    return matched


def _is(row: Attendee, key: str, wanted: Any) -> bool:
    value = getattr(row, key)
    if key == "email":  # Cal.com may write the same address in another case later
        return bool(value.casefold() == wanted.casefold())
    return bool(value == wanted)


def _may_be(row: Attendee, remote: RemoteAttendee, key: str) -> bool:
    """Return whether both may be one person. Two known and different seats, or e-mails, are two persons."""
    if key == "seat_uid":
        return True
    if row.seat_uid and remote.seat_uid:
        return False
    return key == "email" or not (row.email and remote.email)
