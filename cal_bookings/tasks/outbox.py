"""The tasks of the outbox: an action is delivered at once, and the sweep finds missed and postponed actions."""

from typing import Any

from celery import shared_task
from django.dispatch import receiver

from cal_bookings import conf, outbox, signals, slots
from cal_bookings.models import BookingAction
from cal_bookings.tasks.options import OPTIONS, routing
from cal_bookings.tasks.schedule import SWEEP_EVERY
from cal_bookings.tasks.waking import waker

#: The greatest number of actions that one sweep hands out; the next sweep is near.
SWEPT = 1000


@shared_task(name="cal_bookings.deliver_action", **OPTIONS)
def deliver_action(action_id: int) -> None:
    """Take a turn at one action; if that ends the action, the next action of its lane is due."""
    action = outbox.deliver(action_id)
    if action and not action.is_open:
        slots.release_held_by(action)
        following = outbox.following(action)
        if following:
            deliver_action.apply_async((following,), **routing())


@shared_task(name="cal_bookings.deliver_due_actions", **OPTIONS)
def deliver_due_actions() -> None:
    """Enqueue `deliver_action` for each due action: the guarantee that no action is forgotten."""
    for action_id in outbox.due(SWEPT):
        deliver_action.apply_async((action_id,), expires=SWEEP_EVERY, **routing())


UNABLE_TO_WAKE = (
    "Could not wake a worker: %s. The action stays in the outbox: the periodic task cal_bookings.deliver_due_actions "
    'delivers it, and so does `manage.py cal_push`. A site without Celery sets CAL_BOOKINGS["WORKER"] to None.'
)


@receiver(
    signals.action_enqueued,
    sender=BookingAction,
    dispatch_uid="cal_bookings.deliver_action",
)
def wake_a_worker(action: BookingAction, **_: Any) -> None:
    """Wake a worker for `action`, unless the site has none. Runs after commit; an exception is logged by the sender."""
    if conf.get("WORKER") == "celery":
        waker.wake(deliver_action, action.pk, UNABLE_TO_WAKE)
