"""How Cal.com is asked: within one budget per credential, that all processes share, and not while it is in vain."""

from cal_bookings.budget.circuit import CircuitOpen, pause, reset
from cal_bookings.budget.connection import connect
from cal_bookings.budget.consumption import (
    Usage,
    usage,
)
from cal_bookings.budget.not_now import NotNow
from cal_bookings.budget.window import (
    BudgetExhausted,
    Priority,
)

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
