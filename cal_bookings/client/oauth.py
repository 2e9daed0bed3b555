"""The exchange of a pair of tokens for a new pair, for an OAuth client or for a platform's managed user.

https://cal.com/docs/api-reference/v2/oauth#refresh-tokens
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cal_bookings.client.dialects import describe
from cal_bookings.client.errors import (
    CalRefused,
    CalUnauthorized,
    CalUnexpected,
)
from cal_bookings.client.transport import (
    MAX_BYTES,
    Answer,
    Http,
)

# Every version works; no version means the oldest.
_VERSION = "2024-08-13"


@dataclass(frozen=True, slots=True)
class Tokens:
    """A new pair of tokens. The refresh token that was used for it is void."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _OAuthClient:
    """A signer that signs nothing: the token endpoint of OAuth takes the client's secret in the body."""

    secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        return {}

    def secrets(self) -> tuple[str, ...]:
        return self.secret, self.refresh_token


@dataclass(frozen=True, slots=True)
class _ManagedUsersClient:
    secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        return {"x-cal-secret-key": self.secret}

    def secrets(self) -> tuple[str, ...]:
        return self.secret, self.refresh_token


def refresh_oauth_tokens(
    base_url: str,
    *,
    client_id: str,
    client_secret: str,
    refresh_token: str,
    timeout: tuple[float, float] = (5, 30),
    public_only: bool = False,
) -> Tokens:
    """Return a new pair of tokens, by one request. An empty `client_secret` is for a public client.

    Raises CalUnauthorized if the refresh token is void, and the other errors of the client.
    """
    body = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "refresh_token": refresh_token,
    }
    if client_secret:
        body["client_secret"] = client_secret
    signer = _OAuthClient(client_secret, refresh_token)
    http = Http(
        base_url,
        signer,
        timeout=timeout,
        max_bytes=MAX_BYTES,
        public_only=public_only,
    )
    answer = _post(http, "/auth/oauth2/token", {}, body)
    return _tokens(answer, answer.body, "access_token", "refresh_token")


def refresh_managed_user_tokens(
    base_url: str,
    *,
    client_id: str,
    client_secret: str,
    refresh_token: str,
    timeout: tuple[float, float] = (5, 30),
    public_only: bool = False,
) -> Tokens:
    """Return a new pair of a managed user's tokens, by one request; raises the errors of `refresh_oauth_tokens`."""
    http = Http(
        base_url,
        _ManagedUsersClient(client_secret, refresh_token),
        timeout=timeout,
        max_bytes=MAX_BYTES,
        public_only=public_only,
    )
    parts = {"clientId": client_id}
    body = {"refreshToken": refresh_token}
    answer = _post(http, "/oauth/{clientId}/refresh", parts, body)
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    return _tokens(answer, data, "accessToken", "refreshToken")


def _post(http: Http, path: str, parts: dict[str, str], body: dict[str, str]) -> Answer:
    try:
        return http.request("POST", path, version=_VERSION, parts=parts, json=body)
    except CalRefused as error:
        # The answer to a void refresh token is 400 [source].
        raise CalUnauthorized(
            f"the refresh token is not accepted: {error.message}",
            method=error.method,
            path=error.path,
            status=error.status,
            code=error.code,
            request_id=error.request_id,
        ) from None
    finally:
        http.close()


def _tokens(answer: Answer, body: Any, access: str, refresh: str) -> Tokens:
    fields = body if isinstance(body, dict) else {}
    match fields.get(access), fields.get(refresh):
        case str(access_token), str(refresh_token) if access_token and refresh_token:
            return Tokens(access_token, refresh_token)
    call = answer.call
    raise call.error(
        CalUnexpected,
        f"expected {access} and {refresh} from {call.url}, got {describe(body)}",
        status=answer.status,
        request_id=answer.request_id,
    )
