"""The options that all tasks share."""

from typing import Any

from cal_bookings import conf

#: A message is acknowledged when its task is done, so that a worker that dies hands it on; no result is kept, because
#: nobody waits for it. The time limits are below LEASE_SECONDS, so that a task that hangs ends before its lease goes to
#: another worker; and far below the hour after which Redis hands out again what was not acknowledged. Celery keeps time
#: limits in processes only: in a pool of threads a request ends by TIMEOUT, a whole answer after four times as long,
#: and a worker that waits longer than its lease for anything else can no longer write.
OPTIONS: dict[str, Any] = {
    "acks_late": True,
    "ignore_result": True,
    "soft_time_limit": conf.TASK_SECONDS - 30,
    "time_limit": conf.TASK_SECONDS,
}


def routing() -> dict[str, Any]:
    """Return where to send a task: to CAL_BOOKINGS["QUEUE"], or to the default queue of the site's Celery."""
    queue = conf.get("QUEUE")
    return {"queue": queue} if queue else {}
