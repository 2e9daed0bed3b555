"""Which list is walked, and which part of it: scope and filters in Cal.com's words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cal_bookings.client.timestamps import write_instant


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose bookings: those of the credential's user, or of an organization, team, member."""

    organization: int | None = None
    team: int | None = None
    user: int | None = None

    def __post_init__(self) -> None:
        if self.user is not None and (
            self.organization is None or self.team is not None
        ):
            raise ValueError(
                "A user's bookings are listed within an organization and not by team: "
                "use Scope(organization=..., user=...)"
            )

    @property
    def path(self) -> str:
        """The template of the list's path."""
        organization = (
            "" if self.organization is None else "/organizations/{organization}"
        )
        team = "" if self.team is None else "/teams/{team}"
        user = "" if self.user is None else "/users/{user}"
        return f"{organization}{team}{user}/bookings"

    @property
    def parts(self) -> dict[str, int]:
        named = {
            "organization": self.organization,
            "team": self.team,
            "user": self.user,
        }
        return {name: value for name, value in named.items() if value is not None}

    @property
    def has_change_filters(self) -> bool:
        """Whether this list filters by creation and update on every server.

        Those of teams do so on hosted Cal.com (CAL_API_NEWS.md); others ignore the filters in silence.
        """
        return self.team is None

    @property
    def has_cursor_list(self) -> bool:
        """Only the own list and the organization's know the cursor dialect."""
        return self.team is None and self.user is None


@dataclass(frozen=True, slots=True)
class Filters:
    """The same for every page of a walk. All bounds are inclusive [rec 096]."""

    after_updated: datetime | None = None
    after_created: datetime | None = None
    after_start: datetime | None = None
    before_end: datetime | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(
                    f"{name} has no time zone: Cal.com would read it as UTC. "
                    "Make it aware, for instance with tzinfo=datetime.UTC"
                )

    @property
    def by_change(self) -> bool:
        return self.after_updated is not None or self.after_created is not None

    def to_json(self) -> dict[str, str]:
        return {
            name: value.isoformat()
            for name in self.__slots__
            if (value := getattr(self, name)) is not None
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, str]) -> Filters:
        """Raises ValueError for what to_json() did not write."""
        try:
            return cls(**{k: datetime.fromisoformat(v) for k, v in saved.items()})
        except (AttributeError, TypeError) as error:
            raise ValueError("These are no filters of a walk") from error

    def params(self) -> dict[str, str]:
        """As query parameters."""
        named = {
            "afterUpdatedAt": self.after_updated,
            "afterCreatedAt": self.after_created,
            "afterStart": self.after_start,
            "beforeEnd": self.before_end,
        }
        return {name: write_instant(value) for name, value in named.items() if value}


def walk_fingerprint(scope: Scope, filters: Filters) -> str:
    """The same for two walks only if they go through the same list."""
    text = repr((scope.path, scope.parts, filters.params()))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
