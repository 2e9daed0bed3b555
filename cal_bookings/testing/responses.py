"""The answers in the shapes that Cal.com gives them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    422: "Unprocessable Entity",
}
_CODES = {
    400: "BadRequestException",
    401: "UnauthorizedException",
    403: "ForbiddenException",
    404: "NotFoundException",
    409: "ConflictException",
    422: "UnprocessableEntityException",
}
#: Errors of these codes have no details [rec 063, 305, 530].
_WITHOUT_DETAILS = frozenset({"BAD_REQUEST", "INTERNAL_SERVER_ERROR", "TRPCError"})


@dataclass
class Request:
    """A request as the server understood it."""

    method: str
    #: The path of the request line, such as /v2/bookings.
    full_path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any = None
    #: The reason why the server could not read the body.
    unreadable: Refusal | None = None
    #: The status of the answer; 0 before it.
    status: int = 0

    @property
    def path(self) -> str:
        """Return the path without the prefix of the API, such as /bookings; "" if it has none [rec 344-347]."""
        for prefix in ("/api/v2/", "/v2/"):
            if self.full_path.startswith(prefix):
                return "/" + self.full_path.removeprefix(prefix).rstrip("/")
        return ""

    @property
    def version(self) -> str:
        return self.headers.get("cal-api-version", "")

    @property
    def is_form(self) -> bool:
        return "form-urlencoded" in self.headers.get("content-type", "")

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[-1]


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


class Refusal(Exception):
    """The end of a request with an error in Cal.com's shape."""

    def __init__(
        self, status: int, message: str, *, code: str = "", details: Any = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or _CODES.get(status, "InternalServerErrorException")
        self.details = details

    def answer(self, request: Request, timestamp: str) -> Answer:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.code not in _WITHOUT_DETAILS:
            error["details"] = self.details or {
                "message": self.message,
                "error": _REASONS.get(self.status, "Internal Server Error"),
                "statusCode": self.status,
            }
        envelope = {"status": "error", "timestamp": timestamp}
        path = {"path": request.full_path}
        return as_json(envelope | path | {"error": error}, self.status)


class Bare(Refusal):
    """The end of a request with an error of the booking core, without the envelope [rec 049, 222]."""

    def answer(self, request: Request, timestamp: str) -> Answer:
        body = {"statusCode": self.status, "message": self.message}
        return as_json(body, self.status)


def invalid(name: str, value: Any, **constraints: str) -> Refusal:
    """Return the refusal of a query parameter that does not pass validation."""
    error = {"target": {name: value}, "value": value, "property": name}
    return invalid_body([error | {"children": [], "constraints": constraints}])


def invalid_body(errors: list[dict[str, Any]]) -> Refusal:
    """Return the refusal of a body with these fields that do not pass validation."""
    return Refusal(400, "Bad Request Exception", details={"errors": errors})


def as_json(body: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body, ensure_ascii=False).encode())


def success(data: Any, **more: Any) -> Answer:
    return as_json({"status": "success", "data": data, **more})
