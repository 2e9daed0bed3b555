"""Tasks that run where they are called, as if a worker were there at once; or one by one, from the broker's queue."""

from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Message:
    """What a worker gets from the broker."""

    task: str
    arguments: list[Any]
    expires: str | None

    def work(self) -> None:
        """As often as it is delivered."""
        current_app.tasks[self.task].apply(tuple(self.arguments), throw=True)


class Broker:
    """The queue of the site's broker, which is in memory, first in and first out."""

    def __init__(self, queue: Any) -> None:
        self.queue = queue

    def __len__(self) -> int:
        return int(self.queue.qsize())

    def deliver(self) -> Message:
        """The first message, acknowledged."""
        message = self.queue.get_nowait()
        message.ack()
        arguments, _, _ = message.payload
        return Message(message.headers["task"], arguments, message.headers["expires"])


@pytest.fixture
def broker():
    """Whatever is enqueued waits until it is delivered."""
    with current_app.connection_for_write() as connection:
        queue = connection.SimpleQueue(current_app.conf.task_default_queue)
        queue.clear()
        yield Broker(queue)
        queue.clear()
        queue.close()


@pytest.fixture
def account(db: None, cal) -> Account:
    return Account.objects.configured().get()
