"""The three ways to authenticate; none of them ever shows its secret.

https://cal.com/docs/api-reference/v2/introduction#authentication
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


def _check(name: str, value: str) -> None:
    # requests quotes a bad header value in its error: refuse it here, without quoting it.
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(
            f"{name} must be printable ASCII without spaces: "
            "it is empty, or was copied with something around it"
        )


class Signer(Protocol):
    """Whatever can authenticate a request."""

    def headers(self) -> dict[str, str]: ...

    def secrets(self) -> tuple[str, ...]:
        """What of it must not be shown, even if the server echoes it."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key: cal_... or cal_live_..."""

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        _check("The API key", self.key)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def secrets(self) -> tuple[str, ...]:
        return (self.key,)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An OAuth access token, or that of a managed user."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _check("The access token", self.token)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def secrets(self) -> tuple[str, ...]:
        return (self.token,)


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A platform customer's OAuth client: acts as the organization's owner."""

    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        _check("The client id", self.client_id)
        _check("The client secret", self.client_secret)

    def headers(self) -> dict[str, str]:
        return {
            "x-cal-client-id": self.client_id,
            "x-cal-secret-key": self.client_secret,
        }

    def secrets(self) -> tuple[str, ...]:
        return (self.client_secret,)


Credential = ApiKey | AccessToken | ClientSecret
