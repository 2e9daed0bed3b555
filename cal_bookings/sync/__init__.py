"""The pull: a walk goes through the pages of a list, and stores each page together with the place of the next page."""

from cal_bookings.sync.dry_run import (
    Preview,
    preview,
)
from cal_bookings.sync.lease import LeaseLost, LeaseTaken
from cal_bookings.sync.loops import NoSuchLoop, first_mode
from cal_bookings.sync.walker import (
    Progress,
    walk,
)

__all__ = [
    "LeaseLost",
    "LeaseTaken",
    "NoSuchLoop",
    "Preview",
    "Progress",
    "first_mode",
    "preview",
    "walk",
]
