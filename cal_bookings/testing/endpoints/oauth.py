"""The tokens that expire: each pair is exchanged once for the next one."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    Request,
    as_json,
    success,
)
from cal_bookings.testing.world.catalog import User


@dataclass
class Tokens:
    """The knowledge of the token endpoints: clients with their secrets, and the refresh tokens that still work."""

    #: The access tokens among other credentials, expired ones included.
    credentials: dict[str, User]
    expired: set[str]
    clients: dict[str, str] = field(default_factory=dict)
    _refresh: dict[str, tuple[str, User]] = field(default_factory=dict)
    _current: dict[str, str] = field(default_factory=dict)

    def issue(self, client_id: str, user: User) -> tuple[str, str]:
        """Return a new access token and its refresh token."""
        access, refresh = f"access-{uuid4()}", f"refresh-{uuid4()}"
        self.credentials[access] = user
        self._refresh[refresh] = client_id, user
        self._current[refresh] = access
        return access, refresh

    def _exchange(self, client_id: str, refresh: str | None) -> tuple[str, str] | None:
        of_client, user = self._refresh.get(refresh or "", ("", None))
        if refresh is None or user is None or of_client != client_id:
            return None
        del self._refresh[refresh]
        # Tokens rotate: the old access token ends with its refresh token.
        self.expired.add(self._current.pop(refresh))
        return self.issue(client_id, user)

    def of_oauth_client(self, request: Request) -> Answer:
        """Serve `POST /auth/oauth2/token`, with the errors of RFC 6749."""
        body = _texts(request)
        client_id = body.get("client_id", "")
        if self.clients.get(client_id) != body.get("client_secret", ""):
            return _refused("invalid_client", "Invalid client credentials", 401)
        if body.get("grant_type") != "refresh_token":
            return _refused("unsupported_grant_type", "Use refresh_token", 400)
        pair = self._exchange(client_id, body.get("refresh_token"))
        if pair is None:
            return _refused("invalid_grant", "Invalid refresh token", 400)
        tokens = dict(zip(("access_token", "refresh_token"), pair, strict=True))
        return as_json(tokens | {"token_type": "bearer", "expires_in": 1800})

    def of_managed_user(self, request: Request, client_id: str) -> Answer:
        """Serve `POST /oauth/{clientId}/refresh`. Raises Refusal."""
        secret = request.headers.get("x-cal-secret-key")
        if secret is None or self.clients.get(client_id) != secret:
            raise Refusal(401, "Invalid client credentials")
        body = _texts(request)
        pair = self._exchange(client_id, body.get("refreshToken"))
        if pair is None:
            raise Refusal(400, "Invalid refresh token")
        return success(dict(zip(("accessToken", "refreshToken"), pair, strict=True)))


def _texts(request: Request) -> dict[str, str]:
    """Return the fields of a body, JSON or a form, that are texts."""
    body = request.body if isinstance(request.body, dict) else {}
    return {name: value for name, value in body.items() if isinstance(value, str)}


def _refused(error: str, description: str, status: int) -> Answer:
    return as_json({"error": error, "error_description": description}, status)
