"""The actions on bookings over HTTP: routes, versions, and the moment between the checks and the change.

A request is checked under the lock, then the server thinks, then it acts under the lock: as on Cal.com, two requests
at once may both pass the checks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from cal_bookings.testing.endpoints import (
    attendees,
    booking_details,
    confirm_decline_cancel,
    creation,
    email_verification,
    hosts,
    rescheduling,
    reservations,
)
from cal_bookings.testing.endpoints.calls import (
    Call,
    Change,
    Effect,
)
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    Request,
    success,
)
from cal_bookings.testing.world.catalog import User
from cal_bookings.testing.world.changes import Changes

Handler = Callable[[Call], Change]

#: The version of routes that ignore it.
ANY = "*"
SELF_HOSTED, HOSTED = "2024-08-13", "2026-02-25"


@dataclass(frozen=True)
class Action:
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    #: True if no credential is needed: everybody who knows the uid may move and cancel a booking.
    open: bool = False
    hosted_only: bool = False
    self_hosted_only: bool = False
    #: The only version that has the route; empty for the versions of the bookings.
    version: str = ""


class Actions:
    """The writing half of the API of one world."""

    def __init__(self, world: Changes) -> None:
        self.world = world
        #: The effects of requests, in order.
        self.effects: list[Effect] = []
        self.reassign_is_stub = False
        #: The seconds between the checks of a request and its change.
        self.thinking = 0.0
        #: The changes of requests whose connection broke, which the server has yet to make.
        self.late: list[Callable[[], None]] = []

    def find(self, request: Request) -> tuple[Action, dict[str, str]] | None:
        for action in ACTIONS:
            match = action.pattern.fullmatch(request.path)
            if match and action.method == request.method:
                return action, match.groupdict()
        return None

    def answer(
        self,
        action: Action,
        request: Request,
        user: User | None,
        parts: dict[str, str],
        *,
        hosted: bool,
    ) -> Answer:
        """Check the request, think, and act. Raises Refusal."""
        call = self._call(request, user, parts, hosted=hosted)
        with self.world.lock:
            carry_out = self._handler(action, call)(call)
        if self.thinking:
            time.sleep(self.thinking)
        with self.world.lock:
            return carry_out()

    def unapplied(
        self,
        action: Action,
        request: Request,
        user: User | None,
        parts: dict[str, str],
        *,
        hosted: bool,
    ) -> Answer:
        """Return the answer of a server that does nothing and reports success. Raises Refusal."""
        call = self._call(request, user, parts, hosted=hosted)
        call.is_trial = True
        with self.world.lock:
            self._handler(action, call)(call)
            if "uid" in parts and parts["uid"] in self.world.rows:
                return call.shown()
        return success({})

    def carry_out_late(self) -> None:
        late, self.late = self.late, []
        for change in late:
            change()

    def _handler(self, action: Action, call: Call) -> Handler:
        version = call.request.version
        known = (SELF_HOSTED, HOSTED) if call.hosted else (SELF_HOSTED,)
        if action.version:
            known = (version if action.version == ANY else action.version,)
        if version not in known:
            # Of the older handlers, which take a missing or unknown version, only this one has the same path.
            if action.handler is confirm_decline_cancel.cancel:
                return confirm_decline_cancel.legacy_cancel
            raise _cannot(call.request)
        elsewhere = action.self_hosted_only if call.hosted else action.hosted_only
        if elsewhere:
            raise _cannot(call.request)
        return action.handler

    def _call(
        self,
        request: Request,
        user: User | None,
        parts: dict[str, str],
        *,
        hosted: bool,
    ) -> Call:
        body = {} if request.is_form else request.body or {}
        if isinstance(body, list):
            # This is as in JavaScript, where a list is an object whose fields are numbered.
            body = {str(place): value for place, value in enumerate(body)}
        return Call(
            self.world,
            request,
            user,
            parts,
            hosted,
            self.effects,
            self.reassign_is_stub,
            body,
        )


def _cannot(request: Request) -> Refusal:
    return Refusal(404, f"Cannot {request.method} {request.full_path}")


def _action(
    method: str,
    path: str,
    handler: Handler,
    *,
    is_open: bool = False,
    hosted_only: bool = False,
    self_hosted_only: bool = False,
    version: str = "",
) -> Action:
    pattern = re.sub(r"\{(\w+):int\}", r"(?P<\1>\\d+)", path)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    compiled = re.compile(pattern)
    return Action(
        method, compiled, handler, is_open, hosted_only, self_hosted_only, version
    )


def _of_slots(method: str, path: str, handler: Handler) -> Action:
    """Return an action on slots or reservations, which needs no credential."""
    return _action(method, path, handler, is_open=True, version=reservations.VERSION)


def _read(path: str, handler: Handler, *, is_open: bool = False) -> Action:
    return _action("GET", path, handler, is_open=is_open)


def _of_verification(method: str, name: str, handler: Handler) -> Action:
    """Return an action of e-mail verification, which needs no credential; hosted Cal.com alone has it."""
    path = f"/bookings/verification/email/{name}"
    return _action(method, path, handler, is_open=True, hosted_only=True, version=ANY)


_BOOKING = "/bookings/{uid}"
_RESERVATIONS = "/slots/reservations"
ACTIONS = [
    _action("POST", "/bookings", creation.create, is_open=True),
    _action("POST", f"{_BOOKING}/reschedule", rescheduling.reschedule, is_open=True),
    _action("POST", f"{_BOOKING}/cancel", confirm_decline_cancel.cancel, is_open=True),
    _action("POST", f"{_BOOKING}/confirm", confirm_decline_cancel.confirm),
    _action("POST", f"{_BOOKING}/decline", confirm_decline_cancel.decline),
    _action(
        "POST",
        f"{_BOOKING}/request-reschedule",
        confirm_decline_cancel.request_reschedule,
        hosted_only=True,
    ),
    _action("POST", f"{_BOOKING}/mark-absent", hosts.mark_absent),
    _action("POST", f"{_BOOKING}/reassign", hosts.reassign),
    _action("POST", f"{_BOOKING}/reassign/{{user}}", hosts.reassign),
    _action("PATCH", f"{_BOOKING}/location", attendees.set_location),
    _action("GET", f"{_BOOKING}/attendees", attendees.attendees),
    _action("POST", f"{_BOOKING}/attendees", attendees.add_attendee),
    _action(
        "DELETE",
        f"{_BOOKING}/attendees/{{attendee:int}}",
        attendees.remove_attendee,
        self_hosted_only=True,
    ),
    _action("POST", f"{_BOOKING}/guests", attendees.add_guests),
    _read("/bookings/by-seat/{seat}", booking_details.booking_of_seat, is_open=True),
    _read(f"{_BOOKING}/attendees/{{attendee:int}}", booking_details.attendee),
    _read(f"{_BOOKING}/calendar-links", booking_details.calendar_links),
    _read(f"{_BOOKING}/references", booking_details.references),
    _read(f"{_BOOKING}/recordings", booking_details.recordings),
    _read(f"{_BOOKING}/transcripts", booking_details.transcripts),
    _read(f"{_BOOKING}/conferencing-sessions", booking_details.sessions),
    _of_verification("GET", "check", email_verification.check),
    _of_verification("POST", "send-code", email_verification.send_code),
    _of_verification("POST", "verify-code", email_verification.verify_code),
    _of_slots("POST", _RESERVATIONS, reservations.reserve),
    _of_slots("GET", f"{_RESERVATIONS}/{{uid}}", reservations.show),
    _of_slots("PATCH", f"{_RESERVATIONS}/{{uid}}", reservations.move),
    _of_slots("DELETE", f"{_RESERVATIONS}/{{uid}}", reservations.release),
]
