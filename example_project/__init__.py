"""A small Django site around `cal_bookings`: the demo, and the settings of the tests."""

from example_project.celery import app as celery_app

__all__ = ["celery_app"]
