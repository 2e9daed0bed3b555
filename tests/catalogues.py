"""Translations for tests, compiled and read by gettext itself."""

import struct
from collections.abc import Mapping
from pathlib import Path

HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"


def compile_catalogue(directory: Path, language: str, texts: Mapping[str, str]) -> None:
    """Write `texts` as the catalogue of `language`, for LOCALE_PATHS. The forms of a plural are joined with NUL."""
    path = directory / language / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(_compiled({"": HEADER, **texts}))


def _compiled(texts: Mapping[str, str]) -> bytes:
    """The format of GNU gettext: a header, two tables of lengths and offsets, and the strings, ended with NUL."""
    pairs = sorted((key.encode(), text.encode()) for key, text in texts.items())
    strings = [key for key, _ in pairs] + [text for _, text in pairs]
    tables = 7 * 4
    offset = tables + len(strings) * 8
    entries = b""
    for string in strings:
        entries += struct.pack("<II", len(string), offset)
        offset += len(string) + 1
    of_texts = tables + len(pairs) * 8
    header = struct.pack("<7I", 0x950412DE, 0, len(pairs), tables, of_texts, 0, 0)
    return header + entries + b"".join(string + b"\0" for string in strings)
