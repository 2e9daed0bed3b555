"""The meetings in the rooms of Cal.com's own video service, and the references of bookings to other systems."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_BUCKET = "https://recordings.example.com"


@dataclass
class Room:
    """The room of one booking: its recordings, transcripts and sessions."""

    name: str
    recordings: list[dict[str, Any]] = field(default_factory=list)
    transcripts: list[str] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)


class Meetings:
    """The rooms of bookings, and their references, by the uid of the booking."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.references: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def open_room(self, uid: str) -> Room:
        """Return the room of a booking, or a new one: from then on the booking takes place on Cal.com's video."""
        if uid not in self.rooms:
            self.rooms[uid] = Room(f"room-{len(self.rooms) + 1}")
            self.refer(uid, "daily_video", self.rooms[uid].name)
        return self.rooms[uid]

    def refer(
        self, uid: str, kind: str, event: str, calendar: str | None = None
    ) -> None:
        """Note that a booking is an event in another system."""
        number = sum(map(len, self.references.values())) + 1
        self.references[uid].append(
            {
                "type": kind,
                "eventUid": event,
                "destinationCalendarId": calendar,
                "id": number,
            }
        )

    def meet(
        self, uid: str, start: datetime, names: list[str], *, seconds: int = 1800
    ) -> None:
        """Record a meeting of people in the room of a booking, with a transcript."""
        room = self.open_room(uid)
        number, began = len(room.sessions) + 1, int(start.timestamp())
        people = [
            {"userId": None, "userName": n, "joinTime": began, "duration": seconds}
            for n in names
        ]
        length = {"duration": seconds, "maxParticipants": len(names)}
        room.sessions.append(
            {
                "id": f"session-{number}",
                "room": room.name,
                "startTime": began,
                "ongoing": False,
                "participants": people,
            }
            | length
        )
        room.recordings.append(
            {
                "id": f"recording-{number}",
                "roomName": room.name,
                "startTs": began,
                "status": "finished",
                "shareToken": f"share-{number}",
                "downloadLink": f"{_BUCKET}/{room.name}/{number}?X-Amz-Signature=5ec2e7",
            }
            | length
        )
        room.transcripts.append(
            f"{_BUCKET}/{room.name}/{number}.vtt?X-Amz-Signature=5ec2e7"
        )
