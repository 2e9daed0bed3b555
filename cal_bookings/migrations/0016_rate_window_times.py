"""Keep the times of a rate window as times.

A window is a cache of at most a minute or so: what is open is forgotten, in both directions, and the next response of
Cal.com says how it stands. The rows stay.
"""

from django.db import migrations, models


def time(verbose_name):
    return models.DateTimeField(verbose_name, null=True, blank=True)


class Migration(migrations.Migration):
    dependencies = [
        ("cal_bookings", "0015_move_pauses_by_hand"),
    ]

    operations = [
        migrations.RemoveField("ratewindow", "number"),
        migrations.RemoveField("ratewindow", "began"),
        migrations.RemoveField("ratewindow", "ends"),
        migrations.RemoveField("ratewindow", "opening_until"),
        migrations.RemoveField("ratewindow", "blocked_until"),
        migrations.AddField("ratewindow", "began_at", time("began at")),
        migrations.AddField("ratewindow", "ends_at", time("ends at")),
        migrations.AddField("ratewindow", "opening_until", time("opening until")),
        migrations.AddField("ratewindow", "blocked_until", time("blocked until")),
    ]
