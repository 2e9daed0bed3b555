"""The webhooks of users, event types, organizations and platform clients: made, read, changed and removed.

The checks are the server's: triggers and versions that it knows, addresses that it sends to, and one subscription for
each address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cal_bookings.testing.deliveries import addresses
from cal_bookings.testing.deliveries.publisher import Webhooks
from cal_bookings.testing.deliveries.subscriptions import Subscription
from cal_bookings.testing.deliveries.triggers import (
    OF_ORGANIZATIONS,
    TIMED,
    VERSIONS,
    triggers,
)
from cal_bookings.testing.endpoints import validation
from cal_bookings.testing.endpoints.validation import Field, list_of, one_of, refuse
from cal_bookings.testing.responses import Answer, Refusal, Request, as_json, success
from cal_bookings.testing.world.catalog import User
from cal_bookings.testing.world.clock import wire

_COLUMNS = {
    "active": "active",
    "subscriberUrl": "subscriber_url",
    "triggers": "triggers",
    "secret": "secret",
    "payloadTemplate": "payload_template",
    "version": "version",
    "time": "time",
    "timeUnit": "time_unit",
}
_UNITS = ("DAY", "HOUR", "MINUTE")


@dataclass(frozen=True)
class Owner:
    """The owner of the webhooks of a request, whom its guards have let in."""

    kind: str
    identity: int | str
    #: The word of refusals for the owner.
    noun: str = "user"


def of_user(user: User) -> Owner:
    return Owner("userId", user.id)


def of_event_type(webhooks: Webhooks, user: User, number: int) -> Owner:
    """Return the owner for an own event type: those of a team have another route. Raises Refusal."""
    guard = "IsUserEventTypeWebhookGuard - "
    event_type = webhooks.world.event_types.get(number)
    if event_type is None:
        raise Refusal(404, f"{guard}Event type ({number}) not found")
    if event_type.owner_id != user.id or event_type.team_id:
        message = f"User ({user.id}) is not the owner of event type ({number})"
        raise Refusal(403, guard + message)
    return Owner("eventTypeId", number, "event type")


def of_team_event_type(webhooks: Webhooks, user: User, team: int, number: int) -> Owner:
    """Return the owner for a team's event type, for its hosts; hosted Cal.com alone has the route. Raises Refusal."""
    event_type = webhooks.world.event_types.get(number)
    if event_type is None or event_type.team_id != team:
        message = f"Event type with id {number} not found in team with id {team}"
        raise Refusal(404, message)
    if event_type.owner_id != user.id:
        raise Refusal(403, "PbacGuard - user is not an admin of this team")
    return Owner("eventTypeId", number, "event type")


def of_client(webhooks: Webhooks, user: User, client: str) -> Owner:
    """Return the owner for a platform client, whose webhooks announce all its users. Raises Refusal."""
    if user.id not in webhooks.clients.get(client, ()):
        raise Refusal(403, "OAuthClientGuard - no access to this OAuth client")
    return Owner("oAuthClientId", client, "oAuth client")


def answer(webhooks: Webhooks, owner: Owner, request: Request, identity: str) -> Answer:
    """Return the answer to a request about all webhooks of an owner, or about one. Raises Refusal."""
    method = request.method.replace("HEAD", "GET")
    if identity:
        subscription = _own(webhooks, owner, identity)
        if method == "GET":
            return success(subscription.as_row())
        if method == "PATCH":
            return _update(webhooks, subscription, _body(request))
        webhooks.subscriptions.remove(identity)
        return success(subscription.shown(hosted=webhooks.is_hosted()))
    if method == "POST":
        return _create(webhooks, owner, _body(request))
    if method == "DELETE":
        return _delete_all(webhooks, owner)
    return _list(webhooks, owner, request)


def _body(request: Request) -> dict[str, Any]:
    return request.body if isinstance(request.body, dict) else {}


def _create(webhooks: Webhooks, owner: Owner, body: dict[str, Any]) -> Answer:
    hosted = webhooks.is_hosted()
    refuse(_fields(hosted=hosted), body)
    _must_be_consistent(owner, body)
    url = body["subscriberUrl"]
    _must_be_reachable(webhooks, url)
    mine = webhooks.subscriptions.of(owner.kind, owner.identity)
    if any(one.subscriber_url == url for one in mine):
        message = (
            f"Webhook with this subscriber url already exists for this {owner.noun}"
        )
        raise Refusal(409, message)
    now = wire(webhooks.world.clock.now())
    made = Subscription(
        owner.kind, owner.identity, created_at=now, **_columns(body, hosted=hosted)
    )
    webhooks.add(made)
    return as_json({"status": "success", "data": made.shown(hosted=hosted)}, 201)


