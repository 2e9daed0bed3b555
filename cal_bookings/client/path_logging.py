"""The filter that keeps uids out of urllib3's lines at DEBUG: its line for a request holds the path and the query.

On Cal.com a uid opens a booking without a credential. Only the lines of our own requests are changed: those of the
site's other requests pass as they are, whatever the thread.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_shown: ContextVar[str] = ContextVar("cal_bookings_shown_path", default="")


@contextmanager
def logged_as(path: str) -> Iterator[None]:
    """Show `path`, such as /bookings/{uid}, in place of the real one of the requests made here."""
    token = _shown.set(path)
    try:
        yield
    finally:
        _shown.reset(token)


class _Discreet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        path = _shown.get()
        if path and isinstance(record.args, tuple):
            record.args = tuple(path if _is_target(arg) else arg for arg in record.args)
        return True


def _is_target(value: object) -> bool:
    """Return whether this is the target of the request: a path, or a whole address for a proxy."""
    return isinstance(value, str) and (value.startswith("/") or "://" in value)


# This is the only place that sees the line before the handlers of the site, of which there may be any number.
logging.getLogger("urllib3.connectionpool").addFilter(_Discreet())
