"""System checks of the settings that the app's database depends on."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db import connections

from cal_bookings import db


@checks.register
def check_time_zones(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Report USE_TZ = False: all times of the mirror are aware, and the database then refuses or confuses them."""
    if settings.USE_TZ:
        return []
    return [
        checks.Error(
            "USE_TZ is False, but every time that Cal.com sends has a time zone: bookings cannot be mirrored.",
            hint="Set USE_TZ = True (the default of Django). TIME_ZONE may be any zone.",
            id="cal_bookings.E009",
        )
    ]


@checks.register
def check_sqlite(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Warn of SQLite transactions that do not take the write lock first: processes then refuse each other's writes."""
    connection = connections[db.alias()]
    if connection.vendor != "sqlite" or not _is_in_a_file(connection.settings_dict):
        return []
    options = connection.settings_dict["OPTIONS"]
    mode = str(options.get("transaction_mode", "")).upper()
    if mode in {"IMMEDIATE", "EXCLUSIVE"}:
        return []
    return [
        checks.Warning(
            f'The database "{db.alias()}" is SQLite without "transaction_mode": a process that writes while another one '
            'does may end with "database is locked".',
            hint=(
                f'Set DATABASES["{db.alias()}"]["OPTIONS"] to {{"transaction_mode": "IMMEDIATE", "timeout": 20, '
                '"init_command": "PRAGMA journal_mode=WAL"}.'
            ),
            id="cal_bookings.W004",
        )
    ]


def _is_in_a_file(database: dict[str, Any]) -> bool:
    name = str(database["NAME"])
    return name != ":memory:" and "mode=memory" not in name
