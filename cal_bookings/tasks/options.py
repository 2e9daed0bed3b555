"""What all tasks have in common."""

from typing import Any

from cal_bookings import conf

#: Acknowledged when done, so that a worker that dies hands its message on; no result, for nobody waits for one.
#: Below LEASE_SECONDS, so that a task that hangs ends before its lease goes to another worker; and far below the
#: hour after which Redis hands out again what was not acknowledged. Celery keeps time limits in processes only: in a
#: pool of threads a request ends by TIMEOUT, a whole answer after four times as long, and a worker that waits longer
#: than its lease for anything else can no longer write.
OPTIONS: dict[str, Any] = {
    "acks_late": True,
    "ignore_result": True,
    "soft_time_limit": conf.TASK_SECONDS - 30,
    "time_limit": conf.TASK_SECONDS,
}


def routing() -> dict[str, Any]:
    """Where to send a task: CAL_BOOKINGS["QUEUE"], or wherever the site's Celery sends it."""
    queue = conf.get("QUEUE")
    return {"queue": queue} if queue else {}
