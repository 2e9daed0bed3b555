"""Whom an event type names: its hosts and its team, as far as Cal.com told when it was mirrored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Named:
    """A Cal.com user, of whom an event type tells no e-mail address."""

    remote_id: int
    name: str
    username: str


@dataclass(frozen=True, slots=True)
class Roster:
    hosts: dict[int, Named]
    #: Of the hosts of a round robin, those who take part in each booking: nobody can take their place.
    fixed: frozenset[int]
    team: int | None


def read(payload: Mapping[str, Any]) -> Roster:
    """What is missing or odd is left out: `hosts` and `teamId` are told of a team's event types only."""
    fixed = frozenset(
        one["userId"]
        for one in _objects(payload, "hosts")
        if one.get("mandatory") is True and type(one.get("userId")) is int
    )
    found = [
        *_named(payload, "users", "id"),
        *_named(payload, "hosts", "userId"),
    ]
    hosts = {one.remote_id: one for one in found if one.remote_id not in fixed}
    team = payload.get("teamId")
    return Roster(hosts, fixed, team if type(team) is int else None)


def _named(payload: Mapping[str, Any], key: str, number: str) -> Iterator[Named]:
    for one in _objects(payload, key):
        remote_id = one.get(number)
        if type(remote_id) is int:
            yield Named(remote_id, _text(one.get("name")), _text(one.get("username")))


def _objects(payload: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    value = payload.get(key)
    for one in value if isinstance(value, list) else []:
        if isinstance(one, Mapping):
            yield one


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
