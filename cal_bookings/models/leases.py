"""Rows that one worker at a time works on, anywhere in the cluster."""

import os
import socket
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cal_bookings import conf


def worker() -> str:
    """Return the name of this process: its host and its process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_gone(name: str) -> bool:
    """Return whether `name` is a process of this host that has ended, so that no worker needs to wait for its lease.

    The result is wrong if two containers share a host name; the lease token still keeps both from writing.
    """
    host, _colon, pid = name.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def lease_end() -> datetime:
    """Return the time at which a lease that is taken or renewed now runs out."""
    return timezone.now() + timedelta(seconds=conf.get("LEASE_SECONDS"))


def is_free(column: str = "lease_until") -> Q:
    """Return the condition that no worker holds the row: its lease was given back or has run out."""
    return Q(**{column: None}) | Q(**{f"{column}__lte": timezone.now()})


class Leased(models.Model):
    """A row with a lease: the number of its last holder, and the time until which the row is reserved for that holder.

    Taking the lease adds 1 to `lease_token`. A worker writes only while the token is the one that it took, so a worker
    that was paused until another worker took over can no longer write, however late it wakes up.
    """

    lease_token = models.BigIntegerField(_("lease token"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)

    class Meta:
        abstract = True

    def take_lease(
        self, rows: "models.QuerySet[Self] | None" = None, **columns: Any
    ) -> bool:
        """Take the lease and write `columns` if the row is unchanged and in `rows`; return whether the lease was taken.

        A conditional UPDATE decides between two workers. Every write of a holder changes the token or the end of the
        lease, so the row that was read is the row that is taken. The lease lasts LEASE_SECONDS unless `columns` sets an
        end.
        """
        if rows is None:
            rows = type(self)._default_manager.all()
        as_read = rows.filter(
            pk=self.pk, lease_token=self.lease_token, lease_until=self.lease_until
        )
        columns = {"lease_until": lease_end()} | columns
        columns["lease_token"] = self.lease_token + 1
        if not as_read.update(**columns):
            return False
        for name, value in columns.items():
            setattr(self, name, value)
        return True

    def write_leased(self, **columns: Any) -> bool:
        """Write `columns` in one UPDATE if this worker still holds the lease; return whether it does.

        The instance is not changed, because a transaction around the call may be rolled back.
        """
        rows = type(self)._default_manager.filter(
            pk=self.pk, lease_token=self.lease_token
        )
        return bool(rows.update(**columns))