def _update(
    webhooks: Webhooks, subscription: Subscription, body: dict[str, Any]
) -> Answer:
    hosted = webhooks.is_hosted()
    optional = {name: Field(one.check) for name, one in _fields(hosted=hosted).items()}
    refuse(optional, body)
    url = body.get("subscriberUrl")
    if url and url != subscription.subscriber_url:
        _must_be_reachable(webhooks, url)
    for name, value in _columns(body, hosted=hosted).items():
        setattr(subscription, name, value)
    webhooks.plan_meetings_of(subscription)
    return success(subscription.shown(hosted=hosted))


def _delete_all(webhooks: Webhooks, owner: Owner) -> Answer:
    mine = webhooks.subscriptions.of(owner.kind, owner.identity)
    for one in mine:
        webhooks.subscriptions.remove(one.id)
    return success(f"{len(mine)} webhooks deleted")


def _list(webhooks: Webhooks, owner: Owner, request: Request) -> Answer:
    take = validation.query_number(request, "take", default=250, least=1, most=250)
    skip = validation.query_number(request, "skip", default=0, least=0, most=10**9)
    mine = webhooks.subscriptions.of(owner.kind, owner.identity)
    hosted = webhooks.is_hosted()
    return success([one.shown(hosted=hosted) for one in mine[skip : skip + take]])


def _own(webhooks: Webhooks, owner: Owner, identity: str) -> Subscription:
    """Return one webhook of this owner. Raises Refusal [rec 496, 500]."""
    subscription = webhooks.subscriptions.get(identity)
    if subscription is None:
        raise Refusal(404, f"Webhook ({identity}) not subscription")
    if (subscription.owner_kind, subscription.owner) == (owner.kind, owner.identity):
        return subscription
    if owner.kind == "userId":
        message = f"user with id=({owner.identity}) is not the owner of webhook with id=({identity})"
        raise Refusal(403, f"IsUserWebhookGuard - {message}")
    if owner.kind == "eventTypeId" and subscription.owner_kind != "eventTypeId":
        message = f"Webhook ({identity}) is not associated with an event type"
        raise Refusal(400, f"IsUserEventTypeWebhookGuard - {message}")
    message = (
        f"Webhook ({identity}) is not associated with {owner.noun} ({owner.identity})"
    )
    raise Refusal(403, message)


def _fields(*, hosted: bool) -> Mapping[str, Field]:
    more = {
        "time": Field(validation.integer),
        "timeUnit": Field(one_of(_UNITS)),
    }
    return {
        "payloadTemplate": Field(validation.text),
        "active": Field(validation.boolean, required=True),
        "subscriberUrl": Field(validation.text, required=True),
        "triggers": Field(list_of(one_of(triggers(hosted=hosted))), required=True),
        "secret": Field(validation.text),
        "version": Field(one_of(VERSIONS if hosted else VERSIONS[:1])),
    } | (more if hosted else {})


def _columns(body: dict[str, Any], *, hosted: bool) -> dict[str, Any]:
    """Return the columns that a body sets: unknown fields are dropped [rec 418], null ones of a change clear theirs."""
    known = _fields(hosted=hosted)
    return {
        column: body[name]
        for name, column in _COLUMNS.items()
        if name in known
        and name in body
        and (body[name] is not None or name in ("secret", "payloadTemplate"))
    }


def _must_be_reachable(webhooks: Webhooks, url: str) -> None:
    """Refuse an address to which the server does not send. Raises Refusal."""
    hosted = webhooks.is_hosted() and not webhooks.allows_private
    problem = addresses.problem(url, hosted=hosted)
    if problem:
        raise Refusal(400, f"Webhook URL is not allowed: {problem}")


def _must_be_consistent(owner: Owner, body: dict[str, Any]) -> None:
    """Refuse triggers that this owner, or a subscription without a time, cannot have. Raises Refusal."""
    wanted = set(body["triggers"])
    if owner.kind != "teamId":
        for trigger in sorted(wanted & OF_ORGANIZATIONS):
            message = f"{trigger} trigger is only available for organization webhooks"
            raise Refusal(400, message)
    if wanted.intersection(TIMED) and not (body.get("time") and body.get("timeUnit")):
        message = (
            "time and timeUnit are required for AFTER_*_CAL_VIDEO_NO_SHOW triggers"
        )
        raise Refusal(400, message)
