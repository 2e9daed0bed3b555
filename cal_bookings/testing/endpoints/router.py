"""The router of requests to their answers: credentials, versions, lists, single objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cal_bookings.testing.deliveries.publisher import Webhooks
from cal_bookings.testing.endpoints import (
    event_types,
    slots,
    teams,
    webhooks,
)
from cal_bookings.testing.endpoints.booking_lists import (
    CURSOR_VERSION,
    HOSTED_VERSION,
    OFFSET_VERSION,
    Listing,
    View,
    Wanted,
)
from cal_bookings.testing.endpoints.oauth import Tokens
from cal_bookings.testing.responses import (
    Answer,
    Refusal,
    Request,
    success,
)
from cal_bookings.testing.world.catalog import User
from cal_bookings.testing.world.state import (
    Row,
    World,
)

#: The versions that `GET /bookings` takes for those of other resources: the answer is 404 [rec 126].
_FOREIGN_VERSIONS = ("2024-09-04", "2024-06-14", "2024-06-11")

#: The headers of a platform's OAuth client: its id and its secret.
_CLIENT = ("x-cal-client-id", "x-cal-secret-key")

Handler = Callable[["Routes", Request, User | None, dict[str, str]], Answer]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    #: The status of the answer to a request without any credential; None lets the request in.
    without_credential: int | None


class Routes:
    """The API of one world."""

    def __init__(self, world: World, dialect: str, subscribers: Webhooks) -> None:
        self.world = world
        self.dialect = dialect
        self.listing = Listing(world)
        #: The credentials that act for a user: API keys, access tokens, client ids with secrets.
        self.credentials: dict[str, User] = {}
        self.expired_tokens: set[str] = set()
        self.tokens = Tokens(self.credentials, self.expired_tokens)
        self.webhooks = subscribers

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request. Raises Refusal."""
        for route in ROUTES:
            match = route.pattern.fullmatch(request.path)
            if match and route.method == request.method.replace("HEAD", "GET"):
                user = None
                if route.handler not in _TOKEN_ENDPOINTS:
                    user = self.authenticate(request, route.without_credential)
                return route.handler(self, request, user, match.groupdict())
        raise _cannot(request)

    def credential(self, request: Request) -> str:
        bearer = request.headers.get("authorization", "")
        if bearer:
            return bearer.removeprefix("Bearer ")
        pair = [request.headers.get(name, "") for name in _CLIENT]
        return ":".join(pair) if all(pair) else ""

    def authenticate(
        self, request: Request, without_credential: int | None
    ) -> User | None:
        """Return the user of the credential; None if there is none and none is needed. Raises Refusal."""
        credential = self.credential(request)
        if credential in self.expired_tokens:
            raise Refusal(498, "Access token expired", code="TokenExpiredException")
        if credential:
            user = self.credentials.get(credential)
            if user is None:
                raise Refusal(401, "CustomThrottlerGuard - Invalid API Key")
            return user
        if without_credential is None:
            return None
        # A client id alone is no credential; it only names the platform's client (CAL_API_SOURCE.md 1).
        if without_credential == 401 or _CLIENT[0] in request.headers:
            raise Refusal(401, "ApiAuthStrategy - No authentication method provided.")
        raise Refusal(403, "PermissionsGuard - no authentication provided.")

    # The handlers

    def bookings(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        identity, team = _somebody(user).id, request.one("teamId")
        view = View(
            f"user {identity} {team}",
            self.world.versions[identity],
            self.world.seen_by[identity].values(),
            lambda row: not team or str(row.team_id) == team,
        )
        return self._page(request, view, has_cursor=True)

    def organization_bookings(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        organization = self._organization(user, parts)
        members = {
            one.id
            for one in self.world.users.values()
            if one.organization_id == organization
        }
        member, team = parts.get("user"), parts.get("team")
        if member:
            members &= {int(member)}

        def wanted(row: Row) -> bool:
            of = bool(members & row.users)
            return of and (team is None or str(row.team_id) == team)

        name = f"organization {organization} {team} {member}"
        whole = member is None and team is None
        view = self._all(name, wanted, of_team=team is not None)
        return self._page(request, view, has_cursor=whole)

    def team_bookings(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        _somebody(user)
        team = parts["team"]
        view = self._all(
            f"team {team}", lambda row: str(row.team_id) == team, of_team=True
        )
        return self._page(request, view, has_cursor=False)

    def _all(self, name: str, wanted: Wanted, *, of_team: bool = False) -> View:
        filters = self.dialect == "cursor" or not of_team
        return View(name, self.world.version, self.world.rows.values(), wanted, filters)

    def _page(self, request: Request, view: View, *, has_cursor: bool) -> Answer:
        if request.version in _FOREIGN_VERSIONS:
            raise _cannot(request)
        if (
            request.version == CURSOR_VERSION
            and self.dialect == "cursor"
            and has_cursor
        ):
            return self.listing.cursor_page(request, view)
        hosted = request.version == HOSTED_VERSION and self.dialect == "cursor"
        if request.version == OFFSET_VERSION or hosted:
            return self.listing.offset_page(request, view)
        return self.listing.legacy_page(request, view)

    def _organization(self, user: User | None, parts: dict[str, str]) -> int:
        organization = int(parts["organization"])
        if _somebody(user).organization_id != organization:
            raise Refusal(403, "IsOrgGuard - user is not part of the organization")
        return organization

    def booking(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        """Return the booking, or all occurrences of a series, for everybody who knows the uid, without a credential."""
        uid = parts["uid"]
        if uid in self.world.rows:
            if self.world.rows[uid].is_unreadable:
                raise Refusal(500, "Internal server error")
            return success(self.world.payload(uid))
        series = self.world.find(lambda one: one.get("recurringBookingUid") == uid)
        if series:
            return success([self.world.payload(one) for one in series])
        raise Refusal(404, f"Booking with uid={uid} was not found in the database")

    def me(self, request: Request, user: User | None, parts: dict[str, str]) -> Answer:
        return success(_somebody(user).as_me())

    def event_types(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        return event_types.answer(self.world, request, user)

    def memberships(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        team = self._team(request, user, parts)
        return teams.memberships(self.world, request, _somebody(user), team)

    def team_event_types(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        team = self._team(request, user, parts)
        return teams.event_types_of(self.world, request, _somebody(user), team)

    def _team(self, request: Request, user: User | None, parts: dict[str, str]) -> int:
        """Return the team, which self-hosted servers do not have. Raises Refusal."""
        if self.dialect != "cursor":
            raise _cannot(request)
        if "organization" in parts:
            self._organization(user, parts)
        return int(parts["team"])

    def slots(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        return slots.answer(self.world, request)

    def user_webhooks(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        owner = webhooks.of_user(_somebody(user))
        return self._webhooks(owner, request, parts)

    def event_type_webhooks(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        number = int(parts["event_type"])
        owner = webhooks.of_event_type(self.webhooks, _somebody(user), number)
        return self._webhooks(owner, request, parts)

    def team_webhooks(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        if self.dialect != "cursor":
            raise _cannot(request)
        team, number = int(parts["team"]), int(parts["event_type"])
        host = _somebody(user)
        owner = webhooks.of_team_event_type(self.webhooks, host, team, number)
        return self._webhooks(owner, request, parts)

    def organization_webhooks(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        organization = self._organization(user, parts)
        owner = webhooks.Owner("teamId", organization)
        return self._webhooks(owner, request, parts)

    def client_webhooks(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        client = parts["client"]
        owner = webhooks.of_client(self.webhooks, _somebody(user), client)
        return self._webhooks(owner, request, parts)

    def _webhooks(
        self, owner: webhooks.Owner, request: Request, parts: dict[str, str]
    ) -> Answer:
        identity = parts.get("webhook", "")
        return webhooks.answer(self.webhooks, owner, request, identity)

    def oauth_token(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        return self.tokens.of_oauth_client(request)

    def managed_user_token(
        self, request: Request, user: User | None, parts: dict[str, str]
    ) -> Answer:
        return self.tokens.of_managed_user(request, parts["client"])


#: The handlers that check their clients themselves.
_TOKEN_ENDPOINTS = (Routes.oauth_token, Routes.managed_user_token)


def _somebody(user: User | None) -> User:
    if user is None:
        raise Refusal(403, "PermissionsGuard - no authentication provided.")
    return user


def _cannot(request: Request) -> Refusal:
    return Refusal(404, f"Cannot {request.method} {request.full_path}")


def _route(
    method: str, path: str, handler: Handler, without_credential: int | None = 403
) -> Route:
    pattern = re.sub(r"\{(\w+):int\}", r"(?P<\1>\\d+)", path)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    return Route(method, re.compile(pattern), handler, without_credential)


def _webhook_routes(path: str, handler: Handler, *, all_at_once: bool) -> list[Route]:
    """Return the routes of one kind of owner; only some kinds let all webhooks be deleted at once."""
    of_all = ("POST", "GET", "DELETE") if all_at_once else ("POST", "GET")
    of_one = ("GET", "PATCH", "DELETE")
    return [_route(method, path, handler, 401) for method in of_all] + [
        _route(method, f"{path}/{{webhook}}", handler, 401) for method in of_one
    ]


_ORGANIZATION = "/organizations/{organization:int}"
_EVENT_TYPE = "/event-types/{event_type:int}"
ROUTES = [
    _route("GET", "/bookings", Routes.bookings),
    _route("GET", "/bookings/{uid}", Routes.booking, None),
    _route("GET", f"{_ORGANIZATION}/bookings", Routes.organization_bookings),
    _route(
        "GET",
        f"{_ORGANIZATION}/teams/{{team:int}}/bookings",
        Routes.organization_bookings,
    ),
    _route(
        "GET",
        f"{_ORGANIZATION}/users/{{user:int}}/bookings",
        Routes.organization_bookings,
    ),
    _route("GET", "/teams/{team:int}/bookings", Routes.team_bookings),
    *(
        _route("GET", f"{prefix}/teams/{{team:int}}/{name}", handler)
        for prefix in ("", _ORGANIZATION)
        for name, handler in (
            ("memberships", Routes.memberships),
            ("event-types", Routes.team_event_types),
        )
    ),
    _route("GET", "/me", Routes.me, 401),
    _route("GET", "/event-types", Routes.event_types, None),
    _route("GET", "/slots", Routes.slots, None),
    _route("POST", "/auth/oauth2/token", Routes.oauth_token, None),
    _route("POST", "/oauth/{client}/refresh", Routes.managed_user_token, None),
    *_webhook_routes("/webhooks", Routes.user_webhooks, all_at_once=False),
    *_webhook_routes(
        f"{_EVENT_TYPE}/webhooks", Routes.event_type_webhooks, all_at_once=True
    ),
    *_webhook_routes(
        f"/teams/{{team:int}}{_EVENT_TYPE}/webhooks",
        Routes.team_webhooks,
        all_at_once=True,
    ),
    *_webhook_routes(
        f"{_ORGANIZATION}/webhooks", Routes.organization_webhooks, all_at_once=False
    ),
    *_webhook_routes(
        "/oauth-clients/{client}/webhooks", Routes.client_webhooks, all_at_once=True
    ),
]
