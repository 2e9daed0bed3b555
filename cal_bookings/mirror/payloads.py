"""The payloads before they become rows: their equality, and the values in them that a database can store."""

import json
import re
from hashlib import blake2b
from typing import Any

#: The keys that answers to actions carry and lists do not [rec 038, 047]: with them, each action would be followed by a
#: write of the same booking without them.
ANSWER_ONLY_KEYS = frozenset({"isPlatformManagedUserBooking", "seatUid"})


def mirrored(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload as a list would show it."""
    if ANSWER_ONLY_KEYS.isdisjoint(payload):
        return payload
    return {key: value for key, value in payload.items() if key not in ANSWER_ONLY_KEYS}


#: The pattern of NUL and of surrogates, which in pairs are characters: cleaning leaves pairs alone.
_SUSPICIOUS = re.compile(r"\\u(?:0000|d[89a-f])")

#: The greatest depth of a payload; Cal.com nests a dozen levels. Python's own limit counts the caller's frames too, so
#: that a caller could store a payload near it that another caller could not read.
DEEPEST = 100


class TooDeep(ValueError):
    """A payload is nested so deeply that not every caller could read it again."""

    def __init__(self) -> None:
        super().__init__(f"nested deeper than {DEEPEST} levels")


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


#: The key of a booking's attendees, which Cal.com lists in no order: the plan of its query decides, so that a list and
#: a GET differ.
UNORDERED = "attendees"


def canonical(payload: dict[str, Any]) -> str:
    """Return the same ASCII text for equal payloads, whatever the order of their keys and attendees. Raises TooDeep."""
    try:
        people = payload.get(UNORDERED)
        if isinstance(people, list) and len(people) > 1:
            payload = payload | {UNORDERED: in_order(people)}
        return _encode(payload)
    except RecursionError:
        raise TooDeep from None


def in_order(values: Any) -> Any:
    """Return a list in a sorted order, which is the same for equal sets of values; return any other value as it is."""
    return sorted(values, key=_encode) if isinstance(values, list) else values


def are_same(payload: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two payloads hold the same values, in any order."""
    return canonical(payload) == canonical(other)


def fingerprint(text: str) -> str:
    """Return the hash of a payload's canonical text, of 32 characters."""
    return blake2b(text.encode("ascii"), digest_size=16).hexdigest()


def storable(payload: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the payload without NUL characters and lone surrogates, which JSON may hold and PostgreSQL refuses.

    Raises TooDeep if the payload is nested more than `DEEPEST` levels.
    """
    # The count of brackets is fast and nearly always enough.
    if text.count("{") + text.count("[") > DEEPEST and _is_deeper(payload, DEEPEST):
        raise TooDeep
    return _clean_object(payload) if _SUSPICIOUS.search(text) else payload


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    else:
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


def _clean_object(value: dict[str, Any]) -> dict[str, Any]:
    return {_clean(key): _clean(item) for key, item in value.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return _clean_object(value)
    return value
