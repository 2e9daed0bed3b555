"""The details of one booking beyond the booking itself, which are requested on demand and not kept.

Links to recordings and transcripts are valid for an hour, and open to everybody who has them. So no `repr` shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from cal_bookings.client.booking_list import unexpected
from cal_bookings.client.errors import CalNotFound
from cal_bookings.client.timestamps import is_within_reach
from cal_bookings.client.transport import (
    Answer,
    Http,
)

T = TypeVar("T")

#: The types by which references can be filtered.
REFERENCE_TYPES = (
    *("google_calendar", "office365_calendar", "daily_video"),
    *("google_video", "office365_video", "zoom_video"),
)
#: Cal.com's words for a booking that has no room of its own video service [rec 313, 315]; their status is 404.
_NO_VIDEO = "no cal video"


@dataclass(frozen=True, slots=True)
class CalendarLink:
    """A link that adds the booking to a calendar. It holds the booking's title and place."""

    label: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BookingReference:
    """The reference to a booking in another system: an event of a calendar, or a room of a video service."""

    id: int
    type: str
    event_uid: str = field(repr=False)
    calendar_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of Cal.com's own video service. The start is aware, in UTC."""

    id: str
    status: str
    started_at: datetime | None
    #: The duration in seconds.
    duration: int | None
    max_participants: int | None
    #: The link, valid for an hour; empty while the recording is not finished.
    download_link: str = field(default="", repr=False)
    #: The reason why there is no link, in Cal.com's words; empty if Cal.com gives none.
    error: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript of Cal.com's own video service, of which only a link is shown. The link is valid for an hour."""

    download_link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Participant:
    """A person who was in a meeting. The time is aware, in UTC; the duration in seconds."""

    name: str
    joined_at: datetime | None
    duration: int | None


@dataclass(frozen=True, slots=True)
class ConferencingSession:
    """One meeting in the booking's room of Cal.com's own video service. The start is aware, in UTC."""

    id: str
    started_at: datetime | None
    #: The duration in seconds.
    duration: int | None
    is_ongoing: bool
    max_participants: int | None
    participants: tuple[Participant, ...]


class BookingDetails:
    """The details of one booking; each method raises `CalError`s, CalNotFound for a booking that does not exist.

    Recordings, transcripts and sessions are those of Cal.com's own video service: a booking that takes place elsewhere
    has none, and Cal.com's 404 for it is an empty list here [rec 313, 315].
    """

    def __init__(self, http: Http, version: str, attendees_version: str) -> None:
        self._http = http
        self._version = version
        self._attendees_version = attendees_version

    def calendar_links(self, uid: str) -> list[CalendarLink]:
        """Return the links that add the booking to a calendar [rec 310].

        Raises CalRefused if the event type of the booking was deleted (CAL_API_NEWS.md 3.1).
        """
        return self._listed(uid, "calendar-links", _calendar_link)

    def references(self, uid: str, *, type: str = "") -> list[BookingReference]:  # noqa: A002 - Cal.com's name
        """Return the booking's references to other systems, with `type` (of `REFERENCE_TYPES`) only those of that type.

        Raises CalRefused with status 400 unless the credential is the organizer's [rec 317].
        """
        query = {"type": type} if type else {}
        return self._listed(uid, "references", _reference, query)

    def recordings(self, uid: str) -> list[Recording]:
        """Return the recordings, each with its link; none for a booking without Cal.com's video."""
        return self._of_video(uid, "recordings", _recording)

    def transcripts(self, uid: str) -> list[Transcript]:
        """Return the links of the transcripts; none for a booking without Cal.com's video."""
        return self._of_video(uid, "transcripts", _transcript)

    def conferencing_sessions(self, uid: str) -> list[ConferencingSession]:
        """Return the meetings that took place in the booking's room; none for a booking without Cal.com's video.

        Raises CalRateLimited with `is_upstream` if the video service, and not Cal.com, limits the requests.
        """
        return self._of_video(uid, "conferencing-sessions", _session)

    def attendee(self, uid: str, attendee_id: int) -> dict[str, Any]:
        """Return one attendee as Cal.com shows it, with its number as `id`."""
        answer = self._http.request(
            "GET",
            "/bookings/{uid}/attendees/{attendee_id}",
            version=self._attendees_version,
            parts={"uid": uid, "attendee_id": attendee_id},
        )
        return _object(answer, "an attendee as data")

    def booking_of_seat(self, seat_uid: str) -> dict[str, Any]:
        """Return the seated booking that a seat belongs to, as `get_booking` would."""
        answer = self._http.request(
            "GET",
            "/bookings/by-seat/{uid}",
            version=self._version,
            parts={"uid": seat_uid},
        )
        booking = _object(answer, "a booking with its uid")
        if not isinstance(booking.get("uid"), str):
            raise unexpected(answer, "a booking with its uid")
        return booking

    def _of_video(self, uid: str, name: str, read: Callable[[Any], T]) -> list[T]:
        try:
            return self._listed(uid, name, read)
        except CalNotFound as error:
            if _NO_VIDEO in error.message.lower():
                return []
            raise

    def _listed(
        self,
        uid: str,
        name: str,
        read: Callable[[Any], T],
        query: Mapping[str, str] | None = None,
    ) -> list[T]:
        answer = self._http.request(
            "GET",
            f"/bookings/{{uid}}/{name}",
            version=self._version,
            parts={"uid": uid},
            params=query,
        )
        data = answer.body.get("data") if isinstance(answer.body, dict) else None
        if not isinstance(data, list):
            raise unexpected(answer, f"a list of {name} as data")
        try:
            return [read(one) for one in data]
        except (KeyError, TypeError):
            raise unexpected(answer, f"a list of {name} as data") from None


