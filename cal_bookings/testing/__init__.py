"""A fake Cal.com to test against: strict, over real HTTP, in both list dialects, with scripted faults.

`FakeCal` serves a world of bookings that a test changes as people on Cal.com would. The pytest plugin, which is
found by itself where this package is installed, gives it to tests as the fixture `cal`; `python -m
cal_bookings.testing` serves one by hand. Uses the standard library alone.
"""

from .catalog import EventType, Person, User
from .clock import Clock
from .rate_limit import RateLimit
from .server import FakeCal

__all__ = ["Clock", "EventType", "FakeCal", "Person", "RateLimit", "User"]
