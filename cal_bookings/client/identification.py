"""The identification of an event type: by number, by the slug with a user's or a team's, or by several people."""

from __future__ import annotations

from dataclasses import dataclass, fields

#: The ways to identify an event type, by the names that are given together.
_WAYS = [
    set(way.split())
    for way in (
        "event_type_id",
        "event_type_slug username",
        "event_type_slug username organization_slug",
        "event_type_slug team_slug",
        "event_type_slug team_slug organization_slug",
        "usernames organization_slug",
    )
]
_REMOTE_NAMES = {
    "event_type_id": "eventTypeId",
    "event_type_slug": "eventTypeSlug",
    "username": "username",
    "team_slug": "teamSlug",
    "organization_slug": "organizationSlug",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTypeIdentification:
    """One event type in one of the ways that Cal.com knows, or the people of a dynamic event type.

    Raises ValueError, which names the ways, unless exactly one of them is used.
    """

    event_type_id: int | None = None
    event_type_slug: str = ""
    username: str = ""
    team_slug: str = ""
    organization_slug: str = ""
    usernames: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = {each.name for each in fields(self) if getattr(self, each.name)}
        if given not in _WAYS or len(self.usernames) == 1:
            raise ValueError(
                "Say in exactly one way what is to be booked: event_type_id; or event_type_slug with username or with "
                "team_slug, and organization_slug where there is one; or two or more usernames with organization_slug."
            )

    def fields(self) -> dict[str, str | int]:
        """Return the identification in Cal.com's own names, as queries and bodies take it."""
        named = {
            remote: value
            for name, remote in _REMOTE_NAMES.items()
            if (value := getattr(self, name))
        }
        return named | (
            {"usernames": ",".join(self.usernames)} if self.usernames else {}
        )
