"""Payloads before they become rows: when two are the same, and what a database can store of them."""

import json
import re
from hashlib import blake2b
from typing import Any

#: Keys that answers to actions carry and lists do not [rec 038, 047]: with them, each action would be followed by a
#: write of the same booking without them.
ANSWER_ONLY_KEYS = frozenset({"isPlatformManagedUserBooking", "seatUid"})


def mirrored(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as a list would show it."""
    if ANSWER_ONLY_KEYS.isdisjoint(payload):
        return payload
    return {key: value for key, value in payload.items() if key not in ANSWER_ONLY_KEYS}


#: NUL, and surrogates, which in pairs are characters: cleaning leaves those alone.
_SUSPICIOUS = re.compile(r"\\u(?:0000|d[89a-f])")

#: The same text for equal payloads, whatever the order of their keys; ASCII.
canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def fingerprint(text: str) -> str:
    """Of a payload's canonical text; 32 characters."""
    return blake2b(text.encode("ascii"), digest_size=16).hexdigest()


def storable(payload: dict[str, Any], text: str) -> dict[str, Any]:
    """The payload without the two things JSON may hold and PostgreSQL refuses: NUL characters and lone surrogates."""
    return _clean_object(payload) if _SUSPICIOUS.search(text) else payload


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
