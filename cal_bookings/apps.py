from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CalBookingsConfig(AppConfig):
    name = "cal_bookings"
    verbose_name = _("Cal.com bookings")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("cal_bookings.checks")
        import_module("cal_bookings.database_checks")
        # These imports register the tasks with the site's Celery app, autodiscovered or not.
        import_module("cal_bookings.tasks.retention")
        import_module("cal_bookings.tasks.slots")
        import_module("cal_bookings.tasks.sync")
        # This module also wakes a worker for each action that is enqueued.
        import_module("cal_bookings.tasks.outbox")
        # This module wakes a worker for deliveries of webhooks.
        import_module("cal_bookings.tasks.webhooks")
