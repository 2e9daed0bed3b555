"""The languages in which Cal.com writes to attendees."""

from __future__ import annotations

#: The codes that Cal.com accepts according to its contract; it refuses any other with 400.
LANGUAGES = frozenset(
    {
        *("ar", "ca", "de", "es", "eu", "he", "id", "ja", "lv", "pl", "ro", "sr", "th"),
        *("vi", "az", "cs", "el", "es-419", "fi", "hr", "it", "km", "nl", "pt", "ru"),
        *("sv", "tr", "zh-CN", "bg", "da", "en", "et", "fr", "hu", "iw", "ko", "no"),
        *("pt-BR", "sk", "ta", "uk", "zh-TW", "bn"),
    }
)
