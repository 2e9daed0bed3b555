"""The changes to bookings on Cal.com's side, as people click there: the remote half of a test."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cal_bookings.testing.world.catalog import (
    Person,
    User,
    half_hour,
    long_uid,
    somebody,
)
from cal_bookings.testing.world.clock import wire
from cal_bookings.testing.world.events import Events
from cal_bookings.testing.world.state import Row


class Changes(Events):
    """The changes that a host, an attendee or Cal.com itself makes to a booking.

    Cal.com decides which of them move `updatedAt`: seats and the absence of an attendee do not.
    """

    def book(
        self,
        *,
        event_type: str = "normal",
        user: User | None = None,
        start: datetime | None = None,
        attendees: list[Person] | None = None,
        hosts: list[User] | None = None,
        status: str = "",
        **fields: Any,
    ) -> str:
        """Add a booking and return its uid; `fields` are set on it in the form of the API.

        `event_type` is a slug or a kind: normal, confirm, recurring, seated, round-robin.
        """
        return self._book(user, event_type, start, attendees, hosts, status, "", fields)

    def book_series(
        self,
        count: int = 4,
        *,
        user: User | None = None,
        start: datetime | None = None,
        attendees: list[Person] | None = None,
    ) -> list[str]:
        """Add a recurring booking, once a week. Returns the uids of its occurrences."""
        with self.lock:
            series = long_uid(self._random)
            first = start or self._some_start()
            people = attendees or [somebody(self._random)]
            return [
                self._book(
                    user,
                    "recurring",
                    first + timedelta(weeks=number),
                    people,
                    None,
                    "",
                    series,
                    {},
                )
                for number in range(count)
            ]

    def _book(
        self,
        user: User | None,
        event_type: str,
        start: datetime | None,
        attendees: list[Person] | None,
        hosts: list[User] | None,
        status: str,
        series: str,
        fields: dict[str, Any],
    ) -> str:
        with self.lock:
            host = user or self.users[1]
            kind = self.event_type(host, event_type)
            people = [somebody(self._random)] if attendees is None else list(attendees)
            pending = kind.kind == "confirm"
            payload = self.new_payload(
                kind,
                hosts or [host],
                people,
                start or self._some_start(),
                created=self.clock.now(),
                status=status or ("pending" if pending else "accepted"),
                series=series,
            )
            users = {host.id, *(host.id for host in hosts or ())}
            uid = self.insert(payload | fields, users, kind.team_id)
            self.announce_new(uid)
            return uid

    def _some_start(self) -> datetime:
        ahead = timedelta(minutes=self._random.randint(60, 50 * 1440))
        return half_hour(self.clock.now() + ahead)

    def cancel(self, uid: str, reason: str = "", *, by: str = "") -> None:
        with self.cancelling(uid, reason=reason):
            self._cancel(uid, reason, by)

    def _cancel(self, uid: str, reason: str, by: str) -> None:
        fields: dict[str, Any] = {"status": "cancelled", "cancellationReason": reason}
        if "cancelledByEmail" in self.rows[uid].payload:
            fields["cancelledByEmail"] = by
        self.change(uid, **fields)

    def cancel_series(self, series: str, reason: str = "") -> None:
        """Cancel every occurrence at once; all of them then share one `updatedAt`."""
        found = self.find(lambda row: row.get("recurringBookingUid") == series)
        with self.cancelling(found[0], reason=reason):
            moment = wire(self.clock.now())
            for uid in found:
                self.change(
                    uid,
                    status="cancelled",
                    cancellationReason=reason,
                    updatedAt=moment,
                )

    def confirm(self, uid: str) -> None:
        with self.lock:
            self.change(uid, status="accepted")
            self.announce("BOOKING_CREATED", uid, confirmed=True)

    def decline(self, uid: str, reason: str = "") -> None:
        """Decline a booking. The reason is in no answer of the API, and in the webhook alone."""
        with self.lock:
            self.change(uid, status="rejected")
            self.announce("BOOKING_REJECTED", uid, reason=reason)

    def reschedule(
        self,
        uid: str,
        start: datetime | None = None,
        *,
        reason: str = "",
        by: str | None = None,
        status: str = "accepted",
    ) -> str:
        """Cancel the booking and make a new one in its place. Returns the new uid."""
        with self.lock:
            row = self.rows[uid]
            old = row.payload
            begin = start or self._some_start()
            kind = self.event_types.get(old["eventTypeId"] or 0)
            template = self.new_payload(
                kind, [self.users[min(row.users)]], [], begin, created=self.clock.now()
            )
            own = (
                ["uid", "start", "end", "createdAt", "updatedAt"]
                if kind is None or kind.kind != "seated"
                else ["uid", "start", "end", "createdAt", "updatedAt", "description"]
            )
            new = (
                {key: value for key, value in old.items() if key != "id"}
                | {key: template[key] for key in own}
                | {
                    "status": status,
                    "end": wire(begin + timedelta(minutes=old["duration"])),
                    "rescheduledFromUid": uid,
                }
            )
            new.pop("rescheduledToUid", None)
            new |= _attend_again(new) | {"absentHost": False}
            links: dict[str, Any] = {"status": "cancelled"}
            if "recurringBookingUid" not in old:
                links["rescheduledToUid"] = new["uid"]
                links["rescheduledByEmail"] = new["rescheduledByEmail"] = by
            _give_reason(new, reason)
            self.change(uid, **links)
            moved = self.insert(new, row.users, row.team_id)
            self.announce_moved(moved, old, by=by or "")
            return moved

    def reassign(self, uid: str, host_id: int) -> None:
        with self.lock:
            host, before = self.users[host_id], self.rows[uid].users
            self.hand_over(uid, {host_id})
            self.change(uid, hosts=[host.as_host()])
            added = {"addedHostUserIds": sorted({host_id} - before)}
            removed = {"removedHostUserIds": sorted(before - {host_id})}
            more = added | removed
            self.announce("BOOKING_REASSIGNED", uid, users=before, more=more)

    def mark_host_absent(self, uid: str, *, absent: bool = True) -> None:
        self.change(uid, absentHost=absent)

    def mark_absent(self, uid: str, email: str = "", *, absent: bool = True) -> None:
        """Mark an attendee absent, or all of them without `email`. This does not move `updatedAt`."""
        with self.lock:
            there = [attendee["email"] for attendee in self.rows[uid]["attendees"]]
            emails = [email] if email else there
            self.mark_all_absent(uid, dict.fromkeys(emails, absent))

    def mark_all_absent(self, uid: str, absent: dict[str, bool]) -> None:
        """Mark several attendees absent by e-mail address; Cal.com announces all of them in one webhook [wh 089]."""
        with self.lock:
            before = self.payload(uid)["attendees"]
            attendees = [
                one | {"absent": absent[one["email"]]}
                if one["email"] in absent
                else one
                for one in before
            ]
            self.change(uid, moves_updated_at=False, attendees=attendees)
            known = {one["email"] for one in before}
            marked = [
                {"email": email, "noShow": value}
                for email, value in absent.items()
                if email in known
            ]
            more = {"attendees": marked}
            self.announce("BOOKING_NO_SHOW_UPDATED", uid, more=more)

    def join_seat(self, uid: str, person: Person | None = None) -> str:
        """Give a seat to another person, without moving `updatedAt`. Returns the uid of the seat."""
        with self.lock:
            seat = self.add_seat(uid, person)
            self.announce_new(uid, seat)
            return seat

    def add_seat(self, uid: str, person: Person | None = None) -> str:
        """Take a seat without notifying the subscribers. Returns its uid."""
        with self.lock:
            seat = self.seat((person or somebody(self._random)).as_attendee())
            attendees = [*self.payload(uid)["attendees"], seat]
            self.change(uid, moves_updated_at=False, attendees=attendees)
            return str(seat["seatUid"])

    def cancel_seat(self, uid: str, seat_uid: str) -> None:
        """Cancel a seat, without moving `updatedAt`."""
        with self.cancelling(uid, seat=self.holder(uid, seat_uid)):
            self.remove_seat(uid, seat_uid)

    def remove_seat(self, uid: str, seat_uid: str) -> None:
        """Give up a seat without notifying the subscribers."""
        with self.lock:
            there = self.payload(uid)["attendees"]
            left = [one for one in there if one.get("seatUid") != seat_uid]
            self.change(uid, moves_updated_at=False, attendees=left)

    def add_attendee(self, uid: str, person: Person | None = None) -> None:
        """Add an attendee, whom Cal.com counts among the guests; without a seat of a seated booking."""
        with self.lock:
            attendee = (person or somebody(self._random)).as_attendee()
            payload = self.payload(uid)
            guests = [*(payload.get("guests") or ()), attendee["email"]]
            attendees = [*payload["attendees"], attendee]
            self.change(uid, attendees=attendees, **_with_guests(payload, guests))

    def remove_attendee(self, uid: str, email: str) -> None:
        with self.lock:
            payload = self.payload(uid)
            left = [
                attendee
                for attendee in payload["attendees"]
                if attendee["email"] != email
            ]
            guests = [guest for guest in payload.get("guests") or () if guest != email]
            self.change(uid, attendees=left, **_with_guests(payload, guests))

    def set_location(
        self, uid: str, location: str, response: dict[str, str] | None = None
    ) -> None:
        """Set another location; `response` is the part that the API keeps among the booker's responses [rec 333]."""
        with self.lock:
            fields: dict[str, Any] = {"location": location, "meetingUrl": location}
            responses = self.rows[uid]["bookingFieldsResponses"]
            if response and responses is not None:
                fields["bookingFieldsResponses"] = responses | {"location": response}
            more = {"previousLocation": self.rows[uid]["location"]}
            self.change(uid, **fields)
            self.announce("BOOKING_LOCATION_UPDATED", uid, more=more)

    def touch(self, uid: str) -> None:
        """Move `updatedAt` and nothing else."""
        self.change(uid)

    def edit(self, uid: str, **fields: Any) -> None:
        """Set fields as they are, valid or not, without moving `updatedAt`."""
        self.change(uid, moves_updated_at=False, **fields)

    def make_unreadable(self, uid: str, *, again: bool = False) -> None:
        """Answer every list and GET that would show this booking with a 500; `again`: make it readable again."""
        with self.lock:
            self.rows[uid].is_unreadable = not again

    def delete(self, uid: str) -> Row:
        """Hide the booking from all lists and from GET, until the row is restored."""
        return self.remove(uid)


