"""Remember that the bookings of existing accounts were derived by the first version of the parser.

An account without a row is taken for a new one, of which the current version derives everything.
"""

from django.db import migrations

AT_ONCE = 1000


def remember_version_1(apps, schema_editor):
    alias = schema_editor.connection.alias
    accounts = apps.get_model("cal_bookings", "Account").objects.using(alias)
    derivation = apps.get_model("cal_bookings", "Derivation")
    after = 0
    while pks := list(
        accounts.filter(pk__gt=after)
        .order_by("pk")
        .values_list("pk", flat=True)[:AT_ONCE]
    ):
        after = pks[-1]
        derivation.objects.using(alias).bulk_create(
            [derivation(account_id=pk, parser_version=1) for pk in pks],
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("cal_bookings", "0008_derivation"),
    ]

    operations = [
        migrations.RunPython(
            remember_version_1, migrations.RunPython.noop, elidable=True
        ),
    ]
