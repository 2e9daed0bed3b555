"""Tasks that run where they are called, as if a worker were there at once."""

import pytest
from celery import current_app

from cal_bookings.models import Account


@pytest.fixture
def at_once():
    """Whatever is enqueued runs before `apply_async` returns."""
    before = current_app.conf.task_always_eager
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = before


@pytest.fixture
def account(db: None, cal) -> Account:
    return Account.objects.configured().get()
