"""The memberships of users in teams, and their roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cal_bookings.testing.world.catalog import User

ADMINS = ("ADMIN", "OWNER")


@dataclass
class Membership:
    """A user in a team. An invitation that is not accepted yet is a membership too."""

    id: int
    user: User
    team_id: int
    role: str = "MEMBER"
    accepted: bool = True

    def as_json(self) -> dict[str, Any]:
        user = self.user
        shown = {
            "name": user.name,
            "email": user.email,
            "username": user.username,
            "metadata": {},
        }
        return {
            "id": self.id,
            "userId": user.id,
            "teamId": self.team_id,
            "accepted": self.accepted,
            "role": self.role,
            "disableImpersonation": False,
            "user": shown,
        }


class Memberships:
    """All memberships. The first member of a team owns it."""

    def __init__(self) -> None:
        self._all: list[Membership] = []

    def add(self, user: User, team_id: int = 1, *, accepted: bool = True) -> Membership:
        role = "MEMBER" if any(self.of(team_id)) else "OWNER"
        made = Membership(len(self._all) + 1, user, team_id, role, accepted)
        self._all.append(made)
        return made

    def of(self, team_id: int) -> Iterator[Membership]:
        return (one for one in self._all if one.team_id == team_id)

    def is_admin(self, user: User, team_id: int) -> bool:
        """Return whether this user may see the whole team."""
        return any(one.user is user and one.role in ADMINS for one in self.of(team_id))
