"""The only writer of mirror rows. Older data never replaces newer data, and unchanged data is not written at all."""

from cal_bookings.mirror.event_types import upsert_event_types
from cal_bookings.mirror.outcome import Failure, Outcome
from cal_bookings.mirror.pages import upsert
from cal_bookings.mirror.rederivation import (
    is_rederivation_due,
    note_parser_version,
    rederive,
    rederive_batch,
)
from cal_bookings.mirror.single import (
    mark_missing,
    refresh,
)
from cal_bookings.mirror.split_appointments import join_split_appointments

__all__ = [
    "Failure",
    "Outcome",
    "is_rederivation_due",
    "join_split_appointments",
    "mark_missing",
    "note_parser_version",
    "rederive",
    "rederive_batch",
    "refresh",
    "upsert",
    "upsert_event_types",
]