def _object(answer: Answer, expected: str) -> dict[str, Any]:
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    if not isinstance(data, dict):
        raise unexpected(answer, expected)
    return data


def _calendar_link(shown: Any) -> CalendarLink:
    return CalendarLink(_required(shown, "label"), _required(shown, "link"))


def _reference(shown: Any) -> BookingReference:
    number = _number(shown["id"])
    if number is None:
        raise TypeError
    return BookingReference(
        number,
        _required(shown, "type"),
        _text(shown.get("eventUid")),
        _text(shown.get("destinationCalendarId")),
    )


def _recording(shown: Any) -> Recording:
    return Recording(
        id=_required(shown, "id"),
        status=_text(shown.get("status")),
        started_at=_moment(shown.get("startTs")),
        duration=_number(shown.get("duration")),
        max_participants=_number(shown.get("maxParticipants")),
        download_link=_text(shown.get("downloadLink")),
        error=_text(shown.get("error")),
    )


def _transcript(shown: Any) -> Transcript:
    if not isinstance(shown, str):
        raise TypeError
    return Transcript(shown)


def _session(shown: Any) -> ConferencingSession:
    return ConferencingSession(
        id=_required(shown, "id"),
        started_at=_moment(shown.get("startTime")),
        duration=_number(shown.get("duration")),
        is_ongoing=shown.get("ongoing") is True,
        max_participants=_number(shown.get("maxParticipants")),
        participants=tuple(map(_participant, shown.get("participants") or ())),
    )


def _participant(shown: Any) -> Participant:
    return Participant(
        name=_text(shown.get("userName")) if isinstance(shown, dict) else "",
        joined_at=_moment(shown["joinTime"]),
        duration=_number(shown["duration"]),
    )


def _required(shown: Any, name: str) -> str:
    """Return a text that must be there; raises KeyError or TypeError."""
    value = shown[name]
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    """Return a number; the numbers of these answers may have a fraction."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number else None


def _moment(value: Any) -> datetime | None:
    """Return a time that is given as seconds since the epoch."""
    seconds = _number(value)
    try:
        moment = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment and is_within_reach(moment) else None
