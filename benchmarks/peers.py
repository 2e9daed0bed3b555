"""What one would do without us: a pipeline of dlt, or one object at a time with the ORM."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from benchmarks import limit

DATASET = "dlt_peer"


@contextmanager
def dlt_pipeline(database_url: str) -> Iterator[Any]:
    """An empty dataset, and a pipeline into it."""
    os.environ["DESTINATION__POSTGRES__CREDENTIALS"] = database_url
    # dlt insists on one, also where the server trusts local connections.
    os.environ.setdefault("DESTINATION__POSTGRES__CREDENTIALS__PASSWORD", "none")
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt

    with psycopg.connect(database_url) as database:
        for name in (DATASET, f"{DATASET}_staging"):
            database.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE".encode())
    with tempfile.TemporaryDirectory() as home:
        yield dlt.pipeline(
            "cal_peer",
            destination="postgres",
            dataset_name=DATASET,
            pipelines_dir=home,
        )


def dlt_bookings(base_url: str, disposition: str) -> Any:
    """All pages as dlt's own REST source reads them; `disposition` is "append" or "merge"."""
    from dlt.sources.rest_api import rest_api_source

    paginator = {
        "type": "cursor",
        "cursor_path": "pagination.nextCursor",
        "cursor_param": "cursor",
    }
    bookings = {
        "name": "bookings",
        "primary_key": "uid",
        "write_disposition": disposition,
        "endpoint": {
            "path": "bookings",
            "params": {"limit": 100},
            "data_selector": "data",
        },
    }
    return rest_api_source(
        {
            "client": {"base_url": f"{base_url}/", "paginator": paginator},
            "resources": [bookings],
        }
    )


def one_by_one(base_url: str, account: Any) -> int:
    """`update_or_create` for each object, into the same tables and columns, as dj-stripe and its like do."""
    from django.utils import timezone

    from cal_bookings.client import parse_booking
    from cal_bookings.mirror import columns
    from cal_bookings.models import Attendee, Booking, Host

    count = 0
    for payload in (one for page in limit.pages(base_url) for one in page):
        remote, now = parse_booking(payload), timezone.now()
        row, _ = Booking.objects.update_or_create(
            account=account,
            uid=remote.uid,
            defaults=columns.values(remote)
            | {"payload": payload, "mirrored_at": now, "first_seen_at": now},
        )
        for attendee in remote.attendees:
            Attendee.objects.update_or_create(
                booking=row,
                position=attendee.position,
                defaults=columns.values(attendee),
            )
        hosts = [
            Host.objects.update_or_create(
                account=account,
                remote_id=host.remote_id,
                defaults={
                    "name": host.name,
                    "email": host.email,
                    "username": host.username,
                    "time_zone": host.time_zone,
                    "mirrored_at": now,
                },
            )[0]
            for host in remote.hosts
        ]
        row.hosts.set(hosts)
        count += 1
    return count
