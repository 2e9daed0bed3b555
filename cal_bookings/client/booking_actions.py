"""The actions on a booking. Each makes one request, which is never repeated here.

An error whose `may_have_applied` is set may have had its effect: read the booking before anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cal_bookings.client.dialects import (
    Server,
    describe,
)
from cal_bookings.client.errors import CalUnexpected
from cal_bookings.client.guard import Guard
from cal_bookings.client.timestamps import write_instant
from cal_bookings.client.transport import (
    Answer,
    Http,
)

#: The `cal-api-version` of the actions. A version that the server does not know is not refused: an older handler with
#: other rules takes the request [rec 236]. So the version depends on the kind of server that was found.
ACTION_VERSION = {Server.HOSTED: "2026-02-25", Server.SELF_HOSTED: "2024-08-13"}
#: The version of the later endpoints, on every kind of server.
PEOPLE_VERSION = "2024-08-13"


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """The 2xx answer to an action. The status proves nothing: the bookings that the answer shows have to be read."""

    #: The bookings that the answer shows; none for actions whose answer shows something else.
    bookings: list[dict[str, Any]]
    api_version: str
    status: int
    request_id: str
    #: The time before the request, by our clock.
    asked_at: datetime


class BookingActions:
    """The actions on bookings. Texts are sent as given, empty ones are left out; each method raises `CalError`s.

    `guard` is called right before each write, and may stop it by raising.
    """

    def __init__(self, http: Http, server: Server, guard: Guard | None = None) -> None:
        self._http = http
        self._guard = guard
        self._version = ACTION_VERSION[server]

    def create(self, fields: Mapping[str, Any]) -> ActionAnswer:
        """Create a booking. The answer for a series shows all its occurrences."""
        return self._act("POST", "/bookings", {}, fields, shows=True)

    def reschedule(
        self,
        uid: str,
        *,
        start: datetime,
        reason: str = "",
        rescheduled_by: str = "",
        seat_uid: str = "",
        email_verification_code: str = "",
        options: Mapping[str, bool] | None = None,
    ) -> ActionAnswer:
        """Move a booking. The answer shows the new booking, or the same one if all seats move.

        `options` are for hosted Cal.com.
        """
        fields = {
            "start": write_instant(start),
            "reschedulingReason": reason,
            "rescheduledBy": rescheduled_by,
            "seatUid": seat_uid,
            "emailVerificationCode": email_verification_code,
        }
        body = _given(fields) | dict(options or {})
        return self._on_booking(uid, "reschedule", body, shows=True)

    def request_reschedule(self, uid: str, *, reason: str = "") -> ActionAnswer:
        """Request another time, on hosted Cal.com only. The answer shows no booking."""
        # The parameter is spelt so here, and nowhere else.
        return self._on_booking(
            uid, "request-reschedule", _given({"rescheduleReason": reason})
        )

    def cancel(
        self,
        uid: str,
        *,
        reason: str = "",
        subsequent: bool = False,
        seat_uid: str = "",
    ) -> ActionAnswer:
        """Cancel a booking. With `subsequent`, the answer shows all occurrences of the series."""
        body = _given({"cancellationReason": reason, "seatUid": seat_uid})
        if subsequent:
            body["cancelSubsequentBookings"] = True
        return self._on_booking(uid, "cancel", body, shows=True)

    def confirm(self, uid: str) -> ActionAnswer:
        return self._on_booking(uid, "confirm", None, shows=True)

    def decline(self, uid: str, *, reason: str = "") -> ActionAnswer:
        return self._on_booking(uid, "decline", _given({"reason": reason}), shows=True)

    def mark_absent(
        self,
        uid: str,
        *,
        host: bool | None = None,
        attendees: Mapping[str, bool] | None = None,
    ) -> ActionAnswer:
        """Mark those who are absent, or take the mark back. None, and people who are not named, change nothing."""
        body: dict[str, Any] = {} if host is None else {"host": host}
        if attendees:
            body["attendees"] = [
                {"email": email, "absent": absent}
                for email, absent in attendees.items()
            ]
        return self._on_booking(uid, "mark-absent", body, shows=True)

    def reassign(
        self, uid: str, *, user_id: int | None = None, reason: str = ""
    ) -> ActionAnswer:
        """Reassign the booking to a user, or to the host whom Cal.com chooses. The answer shows no booking."""
        if user_id is None:
            return self._on_booking(uid, "reassign", None)
        return self._act(
            "POST",
            "/bookings/{uid}/reassign/{user_id}",
            {"uid": uid, "user_id": user_id},
            _given({"reason": reason}),
        )

    def update_location(self, uid: str, location: Mapping[str, str]) -> ActionAnswer:
        return self._act(
            "PATCH",
            "/bookings/{uid}/location",
            {"uid": uid},
            {"location": dict(location)},
            shows=True,
            version=PEOPLE_VERSION,
        )

    def add_attendee(self, uid: str, attendee: Mapping[str, str]) -> ActionAnswer:
        """Add an attendee. The answer shows no booking."""
        return self._on_booking(
            uid, "attendees", _given(attendee), version=PEOPLE_VERSION
        )

    def remove_attendee(self, uid: str, attendee_id: int) -> ActionAnswer:
        """Remove an attendee. Only `attendees` shows an `attendee_id`. The answer shows no booking."""
        return self._act(
            "DELETE",
            "/bookings/{uid}/attendees/{attendee_id}",
            {"uid": uid, "attendee_id": attendee_id},
            None,
            version=PEOPLE_VERSION,
        )

    def add_guests(self, uid: str, guests: Sequence[Mapping[str, str]]) -> ActionAnswer:
        return self._on_booking(
            uid,
            "guests",
            {"guests": [_given(guest) for guest in guests]},
            shows=True,
            version=PEOPLE_VERSION,
        )

    def _on_booking(
        self,
        uid: str,
        verb: str,
        body: Mapping[str, Any] | None,
        *,
        shows: bool = False,
        version: str = "",
    ) -> ActionAnswer:
        path = f"/bookings/{{uid}}/{verb}"
        return self._act("POST", path, {"uid": uid}, body, shows=shows, version=version)

    def _act(
        self,
        method: str,
        path: str,
        parts: Mapping[str, object],
        body: Mapping[str, Any] | None,
        *,
        shows: bool = False,
        version: str = "",
    ) -> ActionAnswer:
        version = version or self._version
        asked_at = datetime.now(UTC)
        answer = self._http.request(
            method,
            path,
            version=version,
            parts=parts,
            json=None if body is None else dict(body),
            guard=self._guard,
        )
        return ActionAnswer(
            bookings=_bookings(answer) if shows else [],
            api_version=version,
            status=answer.status,
            request_id=answer.request_id,
            asked_at=asked_at,
        )


def _bookings(answer: Answer) -> list[dict[str, Any]]:
    data = _data(answer)
    rows = data if isinstance(data, list) else [data]
    if not rows or not all(
        isinstance(row, dict) and isinstance(row.get("uid"), str) for row in rows
    ):
        raise _unexpected(answer, "a booking or a list of bookings, each with its uid")
    return rows


def _data(answer: Answer) -> Any:
    return answer.body.get("data") if isinstance(answer.body, dict) else None


def _unexpected(answer: Answer, expected: str) -> CalUnexpected:
    call = answer.call
    return call.error(
        CalUnexpected,
        f"expected {expected} from {call.url}, got {describe(answer.body)}",
        status=answer.status,
        request_id=answer.request_id,
        may_have_applied=call.writes,
    )


def _given(fields: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
