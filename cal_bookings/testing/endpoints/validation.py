"""The validation of the bodies of requests: the constraints of each field, and Cal.com's two shapes of refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from cal_bookings.testing.responses import (
    Refusal,
    Request,
    invalid,
    invalid_body,
)

#: A function that takes a field's name and a value, and returns the broken constraints by the names of their rules.
Check = Callable[[str, Any], dict[str, str]]

LANGUAGES = (
    *("ar", "ca", "de", "es", "eu", "he", "id", "ja", "lv", "pl", "ro", "sr", "th"),
    *("vi", "az", "cs", "el", "es-419", "fi", "hr", "it", "km", "nl", "pt", "ru"),
    *("sv", "tr", "zh-CN", "bg", "da", "en", "et", "fr", "hu", "iw", "ko", "no"),
    *("pt-BR", "sk", "ta", "uk", "zh-TW", "bn"),
)
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s.,;<>]+(\.[^@\s.,;<>]+)+")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_TIME_ZONES = available_timezones()
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")


def is_email(value: Any) -> bool:
    return isinstance(value, str) and _EMAIL.fullmatch(value) is not None


def is_phone(value: Any) -> bool:
    """Return whether a text is a phone number in the international format."""
    plain = re.sub(r"[ ().-]", "", value) if isinstance(value, str) else ""
    return _PHONE.fullmatch(plain) is not None


def is_url(value: Any) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    if parts is None or parts.scheme not in ("http", "https"):
        return False
    return "." in parts.netloc.strip(".") and " " not in str(value)


def is_time_zone(value: Any) -> bool:
    return isinstance(value, str) and value in _TIME_ZONES


def read_instant(value: Any) -> datetime | None:
    """Return an aware time; one without a zone is read as UTC [rec 371]. None if the value is no ISO 8601 date."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        utc = zoned.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # Python's calendar ends with the year 9999: an end or a next week must fit in it.
    return utc if utc.year < 9999 else None


@dataclass(frozen=True)
class Field:
    """The constraints of a field. Cal.com skips an optional field whose value is null."""

    check: Check | None = None
    required: bool = False
    #: The fields of the object that it holds, or of each object in the list that it holds.
    inner: Mapping[str, Field] = field(default_factory=dict)
    each: bool = False


@dataclass(frozen=True)
class Broken:
    """A field that breaks a constraint, or that has an inner field which does."""

    target: Any
    name: str
    value: Any
    constraints: dict[str, str]
    children: list[Broken] = field(default_factory=list)

    def in_words(self) -> str:
        """Return the text of the routes that refuse unknown fields [rec 365, 369]."""
        own = f"{self.name} property is wrong,{', '.join(self.constraints.values())} "
        return own + ", ".join(child.in_words() for child in self.children)

    def as_error(self) -> dict[str, Any]:
        """Return the error object of the other routes [rec 288]."""
        return {
            "target": self.target,
            "value": self.value,
            "property": self.name,
            "children": [child.as_error() for child in self.children],
            "constraints": self.constraints,
        }


def broken_fields(
    fields: Mapping[str, Field], body: Mapping[str, Any], *, unknown: bool
) -> Iterator[Broken]:
    """Yield the broken fields of a body; `unknown` says whether unknown fields are errors too."""
    if unknown:
        for name in body:
            if name not in fields:
                message = {"whitelistValidation": f"property {name} should not exist"}
                yield Broken(body, name, body[name], message)
    for name, wanted in fields.items():
        value = body.get(name)
        if value is None and not wanted.required:
            continue
        constraints = wanted.check(name, value) if wanted.check else {}
        children = [] if constraints else list(_within(wanted, value, unknown=unknown))
        if constraints or children:
            yield Broken(body, name, value, constraints, children)


def _within(wanted: Field, value: Any, *, unknown: bool) -> Iterator[Broken]:
    if not wanted.inner:
        return
    if not wanted.each:
        yield from broken_fields(wanted.inner, value, unknown=unknown)
        return
    for place, item in enumerate(value):
        if not isinstance(item, dict):
            message = {"nestedValidation": "each value must be an object"}
            yield Broken(value, str(place), item, message)
            continue
        problems = list(broken_fields(wanted.inner, item, unknown=unknown))
        if problems:
            yield Broken(value, str(place), item, {}, problems)


