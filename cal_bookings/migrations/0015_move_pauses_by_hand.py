"""Move the pauses by hand to columns of their own.

Until now, such a pause was a circuit that is open until the year 9999, and its reason named the person. When it began
is not known: `paused_at` is the time of the migration.
"""

from datetime import UTC, datetime

from django.db import migrations
from django.db.models import F
from django.utils import timezone

UNTIL_RESUMED = datetime(9999, 1, 1, tzinfo=UTC)


def accounts(apps, schema_editor):
    alias = schema_editor.connection.alias
    return apps.get_model("cal_bookings", "Account").objects.using(alias)


def move(apps, schema_editor):
    paused = accounts(apps, schema_editor).filter(circuit_open_until=UNTIL_RESUMED)
    paused.update(paused_at=timezone.now(), pause_reason=F("circuit_reason"))
    paused.update(circuit_open_until=None, circuit_reason="")


def move_back(apps, schema_editor):
    for account in (
        accounts(apps, schema_editor)
        .exclude(paused_at=None)
        .only("paused_by", "pause_reason")
    ):
        person = account.paused_by and f"Paused by hand by {account.paused_by}."
        account.circuit_open_until = UNTIL_RESUMED
        account.circuit_reason = f"{person} {account.pause_reason}".strip()
        account.circuit_failures, account.circuit_key = 0, ""
        account.save(
            update_fields=[
                "circuit_open_until",
                "circuit_reason",
                "circuit_failures",
                "circuit_key",
            ]
        )


class Migration(migrations.Migration):
    dependencies = [
        ("cal_bookings", "0014_pauses_by_hand"),
    ]

    operations = [
        migrations.RunPython(move, move_back, elidable=True),
    ]
