"""How Cal.com is asked: within one budget per credential, that all processes share, and not while it is in vain."""

from cal_bookings.budget.circuit import pause, reset
from cal_bookings.budget.connection import connect
from cal_bookings.budget.consumption import (
    Usage,
    usage,
)
from cal_bookings.budget.errors import BudgetExhausted, CircuitOpen, NotNow
from cal_bookings.budget.window import Priority

__all__ = [
    "BudgetExhausted",
    "CircuitOpen",
    "NotNow",
    "Priority",
    "Usage",
    "connect",
    "pause",
    "reset",
    "usage",
]
