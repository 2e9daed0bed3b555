"""The three ways to authenticate, and the anonymous way; no credential ever shows its secret.

https://cal.com/docs/api-reference/v2/introduction#authentication
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


def _check(name: str, value: str) -> None:
    # requests quotes a bad header value in its error: refuse the value here, without quoting it.
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(
            f"{name} must be printable ASCII without spaces: "
            "it is empty, or was copied with something around it"
        )


class Signer(Protocol):
    """The protocol of everything that can authenticate a request."""

    def headers(self) -> dict[str, str]: ...

    def secrets(self) -> tuple[str, ...]:
        """Return the texts that must not be shown, even if the server echoes them."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, such as cal_... or cal_live_..."""

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        _check("The API key", self.key)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def secrets(self) -> tuple[str, ...]:
        return (self.key,)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An OAuth access token, or that of a managed user.

    With `client_id`, reservations name the platform's OAuth client too, which a managed user's token does not.
    """

    token: str = field(repr=False)
    client_id: str = ""

    def __post_init__(self) -> None:
        _check("The access token", self.token)
        if self.client_id:
            _check("The client id", self.client_id)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | _naming(self.client_id)

    def secrets(self) -> tuple[str, ...]:
        return (self.token,)


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """The OAuth client of a platform customer, which acts as the organization's owner."""

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


@dataclass(frozen=True, slots=True)
class Anonymous:
    """The absence of a credential: bookings are created, read, moved and cancelled by uid, slots are read and reserved.

    Cal.com refuses other requests. `client_id` names a platform's OAuth client on reservations; it is no credential.
    """

    client_id: str = ""

    def __post_init__(self) -> None:
        if self.client_id:
            _check("The client id", self.client_id)

    def headers(self) -> dict[str, str]:
        return _naming(self.client_id)

    def secrets(self) -> tuple[str, ...]:
        return ()


def _naming(client_id: str) -> dict[str, str]:
    return {"x-cal-client-id": client_id} if client_id else {}


Credential = ApiKey | AccessToken | ClientSecret | Anonymous
