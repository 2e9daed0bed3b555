"""The members and the event types of teams, which their admins may list on hosted Cal.com."""

from __future__ import annotations

from typing import Any

from cal_bookings.testing.endpoints import event_types
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    Request,
    success,
)
from cal_bookings.testing.world.catalog import User
from cal_bookings.testing.world.state import World

_MOST = 250


def memberships(world: World, request: Request, user: User, team: int) -> Answer:
    """Return one page of memberships; there is no pagination object. Raises Refusal."""
    _must_be_admin(world, user, team)
    take = _number(request, "take", _MOST)
    skip = _number(request, "skip", 0)
    shown = [one.as_json() for one in world.memberships.of(team)]
    return success(shown[skip : skip + take])


def event_types_of(world: World, request: Request, user: User, team: int) -> Answer:
    """Return the event types of one team, each with its hosts. Raises Refusal."""
    _must_be_admin(world, user, team)
    slug = request.one("eventSlug")
    wanted = [
        one
        for one in world.event_types.values()
        if one.team_id == team and slug in ("", one.slug)
    ]
    return success([_as_listed(world, one, team) for one in wanted])


def _as_listed(world: World, one: Any, team: int) -> dict[str, Any]:
    hosts = [
        {
            "userId": member.user.id,
            "mandatory": False,
            "priority": "medium",
            "name": member.user.name,
            "username": member.user.username,
            "avatarUrl": None,
        }
        for member in world.memberships.of(team)
        if member.accepted
    ]
    owner = world.users[one.owner_id or 1]
    return event_types.as_listed(one, owner) | {"teamId": team, "hosts": hosts}


def _must_be_admin(world: World, user: User, team: int) -> None:
    if not world.memberships.is_admin(user, team):
        raise Refusal(
            403, f"RolesGuard - User is not an admin of the team with id={team}."
        )


def _number(request: Request, name: str, default: int) -> int:
    text = request.one(name, str(default))
    if not text.isdecimal() or int(text) > (_MOST if name == "take" else 10**9):
        raise Refusal(400, f"{name} must be a number within its limits")
    return int(text)
