"""The subscriptions to webhooks on Cal.com, of a user, an event type, an organization or a platform client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cal_bookings.client.booking_list import unexpected
from cal_bookings.client.transport import Answer, Http

#: The version, although every version works.
_VERSION = "2024-08-13"
#: The most subscriptions in one answer.
_PAGE = 250
#: The number of subscriptions of one owner above which the list is taken to have no end.
_MOST = 10_000

#: The version of the payload that every server knows [rec 419].
PAYLOAD_VERSION = "2021-10-20"


@dataclass(frozen=True, slots=True)
class WebhookOwner:
    """The owner whose events a subscription announces."""

    path: str
    parts: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def user(cls) -> Self:
        """Return the user to whom the credential belongs."""
        return cls("/webhooks")

    @classmethod
    def event_type(cls, event_type: int, *, team: int | None = None) -> Self:
        """Return one event type, of the user or of a team."""
        parts: dict[str, object] = {"event_type": event_type}
        if team is None:
            return cls("/event-types/{event_type}/webhooks", parts)
        path = "/teams/{team}/event-types/{event_type}/webhooks"
        return cls(path, parts | {"team": team})

    @classmethod
    def organization(cls, organization: int) -> Self:
        path = "/organizations/{organization}/webhooks"
        return cls(path, {"organization": organization})

    @classmethod
    def oauth_client(cls, client_id: str) -> Self:
        """Return all managed users of a platform client, for which its credential is needed."""
        return cls("/oauth-clients/{client_id}/webhooks", {"client_id": client_id})

    def __str__(self) -> str:
        return self.path.format_map(
            {name: str(part) for name, part in self.parts.items()}
        )


@dataclass(frozen=True, slots=True)
class RemoteWebhook:
    """A subscription as Cal.com shows it."""

    id: str
    subscriber_url: str
    active: bool
    triggers: frozenset[str]
    payload_template: str
    #: The secret, which Cal.com shows in clear; empty if there is none.
    secret: str = field(repr=False)
    #: The version of the payload; empty where the server does not show it.
    version: str


class Webhooks:
    """The subscriptions of one owner. Each method raises the client's `CalError`s; writes are never repeated."""

    def __init__(self, http: Http, owner: WebhookOwner) -> None:
        self._http = http
        self._owner = owner

    def list_all(self) -> list[RemoteWebhook]:
        """Return all subscriptions, by one request for each 250."""
        found: list[RemoteWebhook] = []
        while len(found) < _MOST:
            page = self._page(len(found))
            found += page
            if len(page) < _PAGE:
                break
        return found

    def create(self, fields: Mapping[str, Any]) -> RemoteWebhook:
        """Subscribe. `fields` are Cal.com's: active, subscriberUrl, triggers, secret, version.

        Raises CalRefused for a URL that has a subscription.
        """
        return _webhook(self._ask("POST", "", fields))

    def update(self, webhook_id: str, fields: Mapping[str, Any]) -> RemoteWebhook:
        """Change the given fields, and leave the others as they are."""
        return _webhook(self._ask("PATCH", webhook_id, fields))

    def delete(self, webhook_id: str) -> None:
        """Unsubscribe. Raises CalNotFound for a subscription that does not exist."""
        self._ask("DELETE", webhook_id)

    def _page(self, skip: int) -> list[RemoteWebhook]:
        window = {"take": str(_PAGE), "skip": str(skip)}
        path, parts = self._owner.path, self._owner.parts
        answer = self._http.request(
            "GET", path, version=_VERSION, parts=parts, params=window
        )
        listed = answer.body.get("data") if isinstance(answer.body, dict) else None
        if not isinstance(listed, list):
            raise unexpected(answer, "a list of webhooks as data")
        return [_read(answer, each) for each in listed]

    def _ask(
        self, method: str, webhook_id: str, fields: Mapping[str, Any] | None = None
    ) -> Answer:
        path, parts = self._owner.path, dict(self._owner.parts)
        if webhook_id or method != "POST":
            path, parts["webhook"] = path + "/{webhook}", webhook_id
        secret = (fields or {}).get("secret") or ""
        return self._http.request(
            method,
            path,
            version=_VERSION,
            parts=parts,
            json=None if fields is None else dict(fields),
            secrets=[secret] if secret else [],
        )


def _webhook(answer: Answer) -> RemoteWebhook:
    content = answer.body.get("data") if isinstance(answer.body, dict) else None
    return _read(answer, content)


def _read(answer: Answer, content: Any) -> RemoteWebhook:
    # The id is a UUID, though the contract says number.
    if not isinstance(content, dict) or not isinstance(content.get("id"), str | int):
        raise unexpected(answer, "a webhook with its id")
    triggers = content.get("triggers")
    named = triggers if isinstance(triggers, list) else []
    return RemoteWebhook(
        id=str(content["id"]),
        subscriber_url=_text(content.get("subscriberUrl")),
        active=content.get("active") is True,
        triggers=frozenset(each for each in named if isinstance(each, str)),
        payload_template=_text(content.get("payloadTemplate")),
        secret=_text(content.get("secret")),
        version=_text(content.get("version")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
