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
        host["userId"]
        for host in _objects(payload, "hosts")
        if host.get("mandatory") is True and type(host.get("userId")) is int
    )
    users = [
        *_named(payload, "users", "id"),
        *_named(payload, "hosts", "userId"),
    ]
    hosts = {user.remote_id: user for user in users if user.remote_id not in fixed}
    team = payload.get("teamId")
    return Roster(hosts, fixed, team if type(team) is int else None)


def _named(payload: Mapping[str, Any], key: str, number: str) -> Iterator[Named]:
    for user in _objects(payload, key):
        remote_id = user.get(number)
        if type(remote_id) is int:
            yield Named(remote_id, _text(user.get("name")), _text(user.get("username")))


def _objects(payload: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    value = payload.get(key)
    for element in value if isinstance(value, list) else []:
        if isinstance(element, Mapping):
            yield element


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
