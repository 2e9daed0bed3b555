"""The members and the event types of teams. Hosted Cal.com alone has them; an administrator's key reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cal_bookings.client.booking_list import unexpected
from cal_bookings.client.transport import (
    Answer,
    Http,
)

#: The version, although every version works (CAL_API_SOURCE.md 2).
TEAMS_VERSION = "2024-08-13"
_PAGE = 250  # members, the most that one answer of Cal.com holds


@dataclass(frozen=True, slots=True)
class Member:
    """A Cal.com user who is a member of a team."""

    user_id: int
    name: str
    email: str
    username: str


class Teams:
    """The teams of one Cal.com; raises `CalError`s, CalForbidden for a key that may not read them.

    `organization_id` is for teams of an organization, whose routes are others.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    def members(
        self, team_id: int, *, organization_id: int | None = None
    ) -> list[Member]:
        """Return the members who have accepted their invitation; others cannot host. Each request gets 250 members."""
        found: dict[Any, dict[str, Any]] = {}
        while True:
            query = {"take": str(_PAGE), "skip": str(len(found))}
            answer = self._ask("memberships", team_id, organization_id, query)
            shown = _objects(answer)
            before = len(found)
            found |= {one.get("id"): one for one in shown}
            # There is no pagination object: a short page is the last one.
            if len(shown) < _PAGE:
                return list(_members(found.values()))
            if len(found) < before + _PAGE:
                raise unexpected(answer, "memberships that no page showed before")

    def event_types(
        self, team_id: int, *, organization_id: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the event types that a team offers, as Cal.com shows them, each with its `hosts`."""
        return _objects(self._ask("event-types", team_id, organization_id, {}))

    def _ask(
        self,
        name: str,
        team_id: int,
        organization_id: int | None,
        query: dict[str, str],
    ) -> Answer:
        parts = {"team_id": team_id}
        path = f"/teams/{{team_id}}/{name}"
        if organization_id is not None:
            parts["organization_id"] = organization_id
            path = f"/organizations/{{organization_id}}{path}"
        return self._http.request(
            "GET", path, version=TEAMS_VERSION, parts=parts, params=query
        )


def _objects(answer: Answer) -> list[dict[str, Any]]:
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise unexpected(answer, "a list of objects as data")
    return data


def _members(shown: Iterable[dict[str, Any]]) -> Iterator[Member]:
    for one in shown:
        number, user = one.get("userId"), one.get("user")
        if type(number) is int and one.get("accepted") is True:
            told = user if isinstance(user, dict) else {}
            yield Member(
                number,
                *(_text(told.get(name)) for name in ("name", "email", "username")),
            )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
