from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cal_bookings", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="fully_mirrored_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When the first full walk of this mirror was complete.",
                null=True,
                verbose_name="fully mirrored at",
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="mirror_began_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="Cal.com's clock at its first answer. Bookings created before are history, and not announced.",
                null=True,
                verbose_name="mirror began at",
            ),
        ),
    ]