def refuse_strictly(fields: Mapping[str, Field], body: Mapping[str, Any]) -> None:
    """Refuse unknown fields, in words, as create, reschedule and cancel do [rec 065, 146, 233]. Raises Refusal."""
    problems = list(broken_fields(fields, body, unknown=True))
    if problems:
        raise Refusal(400, ", ".join(problem.in_words() for problem in problems))


def refuse(fields: Mapping[str, Field], body: Mapping[str, Any]) -> None:
    """Drop unknown fields, and refuse with objects, as the other routes do [rec 288, 337]. Raises Refusal."""
    problems = list(broken_fields(fields, body, unknown=False))
    if problems:
        raise invalid_body([problem.as_error() for problem in problems])


def _rule(name: str, holds: Callable[[Any], bool], text: str) -> Check:
    def check(field_name: str, value: Any) -> dict[str, str]:
        return {} if holds(value) else {name: text.format(field_name)}

    return check


def _is_integer(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and value % 1 == 0
    )


text = _rule("isString", lambda value: isinstance(value, str), "{} must be a string")
boolean = _rule(
    "isBoolean", lambda value: isinstance(value, bool), "{} must be a boolean value"
)
integer = _rule("isInt", _is_integer, "{} must be an integer number")
mapping = _rule(
    "isObject", lambda value: isinstance(value, dict), "{} must be an object"
)
email = _rule("isEmail", is_email, "{} must be an email")
url = _rule("isUrl", is_url, "{} must be a URL address")
time_zone = _rule("isTimeZone", is_time_zone, "{} must be a valid IANA time-zone")
instant = _rule(
    "isDateString",
    lambda value: read_instant(value) is not None,
    "{} must be a valid ISO 8601 date string",
)


def one_of(values: Sequence[str]) -> Check:
    """Return the check for a word of a list, which the refusal shows."""
    listed = ", ".join(values)
    message = f"{{}} must be one of the following values: {listed}"
    return _rule("isEnum", lambda value: value in values, message)


language = one_of(LANGUAGES)
phone = _rule(
    "isValidPhoneNumber",
    lambda value: value == "" or is_phone(value),
    "Invalid phone number format. Please use international format.",
)


def positive(name: str, value: Any) -> dict[str, str]:
    problems = integer(name, value)
    if problems or value < 1:
        problems = {"min": f"{name} must not be less than 1"} | problems
    return problems


def list_of(check: Check, *, least: int = 0, most: int | None = None) -> Check:
    """Return the check for a list whose items pass `check`, with bounds for its length."""

    def all_of(name: str, value: Any) -> dict[str, str]:
        if not isinstance(value, list):
            return {"isArray": f"{name} must be an array"}
        if len(value) < least:
            return {"arrayMinSize": f"{name} must contain at least {least} elements"}
        if most is not None and len(value) > most:
            return {"arrayMaxSize": f"Cannot add more than {most} {name} at a time"}
        for item in value:
            for rule, message in check(name, item).items():
                return {rule: f"each value in {message}"}
        return {}

    return all_of


def anything(name: str, value: Any) -> dict[str, str]:
    return {}


def query_number(
    request: Request, name: str, *, default: int, least: int, most: int | None
) -> int:
    """Return a number of the query. Raises Refusal for a number out of its bounds, or for another text."""
    if name not in request.query:
        return default
    text = request.one(name)
    try:
        value = int(float(text))
    except (ValueError, OverflowError):
        message = f"{name} must be a number conforming to the specified constraints"
        broken = {"isNumber": message, "min": f"{name} must not be less than {least}"}
        if most is not None:
            broken["max"] = f"{name} must not be greater than {most}"
        raise invalid(name, text, **broken) from None
    if value < least:
        raise invalid(name, value, min=f"{name} must not be less than {least}")
    if most is not None and value > most:
        raise invalid(name, value, max=f"{name} must not be greater than {most}")
    return value
