"""The list of a walk, and the part of it that is read: scope and filters in Cal.com's words."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cal_bookings.client.timestamps import write_instant


@dataclass(frozen=True, slots=True)
class Scope:
    """The owner of the listed bookings: the credential's user, an organization, a team or a member."""

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
        """Return the template of the list's path."""
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
        """Return whether this list filters by creation and update on every server.

        The lists of teams do so on hosted Cal.com (CAL_API_NEWS.md); other servers ignore the filters in silence.
        """
        return self.team is None

    @property
    def has_cursor_list(self) -> bool:
        """Return whether the list has a cursor dialect, which only the own list and the organization's have."""
        return self.team is None and self.user is None


STATUSES = ("upcoming", "recurring", "past", "cancelled", "unconfirmed")
#: The orders of a list, and the parameter for each. A server uses the first of these parameters that it gets.
SORTS = {
    "start": "sortStart",
    "end": "sortEnd",
    "created": "sortCreated",
    "updated": "sortUpdatedAt",
}
_MOMENTS = {
    "after_updated": "afterUpdatedAt",
    "after_created": "afterCreatedAt",
    "after_start": "afterStart",
    "before_end": "beforeEnd",
    "before_updated": "beforeUpdatedAt",
    "before_created": "beforeCreatedAt",
}
_LISTS = {
    "statuses": "status",
    "event_type_ids": "eventTypeIds",
    # Cal.com spells it so. A team that does not exist is ignored, and everything listed (CAL_API.md section 8).
    "team_ids": "teamsIds",
}
_TEXTS = {
    "attendee_email": "attendeeEmail",
    "attendee_name": "attendeeName",
    "booking_uid": "bookingUid",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters, the same for every page of a walk. All bounds are inclusive [rec 096].

    A booking must pass all filters, by one of the values of each. `statuses` are Cal.com's: upcoming, recurring,
    past, cancelled (and rejected), unconfirmed. E-mail and name of an attendee must match exactly. `sort` is start,
    end, created or updated, with a minus sign before it for the latest first; a list that is sorted so and changes
    while it is read may miss bookings, which the default order cannot. Raises ValueError for other values, and
    for times without a zone.
    """

    after_updated: datetime | None = None
    after_created: datetime | None = None
    after_start: datetime | None = None
    before_end: datetime | None = None
    before_updated: datetime | None = None
    before_created: datetime | None = None
    statuses: tuple[str, ...] = ()
    event_type_ids: tuple[int, ...] = ()
    team_ids: tuple[int, ...] = ()
    attendee_email: str = field(default="", repr=False)
    attendee_name: str = field(default="", repr=False)
    booking_uid: str = field(default="", repr=False)
    sort: str = ""

    def __post_init__(self) -> None:
        for name in _MOMENTS:
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(
                    f"{name} has no time zone: Cal.com would read it as UTC. "
                    "Make it aware, for instance with tzinfo=datetime.UTC"
                )
        _check_values("statuses", self.statuses, STATUSES)
        if self.sort:
            _check_values("sort", [self.sort.removeprefix("-")], SORTS)

    @property
    def by_change(self) -> bool:
        changes = (
            self.after_updated,
            self.after_created,
            self.before_updated,
            self.before_created,
        )
        return any(moment is not None for moment in changes)

    @property
    def needs_offset_list(self) -> bool:
        """Return whether only the offset dialect has this list: the other takes one status, and keeps its own order."""
        return len(self.statuses) > 1 or bool(self.sort)

    @property
    def is_by_creation(self) -> bool:
        """Return whether the list is in the order of creation, in which no page of a changing list misses a booking."""
        return self.sort in ("", "created")

    def to_json(self) -> dict[str, Any]:
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name in self.__slots__
            if (value := getattr(self, name))
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Filters:
        """Return the filters that `to_json` wrote. Raises ValueError for other data."""
        try:
            return cls(**{name: _read(name, value) for name, value in saved.items()})
        except (AttributeError, TypeError) as error:
            raise ValueError("These are no filters of a walk") from error

    def params(self) -> dict[str, str]:
        """Return the filters as query parameters."""
        params = {
            remote: write_instant(moment)
            for name, remote in _MOMENTS.items()
            if (moment := getattr(self, name))
        }
        for name, remote in _LISTS.items():
            if values := getattr(self, name):
                params[remote] = ",".join(map(str, values))
        params |= {
            remote: text
            for name, remote in _TEXTS.items()
            if (text := getattr(self, name))
        }
        if self.sort:
            way = "desc" if self.sort.startswith("-") else "asc"
            params[SORTS[self.sort.removeprefix("-")]] = way
        return params


def _check_values(name: str, values: Iterable[str], known: Collection[str]) -> None:
    for value in values:
        if value not in known:
            raise ValueError(f"{name} does not know {value!r}: use {', '.join(known)}")


def _read(name: str, value: Any) -> Any:
    if name in _MOMENTS:
        return datetime.fromisoformat(value)
    return tuple(value) if name in _LISTS else value


def walk_fingerprint(scope: Scope, filters: Filters) -> str:
    """Return a fingerprint that two walks share only if they go through the same list."""
    text = repr((scope.path, scope.parts, filters.params()))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
