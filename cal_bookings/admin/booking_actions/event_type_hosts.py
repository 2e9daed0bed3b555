"""The hosts and the team that the mirrored payload of an event type names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Named:
    """A Cal.com user as an event type names one, without an e-mail address."""

    remote_id: int
    name: str
    username: str


@dataclass(frozen=True, slots=True)
class Roster:
    hosts: dict[int, Named]
    #: The hosts of a round robin who take part in each booking, and whom nobody can replace.
    fixed: frozenset[int]
    team: int | None


def read(payload: Mapping[str, Any]) -> Roster:
    """Return the roster of an event type's payload, without missing and odd values.

    Only the event types of a team have `hosts` and `teamId`.
    """
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
