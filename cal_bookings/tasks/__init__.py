"""The Celery tasks, thin layers over plain functions. No other module of the app knows Celery.

Tasks take ids, leave no result, are safe to run twice, and may be lost: due work stands in the database, and the
periodic tasks of `BEAT_SCHEDULE` find it. The app registers the tasks itself when Django starts; this module imports no
model, so that settings may say ``CELERY_BEAT_SCHEDULE = {**BEAT_SCHEDULE}``.
"""

from cal_bookings.tasks.schedule import BEAT_SCHEDULE

__all__ = ["BEAT_SCHEDULE"]
