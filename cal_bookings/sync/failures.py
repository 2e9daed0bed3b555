"""What fails alone: one booking, or one list that bookings do without, and not the walk."""

import logging

from cal_bookings import client
from cal_bookings.models import SyncRun

logger = logging.getLogger(__name__)

#: A run keeps the first failures whole; the count goes on.
KEPT = 100


def count(run: SyncRun, place: str, uid: str, error: str) -> None:
    """One booking that could not be mirrored; saves nothing."""
    logger.warning("%s: %s could not be mirrored: %s", run.account, place, error)
    run.failed += 1
    if len(run.failures) < KEPT:
        run.failures.append({"place": place, "uid": uid, "error": error})


def is_alone(error: client.CalError) -> bool:
    """Whether Cal.com fails with the one thing that was asked for: the others can be asked for all the same.

    A 500 too: some bookings it answers with nothing else. A walk that ended at one would end there each time. Without
    an answer, or with that of a proxy (502 to 504), it is the server that fails.
    """
    if isinstance(error, client.CalUnavailable):
        return error.status == 500
    kinds = (
        client.CalForbidden,
        client.CalNotFound,
        client.CalRefused,
        client.CalUnexpected,
    )
    return isinstance(error, kinds)
