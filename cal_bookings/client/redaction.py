"""The redaction of a server's words to one bounded line without credentials, uids and e-mail addresses."""

from __future__ import annotations

import re
from urllib.parse import quote

_WORDS = 300  # characters of a server's words
_EMAIL = re.compile(r"[^\s=:<>\"']+@[^\s=:<>\"']+")
_QUERY = re.compile(r"\?\S*")
# Uids, keys and tokens are long words with a digit in them. Error codes have no digit.
_TOKEN = re.compile(r"(?=[\w-]*\d)[\w-]{20,}")
#: The least length of a secret: a shorter text would be found in ordinary words.
_SHORTEST = 4  # characters
_NOTHING = re.compile(r"(?!)")


class Secrets:
    """The values that must not be shown, whatever their form. No `repr` shows them either.

    Each value is hidden as it is and as a part of a URL, in upper and lower case. So are the parts between its dots, of
    which the middle one of a JWT holds the claims.
    """

    def __init__(self, *values: str) -> None:
        self._values = values
        forms = {form for value in values for form in _forms(value)}
        longest_first = sorted(map(re.escape, forms), key=len, reverse=True)
        joined = "|".join(longest_first)
        self._pattern = re.compile(joined, re.IGNORECASE) if joined else _NOTHING

    def __repr__(self) -> str:
        return "<secrets>"

    def including(self, *values: str) -> Secrets:
        return Secrets(*self._values, *values)

    def hide(self, text: str) -> str:
        return self._pattern.sub("…", text)


def _forms(value: str) -> list[str]:
    forms = [value, quote(value, safe=""), *value.split(".")]
    return [form for form in forms if len(form) >= _SHORTEST]


def redact(text: str, secrets: Secrets | None = None) -> str:
    """Return a server's words as one bounded line without secrets, e-mail addresses, queries and uids."""
    text = secrets.hide(text) if secrets else text
    for pattern in (_EMAIL, _QUERY, _TOKEN):
        text = pattern.sub("…", text)
    return printable(text, _WORDS)


def printable(text: str, limit: int) -> str:
    """Return the text as one line of at most `limit` printable characters."""
    line = " ".join(text.split())
    return "".join(char for char in line if char.isprintable())[:limit]
