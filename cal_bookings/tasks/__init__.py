"""Celery: thin tasks over plain functions. The only module of the app that knows it.

Tasks take ids, leave no result, are safe to run twice, and may be lost: what is due stands in the database, and the
periodic tasks of `BEAT_SCHEDULE` find it. The app registers the tasks itself when Django starts; this module imports
no model, so that settings may say ``CELERY_BEAT_SCHEDULE = {**BEAT_SCHEDULE}``.
"""

from cal_bookings.tasks.schedule import BEAT_SCHEDULE

__all__ = ["BEAT_SCHEDULE"]