def _with_guests(payload: dict[str, Any], guests: list[str]) -> dict[str, Any]:
    """Return the fields in which the guests of a booking stand: seated bookings show none [rec 331, 519]."""
    responses = payload.get("bookingFieldsResponses")
    if responses is None:
        return {}
    shown = {"guests": guests, "displayGuests": guests}
    return {"guests": guests, "bookingFieldsResponses": responses | shown}


def _attend_again(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the attendees of a rescheduled booking: nobody is absent, and guests lose their names [rec 295]."""
    booker, *guests = payload["attendees"] or [{}]
    if "bookingFieldsResponses" not in payload or not booker:
        return {
            "attendees": [
                attendee | {"absent": False} for attendee in payload["attendees"]
            ]
        }
    kept = ("timeZone", "language")
    of_booker = {key: booker[key] for key in kept if key in booker}
    new = [
        {"name": "", "email": guest.get("email"), "displayEmail": guest.get("email")}
        | of_booker
        | {"absent": False}
        for guest in guests
    ]
    return {"attendees": [booker | {"absent": False}, *new]}


def _give_reason(payload: dict[str, Any], reason: str) -> None:
    """Show the reason for the move, which only the new booking has, in two places [rec 134]."""
    payload.pop("reschedulingReason", None)
    responses = dict(payload.get("bookingFieldsResponses") or {})
    responses.pop("rescheduledReason", None)
    if reason:
        payload["reschedulingReason"] = reason
        responses["rescheduledReason"] = reason
    if "bookingFieldsResponses" in payload:
        payload["bookingFieldsResponses"] = responses
