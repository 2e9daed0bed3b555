"""Give the accounts that were mirrored before this version the beginning of their mirror.

A row of an account is made when its mirror begins. What Cal.com created since then and the mirror does not have yet is
news; what it created before is history, also where the first full walk is still under way.
"""

from django.db import migrations
from django.db.models import Exists, F, OuterRef, Subquery
from django.utils import timezone


def keep_beginnings(apps, schema_editor):
    alias = schema_editor.connection.alias
    accounts = apps.get_model("cal_bookings", "Account").objects.using(alias)
    bookings = apps.get_model("cal_bookings", "Booking").objects.using(alias)
    states = apps.get_model("cal_bookings", "SyncState").objects.using(alias)

    full = states.filter(account=OuterRef("pk"), mode="full")
    walked = Exists(full.filter(last_completed_at__isnull=False))
    accounts.filter(walked).update(
        mirror_began_at=F("created_at"),
        fully_mirrored_at=Subquery(full.values("last_completed_at")[:1]),
    )
    unfinished = Exists(bookings.filter(account=OuterRef("pk")))
    accounts.filter(unfinished, mirror_began_at=None).update(
        mirror_began_at=F("created_at")
    )
    # An account whose server or scope changed lost its changes loop until the next full walk. When that mirror began is
    # not known. The list of a team never has that loop.
    changes = Exists(states.filter(account=OuterRef("pk"), mode="changes"))
    moved = [
        pk
        for pk, scope in accounts.filter(walked, ~changes).values_list("pk", "scope")
        if "team" not in (scope or {})
    ]
    for start in range(0, len(moved), 500):
        accounts.filter(pk__in=moved[start : start + 500]).update(
            mirror_began_at=timezone.now(), fully_mirrored_at=None
        )


class Migration(migrations.Migration):
    dependencies = [
        ("cal_bookings", "0002_first_mirror"),
    ]

    operations = [
        migrations.RunPython(keep_beginnings, migrations.RunPython.noop, elidable=True),
    ]
