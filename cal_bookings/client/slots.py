"""The free slots, and the reservations that keep a slot from being offered to others for some minutes.

None of these requests needs a credential. A booking neither needs nor consumes a reservation: another person may book
a reserved slot all the same [rec 448, 449].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cal_bookings.client.booking_list import unexpected
from cal_bookings.client.guard import Guard
from cal_bookings.client.identification import EventTypeIdentification
from cal_bookings.client.timestamps import (
    read_instant,
    write_instant,
)
from cal_bookings.client.transport import (
    Answer,
    Http,
)

#: The version. Another version is another resource, whose answer is 404 [rec 019, 020, 037].
SLOTS_VERSION = "2024-09-04"
_RESERVATIONS = "/slots/reservations"
_RESERVATION = "/slots/reservations/{uid}"


@dataclass(frozen=True, slots=True)
class Slot:
    """A free time. Both ends are aware, in UTC."""

    start: datetime
    end: datetime
    #: The number of free seats and of all seats of a seated event type; None for all others [rec 016].
    seats_left: int | None = None
    seats_total: int | None = None
    #: The uid of the seated booking at that time, which is a secret; empty for none.
    booking_uid: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RemoteReservation:
    """A reservation as Cal.com shows it. All times are aware, in UTC."""

    #: The uid. Everybody who knows it may move and release the reservation.
    uid: str = field(repr=False)
    event_type_id: int
    start: datetime
    end: datetime
    #: The time until which the slot is held.
    until: datetime


class Slots:
    """The free slots and reservations of one Cal.com; raises `CalError`s, and ValueError for times without a zone.

    `guard` is called right before each write, and may stop it by raising.
    """

    def __init__(self, http: Http, guard: Guard | None = None) -> None:
        self._http = http
        self._guard = guard

    def free(
        self,
        event_type: EventTypeIdentification,
        *,
        begin: datetime,
        end: datetime,
        time_zone: str = "",
        duration: int | None = None,
        rescheduling: str = "",
    ) -> list[Slot]:
        """Return the free slots between two times, in order.

        `duration` in minutes is for event types of several lengths, and for several people. `time_zone` decides by
        which days Cal.com groups its answer, not the zone of the returned slots. `rescheduling` is the uid of the
        booking that is to move: its own time counts as free. Cal.com caches an answer for two seconds [rec 033].
        """
        query = {name: str(value) for name, value in event_type.fields().items()}
        query |= {
            "start": _written(begin, "begin"),
            "end": _written(end, "end"),
            "format": "range",
        }
        if time_zone:
            query["timeZone"] = time_zone
        if duration is not None:
            query["duration"] = str(duration)
        if rescheduling:
            query["bookingUidToReschedule"] = rescheduling
        answer = self._http.request(
            "GET", "/slots", version=SLOTS_VERSION, params=query
        )
        return sorted(_slots(answer), key=lambda slot: slot.start)

    def reserve(
        self,
        event_type_id: int,
        start: datetime,
        *,
        duration: int | None = None,
        minutes: int | None = None,
    ) -> RemoteReservation:
        """Hold a slot, by default for five minutes. Raises CalRefused with status 422 if it is booked or reserved.

        `duration`, the minutes of the slot, is for event types of several lengths. `minutes`, for how long it is held,
        is only for a credential of the event type's owner or team: others get 401 or 403 [rec 027]. Cal.com does not
        check whether the slot is within the host's hours, nor whether it is past [rec 029, 455].
        """
        body = _body(event_type_id, start, duration, minutes)
        return _reservation(self._ask("POST", _RESERVATIONS, body=body))

    def reservation(self, uid: str) -> RemoteReservation | None:
        """Return a reservation; None if it has run out, was released, or never existed [rec 035, 451]."""
        answer = self._ask("GET", _RESERVATION, uid=uid)
        if isinstance(answer.body, dict) and answer.body.get("data", "") is None:
            return None
        return _reservation(answer)

    def move_reservation(
        self,
        uid: str,
        event_type_id: int,
        start: datetime,
        *,
        duration: int | None = None,
        minutes: int | None = None,
    ) -> RemoteReservation:
        """Hold another slot instead, for five minutes from now or `minutes` [rec 031].

        Raises CalNotFound if the reservation is gone.

        A reservation cannot be renewed so: a slot that overlaps its own is refused with 422 as well.
        """
        body = _body(event_type_id, start, duration, minutes)
        return _reservation(self._ask("PATCH", _RESERVATION, uid=uid, body=body))

    def release(self, uid: str) -> None:
        """Release a reservation. One that does not exist any more is no error: Cal.com's answer is 200 [rec 036]."""
        self._ask("DELETE", _RESERVATION, uid=uid)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        uid: str = "",
        body: dict[str, Any] | None = None,
    ) -> Answer:
        return self._http.request(
            method,
            path,
            version=SLOTS_VERSION,
            parts={"uid": uid} if "{uid}" in path else {},
            json=body,
            guard=None if method == "GET" else self._guard,
        )


def _body(
    event_type_id: int, start: datetime, duration: int | None, minutes: int | None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "eventTypeId": event_type_id,
        "slotStart": _written(start, "start"),
    }
    if duration is not None:
        body["slotDuration"] = duration
    if minutes is not None:
        body["reservationDuration"] = minutes
    return body


def _written(moment: datetime, name: str) -> str:
    if moment.utcoffset() is None:
        raise ValueError(
            f"{name} has no time zone: make it aware, for instance with tzinfo=datetime.UTC"
        )
    return write_instant(moment)


def _slots(answer: Answer) -> Iterator[Slot]:
    days = answer.body.get("data") if isinstance(answer.body, dict) else None
    if not isinstance(days, dict):
        raise unexpected(answer, "an object of days as data")
    for day in days.values():
        for shown in day if isinstance(day, list) else [None]:
            yield _slot(answer, shown if isinstance(shown, dict) else {})


def _slot(answer: Answer, shown: dict[str, Any]) -> Slot:
    # Without a time zone, hosted Cal.com writes the offset of the event type, not UTC (CAL_API_NEWS.md 3.1).
    start, end = read_instant(shown.get("start")), read_instant(shown.get("end"))
    if start is None or end is None:
        raise unexpected(
            answer, "days with a list of slots, each with its start and end"
        )
    uid = shown.get("bookingUid")
    return Slot(
        start,
        end,
        _number(shown.get("seatsRemaining")),
        _number(shown.get("seatsTotal")),
        uid if isinstance(uid, str) else "",
    )


def _reservation(answer: Answer) -> RemoteReservation:
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    shown = data if isinstance(data, dict) else {}
    uid, number = shown.get("reservationUid"), _number(shown.get("eventTypeId"))
    times = [
        read_instant(shown.get(name))
        for name in ("slotStart", "slotEnd", "reservationUntil")
    ]
    start, end, until = times
    if not isinstance(uid, str) or not uid or number is None:
        raise _unreadable(answer)
    if start is None or end is None or until is None:
        raise _unreadable(answer)
    return RemoteReservation(uid, number, start, end, until)


def _unreadable(answer: Answer) -> Exception:
    error = unexpected(answer, "a reservation with its uid and its times")
    error.may_have_applied = answer.call.writes
    return error


def _number(value: Any) -> int | None:
    return value if type(value) is int else None
